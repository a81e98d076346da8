import { openDevice } from "../app/device.ts";
import type { Problem } from "../app/messages.ts";
import { change, state } from "../app/state.ts";
import { type Engine, EngineError } from "../engine/engine.ts";
import type { Loading, NetInfo, Sample } from "../engine/protocol.ts";
import type { ClassifyState, Picture } from "./state.ts";

/** What a visitor can do in the first view. */
export class Classify {
  readonly #engine: Engine;
  /** The last thing that was asked for: answers to what was asked before it do not count. */
  #latest = 0;
  /** The net that is under way, so that two pictures in a row do not fetch it twice. */
  #coming: { readonly choice: ClassifyState["choice"]; readonly net: Promise<NetInfo> } | undefined;

  constructor(engine: Engine) {
    this.#engine = engine;
  }

  /** Take files, by drop, paste or choice: a picture, or weights. */
  async take(files: readonly File[]): Promise<void> {
    const [first] = files;
    if (!first) return;
    if (isWeights(files)) return this.load(files);
    await this.show(first, first.name || "a picture from the clipboard", "Your picture");
  }

  /** Show a photograph that lies beside the page. */
  async put({ path, title, alt }: Sample): Promise<void> {
    const response = await fetch(path);
    if (!response.ok) throw new Error(`${path} does not come: ${response.status} ${response.statusText}`);
    show(await response.blob(), title, alt);
  }

  /** Show such a photograph, and say what is in it. */
  async sample(sample: Sample): Promise<void> {
    try {
      await this.put(sample);
      await this.run();
    } catch (error) {
      set({ problem: { title: "The photograph does not come", text: messageOf(error) } });
    }
  }

  /** Show a picture and say what is in it. */
  async show(blob: Blob, name: string, alt: string): Promise<void> {
    show(blob, name, alt);
    await this.run();
  }

  /** Use another net, for the picture that is there as well. */
  async load(choice: string | readonly File[]): Promise<void> {
    set({ choice, net: undefined, result: undefined, problem: undefined });
    await this.run();
  }

  /** Load the net, unless it is there, and classify the picture, if there is one. */
  async run(): Promise<void> {
    const asked = ++this.#latest;
    const isLatest = () => asked === this.#latest;
    set({ problem: undefined });
    try {
      if (state.device.is !== "open" && !(await openDevice(this.#engine))) return;
      if (!(await this.ready()) || !isLatest()) return;
      const { picture } = state.classify;
      if (!picture) return;
      set({ running: [] });
      const result = await this.#engine.call(
        "classify",
        { image: picture.blob },
        {
          tell: (stage) => {
            if (isLatest()) set({ running: [...(state.classify.running ?? []), stage] });
          },
        },
      );
      if (isLatest()) set({ result, running: undefined });
    } catch (error) {
      if (isLatest()) set({ running: undefined, loading: undefined, problem: this.#problem(error) });
    }
  }

  /** Whether a net is there, once it has been loaded. */
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

  async #load(choice: string | readonly File[]): Promise<NetInfo> {
    const ask = typeof choice === "string" ? { beside: choice } : { files: choice };
    const tell = (loading: Loading) => {
      if (state.classify.choice === choice) set({ loading });
    };
    try {
      return await this.#engine.call("loadNet", ask, { tell });
    } finally {
      if (this.#coming?.choice === choice) this.#coming = undefined;
    }
  }

  #problem(error: unknown): Problem {
    const text = messageOf(error);
    const { net, choice, picture } = state.classify;
    const retry = () => void this.run();
    if (error instanceof EngineError && error.isDevice) return { title: "The GPU gave up", text, retry };
    if (!net && typeof choice !== "string") return { title: "These weights cannot be used", text };
    if (!net) return { title: "The weights did not arrive", text, retry };
    if (error instanceof EngineError && error.isFormat)
      return { title: `${picture?.name ?? "This"} is no picture`, text };
    return { title: "The net did not get through", text, retry };
  }
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
