import { FormatError, generatorOf, init, manualSeed } from "@shadegrad/tensor";
import { readSafetensors, toBytes, writeSafetensors } from "@shadegrad/tensor/formats";
import { dispose, Linear } from "@shadegrad/tensor/nn";
import { Adam, SGD } from "@shadegrad/tensor/optim";
import { beforeAll, describe, expect, it } from "vitest";
import { Digest } from "../../src/checkpoints/digest.ts";
import { readTraining, TRAINING_KEY, type TrainingState, writeTraining } from "../../src/index.ts";
import { numbers } from "./small.ts";

const STATE: TrainingState = {
  progress: { step: 5, epoch: 1, position: 2, loss: 1.5, correct: 3, images: 8, seconds: 2, ended: 3 },
  resumeSettings: { seed: 3, augment: "none" },
  generator: { seed: 3, offset: 7 },
  settings: { model: "linear" },
  rates: [0.1, 0.1, 0.05, 0.05, 0.05],
};

function trained(seed: number) {
  manualSeed(seed);
  const model = new Linear(3, 2);
  return { model, optimizer: new Adam(model, { lr: 0.01 }) };
}

const fileOf = (state: object = STATE) => toBytes(writeTraining(trained(1), state as TrainingState));

async function read(bytes: Uint8Array) {
  const { model, optimizer } = trained(2);
  const before = await numbers(model);
  const generator = generatorOf(model.weight.device);
  const { resumeSettings } = STATE;
  try {
    const target = { model, optimizer, generator, resumeSettings };
    const progress = await readTraining(bytes, target);
    return { progress, weights: await numbers(model) };
  } catch (error) {
    expect(await numbers(model)).toEqual(before);
    throw error;
  } finally {
    optimizer.dispose();
    dispose(model);
  }
}

beforeAll(async () => {
  await init();
});

describe("a training checkpoint", () => {
  it("that is whole is read", async () => {
    const { model } = trained(1);
    const { progress, weights } = await read(await fileOf());
    expect(progress).toEqual(STATE.progress);
    expect(weights).toEqual(await numbers(model));
  });

  it("with one bit flipped, wherever that is, is refused, and changes nothing", async () => {
    const whole = await fileOf();
    const bits = 8 * whole.length;
    const flips = 300;
    for (let i = 0; i < flips; i++) {
      const bit = Math.floor(((i + 0.5) * bits) / flips);
      const damaged = whole.slice();
      damaged[bit >> 3]! ^= 1 << (bit & 7);
      await expect(read(damaged), `bit ${bit} of ${bits}`).rejects.toThrow(FormatError);
    }
  });

  it("that holds a NaN or an infinity is neither written nor read", async () => {
    const { model, optimizer } = trained(1);
    const late = { dtype: "f64" as const, shape: [2], data: Float64Array.of(1, Number.POSITIVE_INFINITY) };
    const broken = Object.assign(Object.create(optimizer), {
      stateDict: () => new Map<string, unknown>([...optimizer.stateDict(), ["late", late]]),
    });
    const written = toBytes(writeTraining({ model, optimizer: broken }, STATE));
    await expect(written).rejects.toThrow("late became Infinity");

    const tensors = await readSafetensors(await fileOf());
    const state = JSON.stringify({ ...STATE, rates: undefined, epsilons: {} });
    const metadata: [string, string][] = [[TRAINING_KEY, state]];
    (tensors.get("model.weight")!.data as Float32Array)[3] = Number.NaN;
    tensors.delete("sha256");
    const digest = new Digest();
    for (const [name, { dtype, shape, data }] of tensors)
      await digest.add(name, {
        dtype,
        shape,
        bytes: new Uint8Array(data.buffer, data.byteOffset, data.byteLength),
      });
    const hex = await digest.finish(metadata);
    const bytes = Uint8Array.from(hex.match(/../g)!, (pair) => Number.parseInt(pair, 16));
    const all = [...tensors, ["sha256", { dtype: "u8", shape: [32], data: bytes }] as const] as const;
    await expect(read(await toBytes(writeSafetensors(all, metadata)))).rejects.toThrow(
      "the file is damaged, and cannot be resumed: model.weight holds NaN.",
    );
  });

  it("without a checksum is refused", async () => {
    const bytes = await fileOf();
    const tensors = await readSafetensors(bytes);
    tensors.delete("sha256");
    const { progress, resumeSettings, generator } = STATE;
    const metadata = { [TRAINING_KEY]: JSON.stringify({ progress, resumeSettings, generator }) };
    const stripped = await toBytes(writeSafetensors(tensors, metadata));
    await expect(read(stripped)).rejects.toThrow(
      "the file is damaged, and cannot be resumed: it has no checksum.",
    );
  });

  const { progress } = STATE;
  it.each([
    ["progress.step is -1", { progress: { ...progress, step: -1 } }],
    ["progress.epoch is 1e400", { progress: { ...progress, epoch: "1e400" } }],
    ["progress.loss is undefined", { progress: { ...progress, loss: undefined } }],
    ["progress.images is 0.5", { progress: { ...progress, images: 0.5 } }],
    ["after 5 steps it is in step 9 of epoch 2", { progress: { ...progress, position: 9 } }],
    ["the generator's seed is undefined, its offset undefined", { generator: undefined }],
    ["the generator's seed is 3, its offset 0.5", { generator: { seed: 3, offset: 0.5 } }],
    ["resumeSettings is no object", { resumeSettings: [] }],
    ["resumeSettings has seed of type object", { resumeSettings: { seed: {} } }],
    ["settings has model of type object", { settings: { model: null } }],
  ])("in which %s is refused, though its checksum is right", async (what, changed) => {
    const bytes = await fileOf({ ...STATE, ...changed });
    await expect(read(bytes)).rejects.toThrow(
      `resume: the file has a state of a training that is not understood: ${what}.`,
    );
  });

  it("of another optimizer is refused, and leaves the model as it was", async () => {
    const { model } = trained(2);
    const target = { model, optimizer: new SGD(model, { lr: 0.1 }), resumeSettings: STATE.resumeSettings };
    const before = await numbers(model);
    const generator = generatorOf(model.weight.device);
    await expect(readTraining(await fileOf(), { ...target, generator })).rejects.toThrow(FormatError);
    expect(await numbers(model)).toEqual(before);
  });

  it("with the rates of other steps is refused", async () => {
    await expect(read(await fileOf({ ...STATE, rates: [0.1] }))).rejects.toThrow(
      "resume: the file has 5 steps done, but the rates of 1.",
    );
  });
});
