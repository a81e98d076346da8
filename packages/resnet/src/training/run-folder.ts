import { FormatError } from "@shadegrad/tensor";
import { openSafetensors, save } from "@shadegrad/tensor/formats";
import { type SaveOptions, saveCheckpoint } from "../checkpoints/index.ts";
import { nodeModules } from "../data/node.ts";
import type { Evaluation } from "./evaluate.ts";
import type { EpochRecord, MetricsRecord } from "./records.ts";
import { reportPage } from "./report.ts";
import { RunLock } from "./run-lock.ts";
import type { Trained } from "./step.ts";
import { writeTraining } from "./training-checkpoint.ts";
import type { TrainingProgress, TrainingState } from "./training-state.ts";

const FILES = {
  checkpoint: "checkpoint.safetensors",
  weights: "model.safetensors",
  metrics: "metrics.jsonl",
  report: "report.html",
} as const;

/** Drafts that a killed process left behind: `model.safetensors.<uuid>.tmp`. */
const DRAFT =
  /^(checkpoint\.safetensors|model\.safetensors|metrics\.jsonl|report\.html|training\.lock)\.[\da-f-]{36}\.tmp$/;

/** The files of a training in one folder, which it holds alone while it runs. */
export class RunFolder {
  readonly path: string;
  /** All records of `metrics.jsonl`. */
  records: MetricsRecord[] = [];
  readonly #lock: RunLock;

  private constructor(path: string, lock: RunLock) {
    this.path = path;
    this.#lock = lock;
  }

  /**
   * Make or open the folder, lock it, and remove the drafts of a killed training.
   *
   * @throws Error if another training writes into it.
   */
  static async open(path: string): Promise<RunFolder> {
    const { files, path: paths } = nodeModules("a folder for the training");
    await files.mkdir(path, { recursive: true });
    const folder = new RunFolder(path, await RunLock.acquire(paths.join(path, "training.lock")));
    const drafts = (await files.readdir(path)).filter((name) => DRAFT.test(name));
    for (const name of drafts) await files.rm(paths.join(path, name), { force: true });
    return folder;
  }

  /** Unlock the folder. */
  close(): Promise<void> {
    return this.#lock.release();
  }

  get checkpoint(): string {
    return this.#file("checkpoint");
  }

  async hasCheckpoint(): Promise<boolean> {
    const { files } = nodeModules("a checkpoint");
    return files.access(this.checkpoint).then(
      () => true,
      () => false,
    );
  }

  get epochs(): EpochRecord[] {
    return this.records.filter((record) => record.kind === "epoch");
  }

  /** Read `metrics.jsonl`, and drop the records of steps and epochs that will be recorded again. */
  async keepRecords({ step, epoch }: TrainingProgress, isOver: boolean): Promise<void> {
    const { files } = nodeModules("metrics");
    const path = this.#file("metrics");
    const text = await files.readFile(path, "utf8").catch((error) => {
      if (error.code !== "ENOENT") throw error;
      return "";
    });
    // A kill may have cut the last line.
    const lines = text.slice(0, text.lastIndexOf("\n") + 1).split("\n");
    const records = lines.filter(Boolean).map((line) => parseRecord(line, path));
    // A partial epoch is recorded where the training ends; if it is made longer, it is recorded when it is whole.
    const isKept = (record: MetricsRecord) =>
      record.step <= step && (record.kind !== "epoch" || record.epoch <= epoch || isOver);
    this.records = records.filter(isKept);
    await this.#write("metrics", this.records.map((record) => `${JSON.stringify(record)}\n`).join(""));
  }

  /** Remove the metrics of an earlier training. */
  async clearRecords(): Promise<void> {
    this.records = [];
    await this.#write("metrics", "");
  }

  async record(record: MetricsRecord): Promise<void> {
    this.records.push(record);
    const { files } = nodeModules("metrics");
    await naming(this.#file("metrics"), (path) => files.appendFile(path, `${JSON.stringify(record)}\n`));
  }

  /** Write a checkpoint: a kill at any moment leaves the old file or the whole new one. */
  async saveCheckpoint(trained: Trained, state: TrainingState): Promise<void> {
    await naming(this.checkpoint, (path) => save(path, writeTraining(trained, state)));
  }

  /** Write the report, and then the weights, which note the step of the checkpoint. */
  async saveResults(
    { model }: Trained,
    { progress: { step }, settings }: TrainingState,
    { evaluation, preprocessing }: Results,
  ): Promise<void> {
    await this.#write("report", await reportPage({ model, records: this.records, evaluation }));
    const metadata = { training: JSON.stringify({ ...settings, step }) };
    await naming(this.#file("weights"), (path) => saveCheckpoint(model, path, { preprocessing, metadata }));
  }

  /** True if the weights, which are written last, are those of a checkpoint after so many steps. */
  async hasResultsOf(step: number): Promise<boolean> {
    try {
      const file = await openSafetensors(this.#file("weights"));
      await file.close();
      return JSON.parse(file.metadata.get("training") ?? "{}").step === step;
    } catch {
      return false;
    }
  }

  async #write(file: keyof typeof FILES, text: string): Promise<void> {
    async function* chunks() {
      yield new TextEncoder().encode(text);
    }
    await naming(this.#file(file), (path) => save(path, chunks()));
  }

  #file(file: keyof typeof FILES): string {
    return nodeModules("a folder for the training").path.join(this.path, FILES[file]);
  }
}

/** Beside the weights, all that the results of a training show. */
export interface Results extends Pick<SaveOptions, "preprocessing"> {
  /** The last one, with its confusion matrix. */
  readonly evaluation: Evaluation | undefined;
}

/** Do something with a file; an error of the system, as on a full disk, names the file. */
async function naming(path: string, work: (path: string) => Promise<void>): Promise<void> {
  try {
    await work(path);
  } catch (error) {
    const { syscall, message } = error as NodeJS.ErrnoException;
    if (!syscall) throw error;
    throw new Error(
      `train: ${path} cannot be written: ${message}. Its old content is whole: make room, and resume.`,
      { cause: error },
    );
  }
}

function parseRecord(line: string, path: string): MetricsRecord {
  try {
    return JSON.parse(line);
  } catch (cause) {
    throw new FormatError(`resume: ${path} has a line that is no JSON: ${line.slice(0, 80)}`, { cause });
  }
}
