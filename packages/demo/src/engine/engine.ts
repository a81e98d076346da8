import workerUrl from "../worker/main.ts?worker&url";
import type { Call, Calls, Failure, FromWorker, Notice, Notices } from "./protocol.ts";

/** A call that failed in the worker, by the class of its error. */
export class EngineError extends Error {
  /** Whether the device is missing or lost, which another picture or file does not mend. */
  readonly isDevice: boolean;
  /** Whether a file or picture is not what it should be. */
  readonly isFormat: boolean;

  constructor({ name, message }: Failure) {
    super(message);
    this.name = name;
    this.isDevice = name === "DeviceError";
    this.isFormat = name === "FormatError";
  }
}

interface Waiting {
  resolve(answer: never): void;
  reject(error: Error): void;
  tell: ((told: never) => void) | undefined;
}

/** The page's side of the worker in which everything is computed. */
export class Engine {
  readonly #worker: Worker;
  readonly #waiting = new Map<number, Waiting>();
  readonly #listeners = new Map<string, (body: never) => void>();
  #nextId = 0;

  constructor() {
    // The engine reads ?debug= from the address of its own script.
    this.#worker = new Worker(`${workerUrl}${location.search}`, { type: "module", name: "engine" });
    this.#worker.addEventListener("message", ({ data }: MessageEvent<FromWorker>) => this.#receive(data));
    this.#worker.addEventListener("error", (event) => {
      event.preventDefault();
      const error = new Error(
        event.message || "The script that computes could not be loaded. Reload the page.",
      );
      for (const { reject } of this.#waiting.values()) reject(error);
      this.#waiting.clear();
    });
  }

  /** Ask the worker; `tell` is told how it goes on. */
  call<K extends Call>(
    call: K,
    ask: Calls[K]["ask"],
    { tell, transfer = [] }: { tell?: (told: Calls[K]["told"]) => void; transfer?: Transferable[] } = {},
  ): Promise<Calls[K]["answer"]> {
    const id = this.#nextId++;
    return new Promise((resolve, reject) => {
      this.#waiting.set(id, { resolve, reject, tell: tell as Waiting["tell"] });
      this.#worker.postMessage({ id, call, ask }, transfer);
    });
  }

  /** Hear what the worker tells by itself. */
  on<K extends Notice>(notice: K, listener: (body: Notices[K]) => void): void {
    this.#listeners.set(notice, listener as (body: never) => void);
  }

  #receive(message: FromWorker): void {
    if ("notice" in message) {
      this.#listeners.get(message.notice)?.(message.body as never);
      return;
    }
    const waiting = this.#waiting.get(message.id);
    if ("told" in message) waiting?.tell?.(message.told as never);
    else {
      this.#waiting.delete(message.id);
      if ("failed" in message) waiting?.reject(new EngineError(message.failed));
      else waiting?.resolve(message.answer as never);
    }
  }
}
