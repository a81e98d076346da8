import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { NO_DRIVER_CACHE } from "../cold.mjs";
import { checkAgreement } from "./agree.mjs";
import { Engine } from "./engine.mjs";

/**
 * @typedef {{ start: number[], first: number[], warm: number[], adapter: string | undefined }} Times in milliseconds
 */

const TURN = 500;
/** Duration of a call from which no warm-up call is needed. */
const SLOW = 1000;

/**
 * Each engine's times: first all of them once, results compared, then in turns, A B C A B C.
 *
 * @param {import("./workloads.mjs").Workload} workload
 * @param {import("./engine.mjs").Contestant[]} contestants
 * @param {number} rounds
 * @param {(text: string) => void} say
 * @returns {Promise<{ times: Map<string, Times>, agreement: number }>}
 */
export async function inTurns(workload, contestants, rounds, say) {
  const engines = new Map();
  const times = new Map();
  const answers = new Map();
  try {
    for (const contestant of contestants) {
      const { name } = contestant;
      const engine = new Engine(contestant, workload, NO_DRIVER_CACHE);
      engines.set(name, engine);
      const { first, answer, ...rest } = await beginning(engine);
      times.set(name, { ...rest, first: [first], warm: [] });
      answers.set(name, answer);
      say(`${name} ${Math.round(first)}`);
    }
    const agreement = checkAgreement(answers);
    for (let round = 0; round < rounds; round++) {
      for (const [name, engine] of engines) {
        const { warm } = times.get(name);
        const slow = (warm.at(-1) ?? 0) > SLOW;
        warm.push(...(await engine.ask("turn", { milliseconds: TURN, slow })));
      }
    }
    return { times, agreement };
  } finally {
    for (const engine of engines.values()) await engine.end();
  }
}

/**
 * From nothing to the first answer, in a new process each time, with no folder that anything could be remembered in.
 *
 * @type {typeof inTurns}
 */
export async function cold(workload, contestants, rounds, say) {
  const times = new Map(contestants.map(({ name }) => [name, { start: [], first: [], warm: [] }]));
  const answers = new Map();
  for (let round = 0; round < rounds; round++) {
    for (const contestant of contestants) {
      const { name } = contestant;
      const folder = mkdtempSync(join(tmpdir(), "shadegrad-cold-"));
      const env = { ...NO_DRIVER_CACHE, XDG_CACHE_HOME: folder, SHADEGRAD_CACHE: folder };
      const engine = new Engine(contestant, workload, env);
      try {
        const { start, first, answer, adapter } = await beginning(engine);
        const list = times.get(name);
        list.adapter = adapter;
        list.start.push(...start);
        list.first.push(first);
        answers.set(name, answer);
        say(`${name} ${Math.round(start[0] + first)}`);
      } finally {
        await engine.end();
        rmSync(folder, { recursive: true });
      }
    }
    checkAgreement(answers);
  }
  return { times, agreement: checkAgreement(answers) };
}

/** After so many steps losses agree only if the momentum and all gradients do. */
const STEPS = 3;
const STATE = ["base.conv.weight", "fc.weight", "base.bn.running_mean", "base.blocks.8.bn2.running_var"];

/** @param {Engine} engine */
async function beginning(engine) {
  await engine.ready();
  const { milliseconds: start, adapter } = await engine.ask("start");
  const { milliseconds: first, values } = await engine.ask("call");
  const training = engine.workload.kind === "train";
  const steps = engine.workload.kind === "infer" || training ? [values] : []; // the result of a kernel is compared as it is
  if (training) while (steps.length < STEPS) steps.push((await engine.ask("call")).values);
  const answer = [...steps, ...(await engine.ask("result", { names: STATE }))];
  return { start: [start], first, answer, adapter };
}
