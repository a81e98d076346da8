import { openDevice } from "../app/device.ts";
import { change, state } from "../app/state.ts";
import type { Classify } from "../classify/actions.ts";
import type { InsidePart } from "../worker-client/messages/inside.ts";
import type { Sample } from "../worker-client/messages/nets.ts";
import type { WorkerClient } from "../worker-client/worker-client.ts";
import { emptyInside, type InsideState } from "./state.ts";

/** Actions of the view Look inside. */
export class Looking {
  readonly #client: WorkerClient;
  readonly #classify: Classify;
  #latest = 0;

  constructor(client: WorkerClient, classify: Classify) {
    this.#client = client;
    this.#classify = classify;
  }

  /** Run the net on the current picture, and record each layer and kernel. */
  look = async (): Promise<void> => {
    const asked = ++this.#latest;
    const { found: before, part } = state.inside;
    try {
      if (state.device.is !== "open" && !(await openDevice(this.#client))) return;
      set({ ...emptyInside, is: "loading the net" });
      const picture = state.classify.picture ?? (await this.#sample());
      if (!(await this.#classify.ready()) || asked !== this.#latest) return;
      set({ is: "looking" });
      const found = await this.#client.call("insideLook", { image: picture.blob });
      if (asked !== this.#latest) return;
      set({ is: "idle", found });
      // The same part as before, if the net is the same.
      const same = found.parts.findIndex(({ name }) => name === before?.parts[part]?.name);
      await this.choose(Math.max(0, same));
    } catch (error) {
      if (asked !== this.#latest) return;
      const text = (error as Error).message;
      set({
        is: "idle",
        problem: { title: "The net could not be inspected", text, retry: () => void this.look() },
      });
    }
  };

  /** Look again, at another photograph. */
  async sample(sample: Sample): Promise<void> {
    await this.#classify.put(sample);
    await this.look();
  }

  /** Show a part's layers, feature maps and filters. */
  async choose(part: number): Promise<void> {
    set({ part, maps: undefined, filters: undefined });
    const chosen = state.inside.found?.parts[part];
    if (!chosen) return;
    const map = mapsOf(chosen)[0];
    const filter = filtersOf(chosen)[0];
    await Promise.all([map && this.maps(map, 0), filter && this.filters(filter)]);
  }

  /** Show feature maps of a layer, from a channel on. */
  async maps(name: string, first: number): Promise<void> {
    set({ maps: { name, tiles: undefined } });
    await this.#show(async () => {
      const tiles = await this.#client.call("insideMaps", { name, first });
      if (state.inside.maps?.name === name) set({ maps: { name, tiles } });
    });
  }

  /** Show the weights of a convolution. */
  async filters(name: string): Promise<void> {
    set({ filters: { name, tiles: undefined } });
    await this.#show(async () => {
      const tiles = await this.#client.call("insideFilters", { name });
      if (state.inside.filters?.name === name) set({ filters: { name, tiles } });
    });
  }

  async #show(work: () => Promise<void>): Promise<void> {
    try {
      await work();
    } catch (error) {
      const text = (error as Error).message;
      set({ problem: { title: "This layer cannot be shown", text, retry: () => void this.look() } });
    }
  }

  async #sample(): Promise<{ readonly blob: Blob }> {
    const [first] = state.assets?.samples ?? [];
    if (!first) throw new Error("There is no picture yet. Choose one under Classify.");
    await this.#classify.put(first);
    return state.classify.picture!;
  }
}

/** Names of the outputs that can be shown of a part: its own first, then its layers'. */
export function mapsOf({ name, layers, stage }: InsidePart): string[] {
  const images = layers.filter(({ shape }) => shape.length === 4).map((layer) => layer.name);
  return stage === undefined ? images.reverse() : [name, ...images];
}

export const filtersOf = ({ layers }: InsidePart): string[] =>
  layers.filter(({ window }) => window !== undefined).map(({ name }) => name);

/** Change this view's part of the state. */
export const set = (part: Partial<InsideState>): void => change({ inside: { ...state.inside, ...part } });
