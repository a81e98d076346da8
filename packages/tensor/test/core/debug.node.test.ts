import { afterEach, expect, test, vi } from "vitest";

afterEach(() => {
  vi.unstubAllEnvs();
  vi.restoreAllMocks();
});

/** Limits of a wait for output that comes after a promise of the device: others have the machine too. */
const PATIENCE = { timeout: 20_000 };

/** Kinds of output of an addition at a debug level, once there are all of so many first ones, and of any others by then. */
async function printed(level: number): Promise<string[]> {
  vi.stubEnv("DEBUG", String(level));
  vi.resetModules();
  const log = vi.spyOn(console, "log").mockImplementation(() => {});
  const { add, init, tensor } = await import("../../src/index.ts");
  await init({ quiet: true });
  const y = add(tensor([1, 2, 3, 4]), tensor([1, 1, 1, 1]));
  expect([...(await y.data())]).toEqual([2, 3, 4, 5]);
  y.dispose();
  const found = () => {
    const lines = log.mock.calls.map(([line]) => String(line));
    return Object.entries(kinds).flatMap(([kind, form]) =>
      lines.some((line) => form.test(line)) ? [kind] : [],
    );
  };
  // Times are read back after the batch that they are of, and lines of memory come before them.
  await vi.waitFor(() => expect(found()).toEqual(expect.arrayContaining(EXPECTED.slice(0, level))), PATIENCE);
  return found();
}

const kinds = {
  adapter: /^shadegrad: .*\bsubgroups\b/,
  launch: /^map vec4.* {2}[\d.]+ µs {2}[\d.]+ GFLOP\/s {2}[\d.]+ GB\/s$/,
  memory: /^memory [+−] [\d.e-]+ MiB: holds [\d.e-]+ MiB, [\d.e-]+ MiB of it free; \d+ buffers made$/,
  shader: /^\/\/ map vec4.*\n(.|\n)*@compute/,
};

const EXPECTED = Object.keys(kinds);

test.each([0, 1, 2, 3, 4])("DEBUG=%i says so much, and no more", async (level) => {
  expect(await printed(level)).toEqual(EXPECTED.slice(0, level));
});

test("DEBUG=1 names a label that is no class, but not one that is left out", async () => {
  vi.stubEnv("DEBUG", "1");
  vi.resetModules();
  vi.spyOn(console, "log").mockImplementation(() => {});
  const warn = vi.spyOn(console, "warn").mockImplementation(() => {});
  const { crossEntropy, init, nllLoss, tensor, zeros } = await import("../../src/index.ts");
  await init({ quiet: true });
  const labels = tensor(Int32Array.of(2, -100, 7));
  const said = (op: string) =>
    warn.mock.calls.map(([line]) => String(line)).filter((line) => line.startsWith(`shadegrad: ${op}: `));
  for (const [name, loss] of Object.entries({ crossEntropy, nllLoss })) {
    expect(await loss(zeros([3, 5]), labels, { ignoreIndex: -100 }).item()).toBeNaN();
    await vi.waitFor(() => expect(said(name)).toHaveLength(1), PATIENCE);
    expect(said(name)[0]).toBe(
      `shadegrad: ${name}: label 2 is 7, no class from 0 to 4: its loss is NaN. ignoreIndex leaves rows out.`,
    );
  }
});

test("DEBUG=0 looks at no label: a step waits for nothing that the loss does not need", async () => {
  vi.stubEnv("DEBUG", "0");
  vi.resetModules();
  const warn = vi.spyOn(console, "warn").mockImplementation(() => {});
  const { crossEntropy, init, Tensor, tensor, zeros } = await import("../../src/index.ts");
  await init({ quiet: true });
  const read = vi.spyOn(Tensor.prototype, "data");
  const loss = crossEntropy(zeros([3, 5]), tensor(Int32Array.of(2, 1, 7)));
  expect(read).not.toHaveBeenCalled();
  expect(await loss.item()).toBeNaN();
  expect(warn).not.toHaveBeenCalled();
});
