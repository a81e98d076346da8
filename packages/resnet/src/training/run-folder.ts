import { FormatError } from "@shadegrad/tensor";
import { save } from "@shadegrad/tensor/formats";
import { nodeModules } from "../data/node.ts";
import type { MetricsRecord } from "./records.ts";

/** The files of a training: checkpoint, weights, metrics and report, in one folder. */
export class RunFolder {
  /** All that `metrics.jsonl` holds. */
  records: MetricsRecord[] = [];
  readonly path: string;

  private constructor(path: string) {
    this.path = path;
  }

  /** Make the folder, or open one that is there. */
  static async open(path: string): Promise<RunFolder> {
    await nodeModules("a folder for the training").files.mkdir(path, { recursive: true });
    return new RunFolder(path);
  }

  get checkpoint(): string {
    return this.#file("checkpoint.safetensors");
  }

  get weights(): string {
    return this.#file("model.safetensors");
  }

  get metrics(): string {
    return this.#file("metrics.jsonl");
  }

  get report(): string {
    return this.#file("report.html");
  }

  async hasCheckpoint(): Promise<boolean> {
    const { files } = nodeModules("a checkpoint");
    return files.access(this.checkpoint).then(
      () => true,
      () => false,
    );
  }

  /** Keep what was recorded up to a step: what came after it will be recorded anew. */
  async keepUntil(step: number): Promise<void> {
    const { files } = nodeModules("metrics");
    const text = await files.readFile(this.metrics, "utf8").catch((error) => {
      if (error.code !== "ENOENT") throw error;
      return "";
    });
    // A kill may have left half a line, and nothing after it.
    const lines = text
      .slice(0, text.lastIndexOf("\n") + 1)
      .split("\n")
      .filter(Boolean);
    this.records = lines.map((line) => this.#parse(line)).filter((record) => record.step <= step);
    await this.write(this.metrics, this.records.map((record) => `${JSON.stringify(record)}\n`).join(""));
  }

  async record(record: MetricsRecord): Promise<void> {
    this.records.push(record);
    await nodeModules("metrics").files.appendFile(this.metrics, `${JSON.stringify(record)}\n`);
  }

  /** Write a file whole: whoever opens it finds the old text or the new one. */
  async write(path: string, text: string): Promise<void> {
    async function* chunks() {
      yield new TextEncoder().encode(text);
    }
    await save(path, chunks());
  }

  #parse(line: string): MetricsRecord {
    try {
      return JSON.parse(line);
    } catch (cause) {
      throw new FormatError(`resume: ${this.metrics} has a line that is no JSON: ${line.slice(0, 80)}`, {
        cause,
      });
    }
  }

  #file(name: string): string {
    return nodeModules("a folder for the training").path.join(this.path, name);
  }
}
