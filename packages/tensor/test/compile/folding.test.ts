import { beforeAll, describe, expect, it } from "vitest";
import { add, batchNorm, compile, conv2d, init, mean, mul, type Tensor, tensor } from "../../src/index.ts";
import { relativeError } from "../compare.ts";

beforeAll(() => init({ quiet: true }));

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
async function kernelsOf(f: (x: Tensor) => Tensor): Promise<string[]> {
  using compiled = compile(f);
  const x = input();
  for (let call = 0; call < 2; call++) {
    const [expected, found] = [await f(x).data(), await (await compiled(x)).data()];
    expect(relativeError(found, expected)).toBeLessThan(1e-5);
  }
  return compiled.plan!.steps.map(({ kernel }) => kernel);
}

describe("a batch norm after a convolution", () => {
  it("is folded into it", async () => {
    const [weights, norm] = [w(), statistics()];
    expect(await kernelsOf((x) => norm(conv2d(x, weights)))).toEqual(["conv2d"]);
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
});
