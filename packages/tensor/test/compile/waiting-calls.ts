import { dense, map } from "@shadegrad/kernels-wgsl/map";
import { expect, vi } from "vitest";
import { makeAdjacent } from "../../src/core/adjacent.ts";
import { choice } from "../../src/core/recorder.ts";
import { run } from "../../src/core/run.ts";
import { assign, backward, type Device, mul, scope, sum, type Tensor, tensor } from "../../src/index.ts";
import { Adam } from "../../src/optim/index.ts";

export const values = async (y: Tensor | Promise<Tensor>) => [...(await (await y).data())];
/** The error of a call that fails. */
export const errorOf = (call: Promise<unknown>): Promise<Error> =>
  call.then(
    () => expect.unreachable("the call did not fail"),
    (error) => error,
  );

/** y of x by a shader that does not compile. */
export const broken = (x: Tensor): Tensor =>
  run(map, dense(x.size), [x, x, x], { y: x.shape }, { holes: { f: "nonsense" } }).y;

/** Bytes that are in use, once all that was launched is done. */
export async function bytesInUse(device: Device): Promise<number> {
  await device.synchronize();
  device.trim();
  return device.counts.bytes;
}

/** Let the next plan be ready only when `open` is called. */
export function holdNext({ launcher }: Device): { open(): void } {
  let open = () => {};
  const opened = new Promise<void>((resolve) => {
    open = resolve;
  });
  const prepare = launcher.prepare.bind(launcher);
  const late: typeof prepare = async (...all) => {
    const program = await prepare(...all);
    await opened;
    return program;
  };
  // A plan has two programs.
  vi.spyOn(launcher, "prepare").mockImplementationOnce(late).mockImplementationOnce(late);
  return { open };
}

/** Turns of the event loop in which what is not held gets ready. */
export const patience = () => new Promise((resolve) => setTimeout(resolve, 300));

export const CHANGED = expect.objectContaining({
  message: expect.stringMatching(
    /^compile: tensors that the function uses .* were changed before it was ready/,
  ),
});
export const BROKEN = expect.objectContaining({
  name: "KernelError",
  message: expect.stringMatching(/^map .* does not compile/),
});

/** A training step of two parameters, on whose count of steps each update depends. */
export function training() {
  const [w, v] = [tensor([1, -2], { requiresGrad: true }), tensor([3], { requiresGrad: true })] as const;
  const optimizer = new Adam([w, v], { lr: 0.1 });
  const host = { mode: 0, isBroken: false };
  const step = (x: Tensor): Tensor => {
    choice(() => host.mode);
    const loss = sum(mul(mul(w, w), mul(v, x)));
    backward(loss);
    optimizer.step();
    optimizer.zeroGrad();
    return host.isBroken ? broken(loss) : loss;
  };
  return {
    ...{ host, optimizer, step },
    /** Move the parameters to other memory, in the order that they do not have there. */
    move() {
      makeAdjacent(w.storage.offset < v.storage.offset ? [v, w] : [w, v]);
    },
    choose() {
      host.mode++;
    },
    change() {
      assign(v, mul(v, 1));
    },
    steps: () => optimizer.groups[0]!.slots.map(({ steps }) => steps),
    state: async () => [...(await values(w)), ...(await values(v))],
  };
}

export const input = (call: number) => tensor([1, 1 + call]);

/** Losses and parameters of so many steps, op by op. */
export async function eagerly(calls: number): Promise<{ losses: number[]; state: number[] }> {
  const { step, state } = training();
  const losses: number[] = [];
  for (let i = 0; i < calls; i++) losses.push(...(await values(scope(() => step(input(i))))));
  return { losses, state: await state() };
}

export function expectClose(found: readonly number[], expected: readonly number[]): void {
  expect(found).toHaveLength(expected.length);
  for (const [i, value] of expected.entries()) expect(found[i]).toBeCloseTo(value, 5);
}
