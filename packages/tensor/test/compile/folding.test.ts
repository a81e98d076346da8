import { beforeAll, describe, expect, it } from "vitest";
import {
  add,
  assign,
  batchNorm,
  cast,
  compile,
  conv2d,
  type Device,
  init,
  mean,
  mul,
  type Tensor,
  tensor,
} from "../../src/index.ts";
import { relativeError } from "../compare.ts";

let device: Device;
beforeAll(async () => {
  device = await init({ quiet: true });
});

const wave = (length: number, seed = 1) => Float32Array.from({ length }, (_, i) => Math.sin(seed + 1.7 * i));
const input = () => tensor(wave(36, 6), [1, 3, 3, 4]);
const w = () => tensor(wave(4 * 8), [1, 1, 4, 8]);

/** Batch norm in evaluation over 8 channels. */
function statistics(): (x: Tensor) => Tensor {
  const positive = wave(8, 5).map((v) => 1 + v * v);
  const [gamma, beta, runningMean, runningVar] = [wave(8, 2), wave(8, 3), wave(8, 4), positive].map((x) =>
    tensor(x),
  ) as [Tensor, Tensor, Tensor, Tensor];
  return (x) => batchNorm(x, gamma, beta, { runningMean, runningVar, training: false });
}

/** The kernels of a function compiled, which gives the same as op by op. */
async function kernelsOf(f: (x: Tensor) => Tensor, tolerance = 1e-5): Promise<string[]> {
  using compiled = compile(f);
  const x = input();
  for (let call = 0; call < 2; call++) {
    const [expected, found] = [await f(x).data(), await (await compiled(x)).data()];
    expect(relativeError(found, expected)).toBeLessThan(tolerance);
  }
  return compiled.plan!.steps.map(({ kernel }) => kernel);
}

describe("a batch norm after a convolution", () => {
  it("is folded into it", async () => {
    const [weights, norm] = [w(), statistics()];
    expect(await kernelsOf((x) => norm(conv2d(x, weights)))).toEqual(["conv2d"]);
  });

  it("is folded into it without a second one", async () => {
    const [weights, first, second] = [w(), statistics(), statistics()];
    expect(await kernelsOf((x) => second(first(conv2d(x, weights))))).toEqual(["conv2d", "normalize"]);
  });

  it("is folded into one of halves, with its bias", async ({ skip }) => {
    skip(!device.adapter.features.has("shader-f16"), "the adapter has no shader-f16");
    const norm = statistics();
    const [weights, bias] = [cast(w(), "f16"), cast(tensor(wave(8, 7)), "f16")];
    const f = (x: Tensor) => cast(norm(conv2d(cast(x, "f16"), weights, { bias })), "f32");
    expect(await kernelsOf(f, 3e-3)).not.toContain("normalize");
  });

  it("stays if another op reads the product too", async () => {
    const [weights, norm] = [w(), statistics()];
    const f = (x: Tensor) => {
      const y = conv2d(x, weights);
      return add(norm(y), y);
    };
    expect(await kernelsOf(f)).toContain("normalize");
  });

  it("stays if the product's bias is computed at each call", async () => {
    const [weights, norm] = [w(), statistics()];
    const one = tensor(wave(8));
    const f = (x: Tensor) => norm(conv2d(x, weights, { bias: mul(one, mean(x)) }));
    expect(await kernelsOf(f)).toContain("normalize");
  });

  it("stays if each call changes the weights, which would be scaled at each call", async () => {
    const [weights, norm] = [w(), statistics()];
    const f = (x: Tensor) => {
      const y = norm(conv2d(x, weights));
      assign(weights, mul(weights, 0.5));
      return y;
    };
    using compiled = compile(f);
    await compiled(input());
    expect(compiled.plan!.steps.map(({ kernel }) => kernel)).toContain("normalize");
  });

  it("stays if its statistics are replaced after the product", async () => {
    const [weights, ones, zeros] = [w(), tensor(wave(8).fill(1)), tensor(wave(8).fill(0))];
    const made = () => {
      const runningMean = tensor(wave(8, 4));
      return (x: Tensor) => {
        const y = conv2d(x, weights);
        assign(runningMean, mul(runningMean, 0.5));
        return batchNorm(y, ones, zeros, { runningMean, runningVar: ones, training: false });
      };
    };
    const [eager, f] = [made(), made()];
    using compiled = compile(f);
    const x = input();
    for (let call = 0; call < 3; call++) {
      const [expected, found] = [await eager(x).data(), await (await compiled(x)).data()];
      expect(relativeError(found, expected), `call ${call}`).toBeLessThan(1e-5);
    }
  });
});
