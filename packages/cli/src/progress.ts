import { Presets, SingleBar } from "cli-progress";
import type { Terminal } from "./terminal.ts";

/** A progress bar in a terminal, cleared at the end. */
export function watch({ watched }: Terminal, unit: string) {
  if (!watched) return { onProgress: undefined, stop: () => {} };
  const format = `{bar} {value} of {total} ${unit} · {rate}/s · {eta_formatted} left`;
  const bar = new SingleBar(
    { format, clearOnComplete: true, hideCursor: true, barsize: 24 },
    Presets.shades_classic,
  );
  let started = false;
  return {
    onProgress({ images, of, imagesPerSecond }: { images: number; of: number; imagesPerSecond: number }) {
      const rate = imagesPerSecond.toFixed(0);
      if (!started) bar.start(of, images, { rate });
      else bar.update(images, { rate });
      started = true;
    },
    stop: () => bar.stop(),
  };
}
