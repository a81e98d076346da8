import { checkpointBytes, evaluateModel, FastNet, fastRecipe, train, whiten } from "@shadegrad/resnet";
import { manualSeed } from "@shadegrad/tensor";
import { dispose } from "@shadegrad/tensor/nn";
import type { FastMessage, FastReport } from "../../worker-client/messages/train.ts";
import type { Calls } from "../../worker-client/protocol.ts";
import { theDevice } from "../device.ts";
import { dataOf } from "./data.ts";

/** All test images of CIFAR-10. */
const TESTED = 10_000;

/** Channels of the net for the page's shapes, which are easier than photographs. */
const NARROW = [16, 32, 32] as const;

let net: FastNet | undefined;
let running: AbortController | undefined;

/** Train the net of the fast recipe, and evaluate it with its pictures' mirror images too. */
export async function fastRun(
  { data: name, seed, batchSize }: Calls["fastRun"]["ask"],
  onProgress: (progress: FastMessage) => void,
): Promise<FastReport> {
  running?.abort();
  const controller = new AbortController();
  running = controller;
  const { signal } = controller;
  const images = name === "cifar10" ? 50_000 : 4000;
  const data = await dataOf({ data: name, images, tested: TESTED }, (loading) =>
    onProgress({ kind: "loading", loading }),
  );
  const device = await theDevice();
  if (net && !net.fc.weight.isDisposed && !net.fc.weight.device.isLost) dispose(net);
  manualSeed(seed);
  const classes = data.train.classes.length;
  const model = new FastNet(name === "shapes" ? { classes, widths: NARROW } : { classes });
  net = model;
  await whiten(model, data.train);
  const recipe = fastRecipe(model, { images: data.train.length, batchSize });
  const { optimizer, ...options } = recipe;
  onProgress({ kind: "ready", steps: recipe.steps });
  try {
    const { step, seconds, done } = await train({
      ...options,
      ...{ model, optimizer, data: data.train, seed, signal, onDevice: true },
      onProgress(event) {
        if (event.kind !== "step") return;
        const { step, loss, imagesPerSecond, secondsLeft } = event;
        onProgress({ kind: "step", step, loss, imagesPerSecond, secondsLeft });
      },
    });
    if (!done) return { step, seconds, adapter: device.name, accuracy: undefined, images: 0 };
    onProgress({ kind: "evaluating" });
    const { top1, images } = await evaluateModel(model, data.test, { mirror: true, signal });
    return { step, seconds, adapter: device.name, accuracy: top1, images };
  } finally {
    if (!device.isLost) optimizer.dispose();
  }
}

export async function fastStop(): Promise<null> {
  running?.abort();
  return null;
}

/** The trained net as a file. */
export async function fastWeights(): Promise<Blob> {
  if (!net) throw new Error("There is no trained net yet.");
  return new Blob([await checkpointBytes(net)]);
}
