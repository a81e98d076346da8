import { openDevice } from "../app/device.ts";
import type { Problem } from "../app/messages.ts";
import { change, state } from "../app/state.ts";
import type { LiveAnswer } from "../worker-client/messages/classify.ts";
import type { Loading, NetInfo, Sample } from "../worker-client/messages/nets.ts";
import { type WorkerClient, WorkerError } from "../worker-client/worker-client.ts";
import type { ClassifyState, Picture } from "./state.ts";

/** Actions of the Classify view. */
export class Classify {
  readonly #client: WorkerClient;
  /** Number of the last request; answers to earlier ones are dropped. */
  #latest = 0;
  /** The net that is loading, so that a second picture does not load it again. */
  #coming: { readonly choice: ClassifyState["choice"]; readonly net: Promise<NetInfo> } | undefined;

  constructor(client: WorkerClient) {
    this.#client = client;
  }

  /** Take files, by drop, paste or choice: a picture, or weights. */
  async take(files: readonly File[]): Promise<void> {
    const [first] = files;
    if (!first) return;
    if (isWeights(files)) return this.load(files);
    await this.show(first, first.name || "a picture from the clipboard", "Your picture");
  }

  /** Show one of the page's photographs. */
  async put({ path, title, alt }: Sample): Promise<void> {
    const response = await fetch(path);
    if (!response.ok) throw new Error(`${path} did not load: ${response.status} ${response.statusText}`);
    show(await response.blob(), title, alt);
  }

  /** Show one of the page's photographs, and classify it. */
  async sample(sample: Sample): Promise<void> {
    try {
      await this.put(sample);
      await this.run();
    } catch (error) {
      set({ problem: { title: "The photograph did not load", text: messageOf(error) } });
    }
  }

  /** Show a picture, and classify it. */
  async show(blob: Blob, name: string, alt: string): Promise<void> {
    show(blob, name, alt);
    await this.run();
  }

  /** Use another net, and classify the current picture with it. */
  async load(choice: string | readonly File[]): Promise<void> {
    set({ choice, net: undefined, result: undefined, problem: undefined });
    await this.run();
  }

  /** Load the net if necessary, and classify the current picture. */
  async run(): Promise<void> {
    const asked = ++this.#latest;
    const isLatest = () => asked === this.#latest;
    set({ problem: undefined });
    try {
      if (state.device.is !== "open" && !(await openDevice(this.#client))) return;
      if (!(await this.ready()) || !isLatest()) return;
      const { picture } = state.classify;
      if (!picture) return;
      set({ running: [] });
      const result = await this.#client.call(
        "classify",
        { image: picture.blob },
        {
          onProgress: (stage) => {
            if (isLatest()) set({ running: [...(state.classify.running ?? []), stage] });
          },
        },
      );
      if (!isLatest()) return;
      set({ result, running: undefined });
      scrollToAnswer();
    } catch (error) {
      if (isLatest()) set({ running: undefined, loading: undefined, problem: this.#problem(error) });
    }
  }

  /** Load the net if necessary. → false if there is none to load, or another one was chosen meanwhile */
  async ready(): Promise<boolean> {
    const { net, choice } = state.classify;
    if (net) return true;
    if (choice === undefined) return false;
    if (this.#coming?.choice !== choice) {
      set({ loading: { phase: "fetch", bytes: 0, of: 0 } });
      this.#coming = { choice, net: this.#load(choice) };
    }
    const loaded = await this.#coming!.net;
    if (state.classify.choice !== choice) return false; // the visitor has chosen another one meanwhile
    set({ net: loaded, loading: undefined });
    return true;
  }

  /** Classify a frame of the camera, which the worker closes. */
  frame(frame: VideoFrame | ImageBitmap): Promise<LiveAnswer> {
    return this.#client.call("classifyFrame", { frame }, { transfer: [frame] });
  }

  async #load(choice: string | readonly File[]): Promise<NetInfo> {
    const ask = typeof choice === "string" ? { bundled: choice } : { files: choice };
    const onProgress = (loading: Loading) => {
      if (state.classify.choice === choice) set({ loading });
    };
    try {
      return await this.#client.call("loadNet", ask, { onProgress });
    } finally {
      if (this.#coming?.choice === choice) this.#coming = undefined;
    }
  }

  #problem(error: unknown): Problem {
    const text = messageOf(error);
    const { net, choice, picture } = state.classify;
    const retry = () => void this.run();
    if (error instanceof WorkerError && error.isDevice) return { title: "The GPU failed", text, retry };
    if (!net && typeof choice !== "string") return { title: "These weights cannot be used", text };
    if (!net) return { title: "The weights did not load", text, retry };
    if (error instanceof WorkerError && error.isFormat)
      return { title: `${picture?.name ?? "This"} is no picture`, text };
    return { title: "The classification failed", text, retry };
  }
}

/** Bring the answer into view once it is drawn, where a small screen has it below. */
function scrollToAnswer(): void {
  requestAnimationFrame(() => document.querySelector(".answer")?.scrollIntoView({ block: "nearest" }));
}

function show(blob: Blob, name: string, alt: string): void {
  const { picture } = state.classify;
  if (picture) URL.revokeObjectURL(picture.url);
  const next: Picture = { blob, name, alt, url: URL.createObjectURL(blob) };
  set({ picture: next, result: undefined, problem: undefined });
}

/** Change this view's part of the state. */
export const set = (part: Partial<ClassifyState>): void =>
  change({ classify: { ...state.classify, ...part } });

const isWeights = (files: readonly File[]): boolean =>
  files.some(({ name }) => /\.(safetensors|pth?|bin|ckpt|json|th)$/i.test(name));

export const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));
