import { decodeImage, listening, pictureInput, type ResNet, ranked } from "@shadegrad/resnet";
import { type Device, noGrad, scope, type Tensor, tensor } from "@shadegrad/tensor";
import type { Classification, Stage } from "../engine/protocol.ts";
import { currentNet } from "./nets.ts";

/** Classes that the page shows. */
const TOP = 5;

/** Say what is in a picture, and how long each part of that took. */
export async function classify(
  { image }: { image: Blob },
  tell: (told: Stage) => void,
): Promise<Classification> {
  const { model, device, preprocessing, labels, title } = currentNet();
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
  const { logits, done } = forward(model, device, data, shape, mark);
  await done;
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

/** Run the net; `mark` is told when the device has done each of its stages. */
function forward(
  model: ResNet,
  device: Device,
  data: Float32Array,
  shape: readonly number[],
  mark: (name: string) => void,
): { logits: Tensor; done: Promise<unknown> } {
  const ends = stageEnds(model);
  const marks: Promise<void>[] = [];
  // Nothing here waits: the device works on a stage while the next is being encoded.
  const passed = (name: string) => {
    const done = device.synchronize().then(() => mark(name));
    done.catch(() => {}); // thrown where all of them are awaited
    marks.push(done);
  };
  const logits = noGrad(() =>
    scope(() => {
      const x = tensor(data, shape, { device });
      const before = ({ name }: { name: string }) => {
        if (name === "base.blocks.0") passed("stem");
      };
      const after = ({ name }: { name: string }) => {
        const stage = ends.get(name);
        if (stage) passed(stage);
      };
      return listening(model, { before, after }, () => model.forward(x));
    }),
  );
  return { logits, done: Promise.all(marks) };
}

/** The last block of each stage, and what the page calls that stage. */
function stageEnds({ options }: ResNet): Map<string, string> {
  let end = -1;
  return new Map(
    options.nBlocks.map((count, stage) => {
      end += count;
      return [`base.blocks.${end}`, `stage ${stage + 1}`];
    }),
  );
}

/** RGB with alpha, as a canvas takes it. */
function opaque(pixels: Uint8Array): Uint8ClampedArray<ArrayBuffer> {
  const out = new Uint8ClampedArray((pixels.length / 3) * 4).fill(255);
  for (let i = 0, at = 0; i < pixels.length; i += 3, at += 4) out.set(pixels.subarray(i, i + 3), at);
  return out;
}
