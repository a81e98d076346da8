import workerUrl from "../worker/start.ts?worker&url";
import type { Call, Calls, Failure, FromWorker, Notice, Notices } from "./protocol.ts";

/** An error of the worker, as the page gets it. */
export class WorkerError extends Error {
  /** True if the device is missing or lost. */
  readonly isDevice: boolean;
  /** True if a file or picture is damaged or of another format. */
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
  onProgress: ((progress: never) => void) | undefined;
}

/** The page's side of the worker, which does all computation. */
export class WorkerClient {
  readonly #worker: Worker;
  readonly #waiting = new Map<number, Waiting>();
  readonly #listeners = new Map<string, (body: never) => void>();
  #nextId = 0;

  constructor() {
    // The worker reads `?debug=` from the address of its script.
    this.#worker = new Worker(`${workerUrl}${location.search}`, { type: "module", name: "shadegrad" });
    this.#worker.addEventListener("message", ({ data }: MessageEvent<FromWorker>) => this.#receive(data));
    this.#worker.addEventListener("error", (event) => {
      event.preventDefault();
      const error = new Error(event.message || "The worker's script did not load. Reload the page.");
      for (const { reject } of this.#waiting.values()) reject(error);
      this.#waiting.clear();
    });
  }

  /** Call a function of the worker; `onProgress` gets its progress. */
  call<K extends Call>(
    call: K,
    ask: Calls[K]["ask"],
    {
      onProgress,
      transfer = [],
    }: { onProgress?: (progress: Calls[K]["progress"]) => void; transfer?: Transferable[] } = {},
  ): Promise<Calls[K]["answer"]> {
    const id = this.#nextId++;
    return new Promise((resolve, reject) => {
      this.#waiting.set(id, { resolve, reject, onProgress: onProgress as Waiting["onProgress"] });
      this.#worker.postMessage({ id, call, ask }, transfer);
    });
  }

  /** Listen to a notice of the worker. */
  on<K extends Notice>(notice: K, listener: (body: Notices[K]) => void): void {
    this.#listeners.set(notice, listener as (body: never) => void);
  }

  #receive(message: FromWorker): void {
    if ("notice" in message) {
      this.#listeners.get(message.notice)?.(message.body as never);
      return;
    }
    const waiting = this.#waiting.get(message.id);
    if ("progress" in message) waiting?.onProgress?.(message.progress as never);
    else {
      this.#waiting.delete(message.id);
      if ("failed" in message) waiting?.reject(new WorkerError(message.failed));
      else waiting?.resolve(message.answer as never);
    }
  }
}
