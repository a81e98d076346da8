import { fork } from "node:child_process";
import { join } from "node:path";

/**
 * An engine that takes its turns: a file of `engines/`, its name unless it is given, in this folder or in that of another
 * checkout.
 *
 * @typedef {{ name: string, file?: string, folder?: string }} Contestant
 */

/** A worker and its answers. */
export class Engine {
  #child;
  #noise = "";
  #settle;

  /**
   * @param {Contestant} contestant
   * @param {import("./workloads.mjs").Workload} workload
   * @param {NodeJS.ProcessEnv} env
   */
  constructor({ name, file = name, folder = import.meta.dirname }, workload, env) {
    this.name = name;
    this.workload = workload;
    this.#child = fork(join(folder, "worker.mjs"), [file, workload.name], {
      stdio: ["ignore", "pipe", "pipe", "ipc"],
      serialization: "advanced",
      env: { ...process.env, ...env },
    });
    // Drivers and engines chatter; it matters when something fails.
    for (const stream of [this.#child.stdout, this.#child.stderr]) {
      stream.on("data", (text) => {
        this.#noise += text;
      });
    }
    this.#child.on("message", (message) => this.#settle(message));
    this.#child.on("exit", (code, signal) => this.#settle({ error: `ended with ${signal ?? code}` }));
  }

  ready() {
    return this.#answer();
  }

  /**
   * @param {"start" | "call" | "result" | "turn"} command
   * @param {object} [options]
   */
  ask(command, options) {
    const answer = this.#answer();
    this.#child.send({ command, ...options });
    return answer;
  }

  async end() {
    const ended = new Promise((resolve) => this.#child.once("exit", resolve));
    this.#settle = () => {};
    if (this.#child.connected) this.#child.send({ command: "end" });
    await ended;
  }

  async #answer() {
    const { error, value } = await new Promise((resolve) => {
      this.#settle = resolve;
    });
    if (error) throw new Error(`${this.name}, ${this.workload.name}: ${error}\n${this.#noise}`);
    return value;
  }
}
