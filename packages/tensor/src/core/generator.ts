import type { Device } from "../gpu/device.ts";

/**
 * A stream of random numbers: which ones come next depends on the seed and on how many came before.
 *
 * Its state is two whole numbers, which a checkpoint may keep and give back.
 */
export class Generator {
  seed: number;
  /** Blocks of four numbers used so far. */
  offset: number;

  /** @throws RangeError unless both are whole numbers from 0 to 2⁵³ − 1. */
  constructor(seed: number, offset = 0) {
    this.seed = checkSeed("Generator", seed);
    this.offset = checkSeed("Generator", offset);
  }

  /** Take so many blocks. */
  advance(blocks: number): { seed: number; offset: number } {
    const { seed, offset } = this;
    this.offset += blocks;
    return { seed, offset };
  }
}

let commonSeed: number | undefined;
let defaults = new WeakMap<Device, Generator>();

/**
 * Start the random numbers of every device again, from this seed. Without it each run has others.
 *
 * @throws RangeError unless it is a whole number from 0 to 2⁵³ − 1.
 */
export function manualSeed(seed: number): void {
  commonSeed = checkSeed("manualSeed", seed);
  defaults = new WeakMap();
}

/** The generator that a device's ops draw from unless they are given one. */
export function generatorOf(device: Device): Generator {
  let generator = defaults.get(device);
  if (!generator) defaults.set(device, (generator = new Generator(commonSeed ?? unpredictable())));
  return generator;
}

function unpredictable(): number {
  const [low, high] = crypto.getRandomValues(new Uint32Array(2));
  return (high! % 2 ** 21) * 2 ** 32 + low!;
}

function checkSeed(op: string, seed: number): number {
  if (Number.isSafeInteger(seed) && seed >= 0) return seed;
  throw new RangeError(`${op}: ${seed} is not a whole number from 0 to 2⁵³ − 1.`);
}
