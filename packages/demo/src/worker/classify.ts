import { decodeImage, pictureInput, ranked } from "@shadegrad/resnet";
import { type Tensor, tensor } from "@shadegrad/tensor";
import type { Classification, Stage } from "../engine/protocol.ts";
import { currentNet } from "./nets.ts";
import type { Part } from "./parts.ts";

/** Classes that the page shows. */
const TOP = 5;

/** Say what is in a picture, and how long each part of that took. */
export async function classify(
  { image }: { image: Blob },
  tell: (told: Stage) => void,
): Promise<Classification> {
  const { model, device, preprocessing, labels, title, parts } = currentNet();
  const stages: Stage[] = [];
  const start = performance.now();
  let last = start;
  const mark = (name: string) => {
    const now = performance.now();
    const stage = { name, milliseconds: now - last };
    last = now;
    stages.push(stage);
    tell(stage);
  };

  const picture = await decodeImage(image);
  mark("decode");
  const { data, shape, crop } = pictureInput(picture, model, preprocessing);
  mark("resize");
  const logits = await forward(parts, tensor(data, shape, { device }), mark);
  const scores = await logits.data();
  logits.dispose();
  mark("head");
  return {
    top: ranked(scores as Float32Array, labels).slice(0, TOP),
    stages,
    milliseconds: performance.now() - start,
    crop: { side: shape[1], pixels: opaque(crop.pixels) },
    adapter: device.name,
    net: title,
  };
}

/** Run the net part by part; `mark` is told when the device has done each but the last. */
async function forward(parts: readonly Part[], x: Tensor, mark: (name: string) => void): Promise<Tensor> {
  const { device } = x;
  const marks: Promise<void>[] = [];
  let y = x;
  for (const [i, { name, run }] of parts.entries()) {
    const next = await run(y);
    y.dispose();
    y = next;
    if (i === parts.length - 1) break;
    // Nothing waits here: the device works on a part while the next is being encoded.
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
