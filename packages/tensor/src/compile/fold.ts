import { BIAS, bits, type Epilogue, type Kernel } from "@shadegrad/kernels-wgsl";
import { normalize } from "@shadegrad/kernels-wgsl/batchNorm";
import { broadcast, dense, map } from "@shadegrad/kernels-wgsl/map";
import type { Bound, Recorded } from "../core/recorder.ts";
import { Storage } from "../core/storage.ts";
import { countReaders } from "./liveness.ts";

type Write = Recorded["writes"][number];

/**
 * Fold batch norm in evaluation into the weights before it: with s = gamma / √(variance + eps),
 *   s · (conv(x, w) + b − mean) + beta = conv(x, s · w) + (s · (b − mean) + beta).
 *
 * Scaled weights do not change from call to call, and so are computed once. The product stays where it
 * is, as what it reads may be replaced before the batch norm.
 *
 * @param known storages whose contents are the same at each call
 */
export function foldNormalization(
  launches: readonly Recorded[],
  kept: ReadonlySet<Storage>,
  known: ReadonlySet<Storage>,
): Recorded[] {
  const result: Recorded[][] = launches.map((launch) => [launch]);
  const readers = countReaders(launches);
  const makers = new Map<Storage, number>();
  const isKnown = ({ storage }: Bound) => known.has(storage);
  for (const [i, second] of launches.entries()) {
    for (const { storage } of second.writes) makers.set(storage, i);
    if (second.kernel.name !== normalize.name || second.epilogue) continue;
    const [x, ...statistics] = second.reads as [Bound, ...Bound[]];
    const place = makers.get(x.storage);
    const first = place === undefined ? undefined : result[place]!.at(-1);
    const isRead = readers.get(x.storage) !== 1 || kept.has(x.storage);
    if (!first || isRead || x.dtype !== second.writes[0]!.dtype) continue;
    const isThere = (statistic: Bound) =>
      isKnown(statistic) && (makers.get(statistic.storage) ?? -1) < place!;
    if (!statistics.every(isThere)) continue;
    const maker = (storage: Storage) => launches[makers.get(storage) ?? -1];
    const folded = foldedInto(first, second, isKnown, maker);
    if (!folded) continue;
    result[place!] = folded;
    result[i] = [];
    for (const { storage } of second.writes) makers.set(storage, place!);
  }
  return result.flat();
}

/** The launches that scale the weights and the product that replaces both; undefined if they cannot be folded. */
function foldedInto(
  first: Recorded,
  second: Recorded,
  isKnown: (x: Bound) => boolean,
  makerOf: (storage: Storage) => Recorded | undefined,
): Recorded[] | undefined {
  const { kernel, params, reads, epilogue } = first;
  const [, mean, variance, gamma, beta] = second.reads as [Bound, Bound, Bound, Bound, Bound];
  const C = kernel.epilogue?.(params);
  const bias = isBias(epilogue) ? reads.at(-1) : undefined;
  if (C !== gamma.size || (epilogue && !(bias && isKnown(bias)))) return undefined;
  const at = kernel.reads.indexOf(kernel.linearIn?.(params) ?? "");
  const weights = reads[at];
  if (!weights) return undefined;
  // Weights that were cast are scaled before they are rounded.
  const maker = makerOf(weights.storage);
  const source = maker && isCast(maker) ? maker.reads[0]! : weights;
  if (!isKnown(source)) return undefined;
  const eps = bits("f32", Number(second.params.eps));
  const [scale, shift, centre] = [like(mean, C), like(mean, C), like(mean, C)];
  const scaled = like(weights, weights.size);
  const rows = [weights.size / C, C];
  const types = { A: source.dtype, C: source.dtype, Y: scaled.dtype };
  const inputs = bias ? reads.slice(0, -1) : reads;
  return [
    elementwise("a * inverseSqrt(b + s)", [gamma, variance, gamma], scale, dense(C, eps)),
    ...(bias
      ? [
          elementwise("(a - b) * c", [bias, mean, scale], centre, dense(C), { A: bias.dtype }),
          elementwise("a + b", [centre, beta, beta], shift, dense(C)),
        ]
      : [elementwise("a - b * c", [beta, mean, scale], shift, dense(C))]),
    elementwise(
      "a * b",
      [source, scale, source],
      scaled,
      broadcast(rows, [
        [C, 1],
        [0, 1],
      ]),
      types,
    ),
    {
      ...first,
      reads: [...inputs.map((read, i) => (i === at ? scaled : read)), shift],
      writes: second.writes,
      // The shift is f32 whatever the type of the bias.
      epilogue: { expression: BIAS, operands: [{ kind: "channel", type: "f32" }] },
    },
  ];
}

/** True if an epilogue only adds a value to each channel. */
const isBias = (epilogue: Epilogue | undefined): boolean =>
  epilogue?.expression === BIAS && epilogue.operands[0]?.kind === "channel";

/** True for a launch that only rounds. */
const isCast = ({ kernel, holes, reads: [x], writes: [y] }: Recorded): boolean =>
  kernel.name === map.name && holes.f === "a" && x!.size === y!.size;

const like = ({ storage: { device }, dtype }: Bound, size: number): Write => {
  const storage = new Storage(device, size * (dtype === "f16" ? 2 : 4), "a folded tensor", "planned");
  return { storage, size, dtype, allocated: true };
};

const elementwise = (
  f: string,
  reads: readonly Bound[],
  y: Write,
  params: ReturnType<typeof dense>,
  holes: Recorded["holes"] = {},
): Recorded => {
  const plain = Object.values(holes).every((type) => type === "f32");
  const kernel = map as unknown as Kernel;
  return {
    ...{
      kernel,
      params,
      reads,
      writes: [y],
      paramsAtCall: undefined,
      epilogue: undefined,
      variant: undefined,
    },
    holes: { ...(plain ? {} : holes), f },
  };
};
