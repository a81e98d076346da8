import { pictureTensor, ranked } from "@shadegrad/resnet";
import type { Calls } from "../../worker-client/protocol.ts";
import { currentNet } from "../nets.ts";

/** Number of classes that the page shows. */
const TOP = 5;

/** Classify a camera's frame: it goes to the GPU as a texture, and only the scores come back. */
export async function classifyFrame({
  frame,
}: Calls["classifyFrame"]["ask"]): Promise<Calls["classifyFrame"]["answer"]> {
  const { model, device, preprocessing, labels, stages } = currentNet();
  const start = performance.now();
  try {
    const net = { options: model.options, ...(preprocessing && { preprocessing }) };
    let y = await pictureTensor(frame, net, device);
    for (const { run } of stages) {
      const x = y;
      y = await run(x);
      x.dispose();
    }
    const scores = await y.data();
    y.dispose();
    return {
      top: ranked(scores as Float32Array, labels).slice(0, TOP),
      milliseconds: performance.now() - start,
    };
  } finally {
    frame.close();
  }
}
