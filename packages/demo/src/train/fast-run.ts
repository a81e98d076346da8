import { openDevice } from "../app/device.ts";
import { download } from "../app/download.ts";
import { state } from "../app/state.ts";
import type { FastMessage, TrainSettings } from "../worker-client/messages/train.ts";
import type { WorkerClient } from "../worker-client/worker-client.ts";
import { set } from "./actions.ts";
import { emptyFast, type FastState } from "./fast-state.ts";

/** Images a step: the recipe's on a GPU; fewer where a step of 1,024 takes a software adapter many minutes. */
const BATCH = { gpu: 1024, software: 32 };
/** Milliseconds between two looks at the clock. */
const TICK = 200;

/** The preset that trains to 94 % on CIFAR-10. */
export class FastRunning {
  readonly #client: WorkerClient;

  constructor(client: WorkerClient) {
    this.#client = client;
  }

  start = async (): Promise<void> => {
    if (state.device.is !== "open" && !(await openDevice(this.#client))) return;
    const { seed, data } = this.#chosen();
    change({ ...emptyFast, is: "getting ready", seed });
    const clock = setInterval(() => {
      const { since } = fast();
      if (since !== undefined) change({ clock: performance.now() - since });
    }, TICK);
    const isSoftware = state.device.is === "open" && state.device.info.software;
    const batchSize = isSoftware ? BATCH.software : BATCH.gpu;
    try {
      const report = await this.#client.call(
        "fastRun",
        { data, seed, batchSize },
        { onProgress: (message) => this.#take(message) },
      );
      change({ is: "done", report, clock: 1000 * report.seconds });
    } catch (error) {
      const text = (error as Error).message;
      change({ is: "idle" });
      set({ problem: { title: "The training stopped", text, retry: () => void this.start() } });
    } finally {
      clearInterval(clock);
      change({ since: undefined });
    }
  };

  stop = (): void => {
    change({ is: "stopping" });
    void this.#client.call("fastStop", null);
  };

  download = async (): Promise<void> => {
    try {
      download(await this.#client.call("fastWeights", null), `fastnet-seed-${fast().seed}.safetensors`);
    } catch (error) {
      set({ problem: { title: "The file was not written", text: (error as Error).message } });
    }
  };

  /** The data of the settings beside it, and the seed of the address, else of the settings. */
  #chosen(): { seed: number; data: TrainSettings["data"] } {
    const { seed, data } = state.train.settings;
    return { seed: seedInAddress() ?? seed, data };
  }

  #take(message: FastMessage): void {
    if (message.kind === "loading") change({ loading: message.loading });
    else if (message.kind === "ready") {
      change({ is: "running", loading: undefined, steps: message.steps, since: performance.now() });
    } else if (message.kind === "evaluating") change({ is: "evaluating", since: undefined });
    else change({ latest: message });
  }
}

const fast = (): FastState => state.train.fast;

const change = (part: Partial<FastState>): void => set({ fast: { ...fast(), ...part } });

/** `?seed=7`: the seed of a training that somebody shared. */
export function seedInAddress(search: string = location.search): number | undefined {
  const text = new URLSearchParams(search).get("seed");
  const seed = Number(text);
  return text && Number.isSafeInteger(seed) && seed >= 0 ? seed : undefined;
}

/** The address of this view with a seed. */
export function addressOf(seed: number): string {
  const url = new URL(location.href);
  url.searchParams.set("seed", String(seed));
  url.hash = "#/train";
  return url.href;
}
