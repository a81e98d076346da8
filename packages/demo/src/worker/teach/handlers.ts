import { checkpointBytes, exportOnnx } from "@shadegrad/resnet";
import { countParameters } from "@shadegrad/tensor/nn";
import type { LiveAnswer } from "../../worker-client/messages/classify.ts";
import type { Loading } from "../../worker-client/messages/nets.ts";
import type { TeachBase, TeachStep } from "../../worker-client/messages/teach.ts";
import type { Calls } from "../../worker-client/protocol.ts";
import { readNet } from "../nets.ts";
import { Lesson } from "./lesson.ts";

let lesson: Lesson | undefined;
/** Signal of the learning that runs, or of the next one: a stop may come while a benchmark is interrupted for it. */
let learning = new AbortController();

export async function teachOpen(
  { net: bundled }: Calls["teachOpen"]["ask"],
  onProgress: (progress: Loading) => void,
): Promise<TeachBase> {
  const { net } = await readNet({ bundled }, onProgress);
  lesson?.dispose();
  lesson = new Lesson(net.model, net.device);
  const { features, side } = lesson;
  return { title: net.title, parameters: countParameters(net.model.base), features, side };
}

function current(): Lesson {
  if (!lesson || lesson.device.isLost) throw new Error("There is no net to teach; add a picture first.");
  return lesson;
}

export async function teachAdd({ id, picture }: Calls["teachAdd"]["ask"]): Promise<null> {
  try {
    await current().add(id, picture);
  } finally {
    close(picture);
  }
  return null;
}

export async function teachRemove({ ids }: Calls["teachRemove"]["ask"]): Promise<null> {
  lesson?.remove(ids);
  return null;
}

export async function teachLearn(
  ask: Calls["teachLearn"]["ask"],
  onProgress: (progress: TeachStep) => void,
): Promise<null> {
  try {
    await current().learn(ask, onProgress, learning.signal);
    return null;
  } finally {
    learning = new AbortController();
  }
}

export async function teachStop(): Promise<null> {
  learning.abort();
  return null;
}

export async function teachTry({ picture }: Calls["teachTry"]["ask"]): Promise<LiveAnswer> {
  try {
    return await current().classify(picture);
  } finally {
    close(picture);
  }
}

export async function teachExport({ format }: Calls["teachExport"]["ask"]): Promise<Blob> {
  const { net } = current();
  return new Blob([format === "onnx" ? await exportOnnx(net) : await checkpointBytes(net)]);
}

function close(picture: Calls["teachTry"]["ask"]["picture"]): void {
  if ("close" in picture) picture.close();
}
