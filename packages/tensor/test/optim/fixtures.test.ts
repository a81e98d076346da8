import { beforeAll, describe, expect, it } from "vitest";
import { assign } from "../../src/core/assign.ts";
import { init, type Tensor, tensor } from "../../src/index.ts";
import {
  Adam,
  type AdamOptions,
  AdamW,
  cosine,
  multiStep,
  type Optimizer,
  oneCycle,
  SGD,
  type SGDOptions,
} from "../../src/optim/index.ts";
import { relativeError } from "../compare.ts";
import { fixturesOf, loadFixture } from "../fixture.ts";

beforeAll(async () => {
  await init();
});

/** PyTorch's names for options, in camelCase. */
const optionsOf = (attrs: Record<string, unknown>): never =>
  Object.fromEntries(
    Object.entries(attrs).map(([name, value]) => [
      name.replace(/_(.)/g, (_, c: string) => c.toUpperCase()),
      value,
    ]),
  ) as never;

const make: Record<string, (params: Tensor[], attrs: Record<string, unknown>) => Optimizer<never>> = {
  sgd: (params, attrs) => new SGD(params, optionsOf(attrs) satisfies SGDOptions) as never,
  adam: (params, attrs) => new Adam(params, optionsOf(attrs) satisfies AdamOptions) as never,
  adamw: (params, attrs) => new AdamW(params, optionsOf(attrs) satisfies AdamOptions) as never,
};

describe.each(fixturesOf("optimizers"))("$file", ({ file, op, tol }) => {
  it("moves weights as PyTorch does", async () => {
    const { attrs, tensors } = await loadFixture(file);
    const names = ["w", "b"] as const;
    /** The values of a name at a time. */
    const at = (name: string, t: number) => {
      const { shape, data } = tensors.get(name)!;
      const size = shape.slice(1).reduce((product, side) => product * side, 1);
      return { shape: shape.slice(1), data: data.slice(t * size, (t + 1) * size) as Float32Array };
    };
    const params = names.map((name) => {
      const { shape, data } = at(name, 0);
      return tensor(data, shape, { requiresGrad: true });
    });
    const optimizer = make[op]!(params, attrs);
    const steps = tensors.get("dw")!.shape[0]!;
    expect(steps).toBeGreaterThan(1);
    for (let t = 0; t < steps; t++) {
      for (const [i, name] of names.entries()) {
        const { shape, data } = at(`d${name}`, t);
        params[i]!.grad ??= tensor(data, shape);
        assign(params[i]!.grad!, data);
      }
      optimizer.step();
      for (const [i, name] of names.entries()) {
        const expected = at(name, t + 1).data;
        const found = await params[i]!.data();
        expect(relativeError(found, expected), `${name} after step ${t + 1}`).toBeLessThanOrEqual(tol);
        // The step itself as well: what it changed, not only what it left.
        const before = at(name, 0).data;
        const moved = found.map((value, k) => value - before[k]!);
        expect(
          relativeError(
            moved,
            expected.map((value, k) => value - before[k]!),
          ),
        ).toBeLessThanOrEqual(1e-4);
      }
    }
  });
});

/** PyTorch's arguments of all schedules. */
interface Attrs {
  base_lr: number;
  T_max: number;
  eta_min: number;
  milestones: number[];
  gamma: number;
  total_steps: number;
  pct_start: number;
  div_factor: number;
  final_div_factor: number;
  anneal_strategy: "cos" | "linear";
}

const schedules: Record<string, (attrs: Attrs) => (step: number) => number> = {
  lr_cosine: ({ base_lr, T_max, eta_min }) => cosine({ lr: base_lr, steps: T_max, min: eta_min }),
  lr_multistep: ({ base_lr, milestones, gamma }) => multiStep({ lr: base_lr, milestones, gamma }),
  lr_one_cycle: ({ base_lr, total_steps, pct_start, div_factor, final_div_factor, anneal_strategy }) =>
    oneCycle({
      lr: base_lr,
      steps: total_steps,
      pctStart: pct_start,
      divFactor: div_factor,
      finalDivFactor: final_div_factor,
      anneal: anneal_strategy === "cos" ? "cosine" : anneal_strategy,
    }),
};

it.each(fixturesOf("schedules"))("$file has PyTorch's rates", async ({ file, op, tol }) => {
  const { attrs, tensors } = await loadFixture(file);
  const schedule = schedules[op]!(attrs as unknown as Attrs);
  const { data } = tensors.get("lr")!;
  expect(data.length).toBe(50);
  expect(
    relativeError(
      Array.from(data, (_, step) => schedule(step)),
      data,
    ),
  ).toBeLessThanOrEqual(tol);
});
