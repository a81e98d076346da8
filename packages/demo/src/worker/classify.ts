import { ranked } from "@shadegrad/resnet";
import type { Tensor } from "@shadegrad/tensor";
import type { Classification, StageTime } from "../worker-client/messages/classify.ts";
import { currentNet } from "./nets.ts";
import { preparedPicture } from "./picture.ts";
import type { Stage } from "./stages.ts";

/** Number of classes that the page shows. */
const TOP = 5;

/** Classify a picture, and time each stage. */
export async function classify(
  { image }: { image: Blob },
  onProgress: (progress: StageTime) => void,
): Promise<Classification> {
  const net = currentNet();
  const { device, labels, title, stages } = net;
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

  const picture = await preparedPicture(image, net, mark);
  try {
    const logits = await forward(stages, picture.x, mark);
    const scores = await logits.data();
    logits.dispose();
    mark("head");
    const milliseconds = performance.now() - start;
    return {
      top: ranked(scores as Float32Array, labels).slice(0, TOP),
      stages: times,
      milliseconds,
      crop: await picture.crop(),
      adapter: device.name,
      net: title,
    };
  } finally {
    picture.dispose();
  }
}

/** Run the net stage by stage; `mark` is called when the device has finished each but the last. */
async function forward(stages: readonly Stage[], x: Tensor, mark: (name: string) => void): Promise<Tensor> {
  const { device } = x;
  const marks: Promise<void>[] = [];
  let y = x;
  for (const [i, { name, run }] of stages.entries()) {
    const next = await run(y);
    if (y !== x) y.dispose();
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
