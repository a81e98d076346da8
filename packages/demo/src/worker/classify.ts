import { decodeImage, pictureInput, ranked } from "@shadegrad/resnet";
import { type Tensor, tensor } from "@shadegrad/tensor";
import type { Classification, StageTime } from "../worker-client/protocol.ts";
import { currentNet } from "./nets.ts";
import type { Stage } from "./stages.ts";

/** Number of classes that the page shows. */
const TOP = 5;

/** Classify a picture, and time each stage. */
export async function classify(
  { image }: { image: Blob },
  onProgress: (progress: StageTime) => void,
): Promise<Classification> {
  const { model, device, preprocessing, labels, title, stages } = currentNet();
  const times: StageTime[] = [];
  const start = performance.now();
  let last = start;
  const mark = (name: string) => {
    const now = performance.now();
    const time = { name, milliseconds: now - last };
    last = now;
    times.push(time);
    onProgress(time);
  };

  const picture = await decodeImage(image);
  mark("decode");
  const { data, shape, crop } = pictureInput(picture, model, preprocessing);
  mark("resize");
  const logits = await forward(stages, tensor(data, shape, { device }), mark);
  const scores = await logits.data();
  logits.dispose();
  mark("head");
  return {
    top: ranked(scores as Float32Array, labels).slice(0, TOP),
    stages: times,
    milliseconds: performance.now() - start,
    crop: { side: shape[1], pixels: opaque(crop.pixels) },
    adapter: device.name,
    net: title,
  };
}

/** Run the net stage by stage; `mark` is called when the device has finished each but the last. */
async function forward(stages: readonly Stage[], x: Tensor, mark: (name: string) => void): Promise<Tensor> {
  const { device } = x;
  const marks: Promise<void>[] = [];
  let y = x;
  for (const [i, { name, run }] of stages.entries()) {
    const next = await run(y);
    y.dispose();
    y = next;
    if (i === stages.length - 1) break;
    // No wait: the device works on a stage while the next one is encoded.
    const done = device.synchronize().then(() => mark(name));
    done.catch(() => {}); // thrown where all of them are awaited
    marks.push(done);
  }
  await Promise.all(marks);
  return y;
}

/** RGB with alpha, as a canvas takes it. */
function opaque(pixels: Uint8Array): Uint8ClampedArray<ArrayBuffer> {
  const out = new Uint8ClampedArray((pixels.length / 3) * 4).fill(255);
  for (let i = 0, at = 0; i < pixels.length; i += 3, at += 4) out.set(pixels.subarray(i, i + 3), at);
  return out;
}
