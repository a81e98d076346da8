import { beforeAll, expect, test } from "vitest";
import { compile, type Device, init, manualSeed, scope, type Tensor } from "../../src/index.ts";
import { type Graph, randomGraph } from "./random-graph.ts";

// More of them, or others: GRAPHS=1000 FIRST_GRAPH=120
const COUNT = Number(globalThis.process?.env?.GRAPHS ?? (typeof process === "undefined" ? 40 : 120));
const FIRST = Number(globalThis.process?.env?.FIRST_GRAPH ?? 0);
const CALLS = 3;

let device: Device;
beforeAll(async () => {
  device = await init({ quiet: true });
});

/** The numbers of all tensors, by name. */
async function numbers(tensors: Iterable<[string, Tensor]>): Promise<[string, ArrayLike<number>][]> {
  const all: [string, ArrayLike<number>][] = [];
  for (const [name, x] of tensors) all.push([name, await x.data()]);
  return all;
}

/** Results and state after some calls. */
async function afterCalls(
  graph: Graph,
  call: (...args: Tensor[]) => Tensor[] | Promise<Tensor[]>,
): Promise<[string, ArrayLike<number>][]> {
  const all: [string, ArrayLike<number>][] = [];
  for (let i = 0; i < CALLS; i++) {
    manualSeed(i);
    const args = graph.args(i);
    const results = await call(...args);
    all.push(...(await numbers(results.map((y, k) => [`result ${k} of call ${i}`, y]))));
    for (const x of [...args, ...results]) x.dispose();
  }
  return [...all, ...(await numbers(graph.state))];
}

/** The largest difference, in units of the largest number. */
function difference(a: ArrayLike<number>, b: ArrayLike<number>): number {
  let [most, off] = [1, 0];
  for (let i = 0; i < a.length; i++) {
    if (Number.isNaN(a[i]) && Number.isNaN(b[i])) continue;
    most = Math.max(most, Math.abs(b[i]!));
    off = Math.max(off, Number.isFinite(b[i]! - a[i]!) ? Math.abs(a[i]! - b[i]!) : Infinity);
  }
  return off / most;
}

test(`${COUNT} random graphs are compiled as op by op`, async () => {
  const wrong: string[] = [];
  for (let seed = FIRST; seed < FIRST + COUNT; seed++) {
    const [eager, other] = [randomGraph(seed, device), randomGraph(seed, device)];
    const expected = await afterCalls(eager, (...args) => scope(() => eager.f(...args)));
    try {
      using compiled = compile((...args: Tensor[]) => other.f(...args));
      const found = await afterCalls(other, compiled);
      expect(found.map(([name]) => name)).toEqual(expected.map(([name]) => name));
      const off = found.findIndex(([, values], i) => !(difference(values, expected[i]![1]) < 1e-3));
      if (off >= 0)
        wrong.push(
          `graph ${seed}, ${found[off]![0]}: ${[...Array.from(found[off]![1])].slice(0, 5)} in place of ${Array.from(expected[off]![1]).slice(0, 5)}: ${eager.ops.join(" → ")}`,
        );
    } catch (error) {
      wrong.push(`graph ${seed}: ${(error as Error).message}: ${eager.ops.join(" → ")}`);
    }
    for (const graph of [eager, other]) for (const x of graph.state.values()) x.dispose();
  }
  expect(wrong).toEqual([]);
});
