import { DeviceError } from "@shadegrad/tensor";
import type { Call, Calls, FromWorker, Notice, Notices, ToWorker } from "../worker-client/protocol.ts";
import { classify } from "./classify.ts";
import { open } from "./device.ts";
import { interrupt, stopExclusive } from "./exclusive.ts";
import { loadNet } from "./nets.ts";

type Handler<K extends Call> = (
  ask: Calls[K]["ask"],
  onProgress: (progress: Calls[K]["progress"]) => void,
) => Promise<Calls[K]["answer"]>;

/** Calls without an answer yet. */
const pending = new Map<number, Call>();

function notify<K extends Notice>(notice: K, body: Notices[K]): void {
  post({ notice, body } as FromWorker);
  if (notice !== "lost") return;
  // A pending call may wait for a result that a lost device never gives.
  for (const [id, call] of pending) if (call !== "open") fail(id, new DeviceError(body.message));
}

const handlers: { [K in Call]: Handler<K> } = {
  open: () => open(notify),
  loadNet,
  classify,
  classifyFrame: async (ask) => (await live()).classifyFrame(ask),
  trainBegin: async (ask, onProgress) => (await training()).trainBegin(ask, onProgress),
  trainRun: async (ask, onProgress) => (await training()).trainRun(ask, onProgress),
  trainPause: async () => (await training()).trainPause(),
  trainCheckpoint: async (ask) => (await training()).trainCheckpoint(ask),
  teachOpen: async (ask, onProgress) => (await teaching()).teachOpen(ask, onProgress),
  teachAdd: async (ask) => (await teaching()).teachAdd(ask),
  teachRemove: async (ask) => (await teaching()).teachRemove(ask),
  teachLearn: async (ask, onProgress) => (await teaching()).teachLearn(ask, onProgress),
  teachStop: async () =>
    [...pending.values()].includes("teachLearn") ? (await teaching()).teachStop() : null,
  teachTry: async (ask) => (await teaching()).teachTry(ask),
  teachExport: async (ask) => (await teaching()).teachExport(ask),
  fastRun: async (ask, onProgress) => (await fast()).fastRun(ask, onProgress),
  fastStop: async () => (await fast()).fastStop(),
  fastWeights: async () => (await fast()).fastWeights(),
  insideLook: async (ask) => (await inside()).insideLook(ask),
  insideMaps: async (ask) => (await inside()).insideMaps(ask),
  insideFilters: async (ask) => (await inside()).insideFilters(ask),
  benchmarkRows: async () => (await benchmark()).benchmarkRows(),
  benchmarkRun: async (ask, onProgress) => (await benchmark()).benchmarkRun(ask, onProgress),
  benchmarkStop: async () => {
    stopExclusive();
    return null;
  },
};

const benchmark = () => import("./benchmark/handlers.ts");

/** Calls that launch nothing, so that they need not interrupt a benchmark. */
const LIGHT: ReadonlySet<Call> = new Set([
  "open",
  "trainPause",
  "fastStop",
  "teachStop",
  "benchmarkRows",
  "benchmarkStop",
]);

const live = () => import("./live/handlers.ts");

const inside = () => import("./inside/handlers.ts");

const fast = () => import("./train/fast.ts");

const teaching = () => import("./teach/handlers.ts");

/** Loaded on demand: classification needs no gradients. */
const training = () => import("./train/handlers.ts");

/** The worker's global scope; the types are a page's. */
const scope = self as unknown as Pick<Worker, "postMessage" | "addEventListener">;
const post = (message: FromWorker): void => scope.postMessage(message);

scope.addEventListener("message", async ({ data: { id, call, ask } }: MessageEvent<ToWorker>) => {
  const onProgress = (progress: unknown) => post({ id, progress });
  pending.set(id, call);
  try {
    if (!LIGHT.has(call)) await interrupt();
    const answer = await (handlers[call] as Handler<Call>)(ask as never, onProgress as never);
    post({ id, answer });
  } catch (error) {
    fail(id, error);
  } finally {
    pending.delete(id);
  }
});

function fail(id: number, error: unknown): void {
  const { name, message } = error instanceof Error ? error : new Error(String(error));
  post({ id, failed: { name, message } });
}
