import type { Call, Calls, FromWorker, Notice, Notices, ToWorker } from "../engine/protocol.ts";
import { classify } from "./classify.ts";
import { open } from "./device.ts";
import { loadNet } from "./nets.ts";

type Handler<K extends Call> = (
  ask: Calls[K]["ask"],
  tell: (told: Calls[K]["told"]) => void,
) => Promise<Calls[K]["answer"]>;

const notify = <K extends Notice>(notice: K, body: Notices[K]): void => post({ notice, body } as FromWorker);

const handlers: { [K in Call]: Handler<K> } = {
  open: () => open(notify),
  loadNet,
  classify,
};

/** A worker's own, where the types are a page's. */
const scope = self as unknown as Pick<Worker, "postMessage" | "addEventListener">;
const post = (message: FromWorker): void => scope.postMessage(message);

scope.addEventListener("message", async ({ data: { id, call, ask } }: MessageEvent<ToWorker>) => {
  const tell = (told: unknown) => post({ id, told });
  try {
    const answer = await (handlers[call] as Handler<Call>)(ask as never, tell as never);
    post({ id, answer });
  } catch (error) {
    const { name, message } = error instanceof Error ? error : new Error(String(error));
    post({ id, failed: { name, message } });
  }
});
