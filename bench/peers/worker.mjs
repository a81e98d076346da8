// One engine with one workload, in a process of its own: node worker.mjs ENGINE WORKLOAD, driven by messages.
import { WORKLOADS } from "./workloads.mjs";

const [engineName, workloadName] = process.argv.slice(2);
const workload = WORKLOADS.find(({ name }) => name === workloadName);
const engine = await import(`./engines/${engineName}.mjs`);

const given = await engine.prepare(workload); // the inputs, in the engine's own layout, are not timed
let running;

const commands = {
  /** From nothing to a net, or to inputs, that the engine holds. */
  async start() {
    const [milliseconds, made] = await timed(() => engine.start(given));
    running = made;
    return { milliseconds, adapter: running.adapter };
  },
  async call() {
    const [milliseconds, values] = await timed(running.call);
    return { milliseconds, values };
  },
  result: ({ names }) => running.result(names),
  /** Calls for about so long. The first of a turn wakes up what slept while others had theirs, and does not count. */
  async turn({ milliseconds, slow }) {
    if (!slow) await running.call();
    const times = [];
    for (let spent = 0; spent < milliseconds; spent += times.at(-1))
      times.push((await timed(running.call))[0]);
    return times;
  },
  end: () => process.exit(),
};

process.on("message", async ({ command, ...options }) => {
  try {
    process.send({ value: await commands[command](options) });
  } catch (error) {
    process.send({ error: error.stack });
  }
});
process.send({ value: "ready" });

/** @param {() => Promise<unknown>} f */
async function timed(f) {
  const begin = performance.now();
  const value = await f();
  return [performance.now() - begin, value];
}
