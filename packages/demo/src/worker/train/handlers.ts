import { FormatError } from "@shadegrad/tensor";
import { openSafetensors } from "@shadegrad/tensor/formats";
import type { Loading } from "../../worker-client/messages/nets.ts";
import type {
  Curve,
  TrainBegin,
  TrainBegun,
  TrainMessage,
  TrainSettings,
} from "../../worker-client/messages/train.ts";
import type { Calls } from "../../worker-client/protocol.ts";
import { theDevice } from "../device.ts";
import { dataOf } from "./data.ts";
import { Session } from "./session.ts";

let session: Session | undefined;

export async function trainBegin(
  ask: TrainBegin,
  onProgress: (progress: Loading) => void,
): Promise<TrainBegun> {
  const source = "from" in ask ? (ask.from === "last" ? lastFile() : ask.from) : undefined;
  const { settings, curve } = source
    ? await notesOf(source)
    : { ...(ask as { settings: TrainSettings }), curve: EMPTY };
  const data = await dataOf(settings, onProgress);
  const before = session;
  session = undefined;
  await before?.dispose();
  const next = new Session(settings, data, await theDevice());
  if (source) await next.resume(source);
  session = next;
  return {
    settings,
    curve,
    layers: 6 * settings.blocks + 2,
    parameters: next.parameters,
    step: next.step,
    perEpoch: next.perEpoch,
    classes: data.train.classes,
    test: next.test,
  };
}

const EMPTY: Curve = { steps: [], loss: [], accuracy: [], test: { steps: [], accuracy: [] } };

function lastFile(): File {
  if (!session?.kept) throw new Error("There is no copy of this training yet. Start it again.");
  return new File([session.kept], "the last copy");
}

/** Settings and curve that the page wrote into its checkpoint. */
async function notesOf(file: File): Promise<{ settings: TrainSettings; curve: Curve }> {
  const opened = await openSafetensors(file);
  try {
    const { settings, curve } = JSON.parse(opened.metadata.get("page") ?? "{}");
    if (settings && curve) return { settings, curve };
  } catch {
    // as below
  } finally {
    await opened.close();
  }
  throw new FormatError(
    `${file.name} is not a checkpoint of this page. Its weights can be used under Classify.`,
  );
}

function current(): Session {
  if (!session) throw new Error("There is no training; begin one.");
  return session;
}

export async function trainRun(
  { steps }: { steps: number },
  onProgress: (progress: TrainMessage) => void,
): Promise<null> {
  await current().run(steps, onProgress);
  return null;
}

export async function trainPause(): Promise<null> {
  await session?.pause();
  return null;
}

export async function trainCheckpoint({ curve }: Calls["trainCheckpoint"]["ask"]): Promise<Blob> {
  return new Blob([await current().file(curve)]);
}
