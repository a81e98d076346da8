import { fork } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { parse, stringify } from "flatted";
import { DENO, DENO_RUN } from "../setup/deno.mjs";

/** @typedef {import("vitest/node").PoolOptions} PoolOptions */
/** @typedef {import("vitest/node").PoolWorker} PoolWorker */

const WORKER = fileURLToPath(new URL("deno-worker.mjs", import.meta.url));

/**
 * One process of Deno, in which vitest runs a file of tests. Messages are text, because the binary form that each
 * process writes is that of its own V8.
 *
 * @implements {PoolWorker}
 */
class DenoWorker {
  name = "deno";
  cacheFs = true;
  #options;
  /** @type {import("node:child_process").ChildProcess | undefined} */
  #process;

  /** @param {PoolOptions} options */
  constructor(options) {
    this.#options = options;
  }

  async start() {
    if (this.#process) return;
    const { env, project } = this.#options;
    const child = fork(WORKER, [], {
      execPath: DENO,
      execArgv: DENO_RUN,
      env: /** @type {NodeJS.ProcessEnv} */ (env),
      stdio: ["ignore", "pipe", "pipe", "ipc"],
    });
    child.stdout?.pipe(project.vitest.logger.outputStream, { end: false });
    child.stderr?.pipe(project.vitest.logger.errorStream, { end: false });
    this.#process = child;
  }

  async stop() {
    const child = this.#process;
    this.#process = undefined;
    if (!child || child.exitCode !== null || child.signalCode !== null) return;
    const exit = once(child, "exit");
    child.kill("SIGKILL"); // its tests are done, and a device under way would delay any other end
    await exit;
  }

  /** @param {unknown} message */
  send(message) {
    this.#process?.send(stringify(message));
  }

  /** @param {unknown} message */
  deserialize(message) {
    return typeof message === "string" ? parse(message) : message;
  }

  /**
   * @param {string} event
   * @param {(argument: any) => void} callback
   */
  on(event, callback) {
    this.#process?.on(event, callback);
  }

  /**
   * @param {string} event
   * @param {(argument: any) => void} callback
   */
  off(event, callback) {
    this.#process?.off(event, callback);
  }
}

/** A pool of vitest whose tests run in Deno. */
export const denoPool = {
  name: "deno",
  /** @param {PoolOptions} options */
  createPoolWorker: (options) => new DenoWorker(options),
};
