import { BIAS, bits, type Epilogue, type Kernel } from "@shadegrad/kernels-wgsl";
import { normalize } from "@shadegrad/kernels-wgsl/batchNorm";
import { broadcast, dense, map } from "@shadegrad/kernels-wgsl/map";
import type { Recorded, TensorBinding } from "../core/recorder.ts";
import type { Storage } from "../core/storage.ts";
import { newOutput } from "./bindings.ts";
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
  const isKnown = ({ storage }: TensorBinding) => known.has(storage);
  for (const [i, second] of launches.entries()) {
    for (const { storage } of second.writes) makers.set(storage, i);
    if (second.kernel.name !== normalize.name || second.epilogue) continue;
    const [x, ...statistics] = second.reads as [TensorBinding, ...TensorBinding[]];
    const place = makers.get(x.storage);
    const first = place === undefined ? undefined : result[place]!.at(-1);
    const isRead = readers.get(x.storage) !== 1 || kept.has(x.storage);
    if (!first || isRead || x.dtype !== second.writes[0]!.dtype) continue;
    const isThere = (statistic: TensorBinding) =>
      isKnown(statistic) && (makers.get(statistic.storage) ?? -1) < place!;
    if (!statistics.every(isThere)) continue;
    const maker = (storage: Storage) => launches[makers.get(storage) ?? -1];
    const foldable = foldableOf(first, second, isKnown, maker);
    if (!foldable) continue;
    result[place!] = folded(first, second, foldable);
    result[i] = [];
  }
  return result.flat();
}

/** Parts of a product that a batch norm can be folded into. */
interface Foldable {
  /** The weights to scale: those before a cast, so that they are scaled before they are rounded. */
  readonly source: TensorBinding;
  /** The weights as the product reads them, and their index among its reads. */
  readonly weights: TensorBinding;
  readonly at: number;
  readonly bias: TensorBinding | undefined;
}

/** → undefined if the product has no weights that are linear and known, or another epilogue than a bias */
function foldableOf(
  { kernel, params, reads, epilogue }: Recorded,
  { reads: [, , , gamma] }: Recorded,
  isKnown: (x: TensorBinding) => boolean,
  makerOf: (storage: Storage) => Recorded | undefined,
): Foldable | undefined {
  const bias = isBias(epilogue) ? reads.at(-1) : undefined;
  if (kernel.epilogue?.(params) !== gamma!.size || (epilogue && !(bias && isKnown(bias)))) return undefined;
  const at = kernel.reads.indexOf(kernel.linearIn?.(params) ?? "");
  const weights = reads[at];
  if (!weights) return undefined;
  const maker = makerOf(weights.storage);
  const source = maker && isCast(maker) ? maker.reads[0]! : weights;
  return isKnown(source) ? { source, weights, at, bias } : undefined;
}

/** The launches that scale the weights and compute the shift, then the product with both. */
function folded(first: Recorded, second: Recorded, { source, weights, at, bias }: Foldable): Recorded[] {
  const [, mean, variance, gamma] = second.reads as [
    TensorBinding,
    TensorBinding,
    TensorBinding,
    TensorBinding,
  ];
  const C = gamma.size;
  const eps = bits("f32", Number(second.params.eps));
  const [scale, shift] = [newOutput(mean, C), newOutput(mean, C)];
  const scaled = newOutput(weights, weights.size);
  const perColumn = broadcast(
    [weights.size / C, C],
    [
      [C, 1],
      [0, 1],
    ],
  );
  const inputs = bias ? first.reads.slice(0, -1) : first.reads;
  return [
    elementwise("a * inverseSqrt(b + s)", [gamma, variance, gamma], scale, dense(C, eps)),
    ...shifting(second, scale, shift, bias),
    elementwise("a * b", [source, scale, source], scaled, perColumn, {
      A: source.dtype,
      C: source.dtype,
      Y: scaled.dtype,
    }),
    {
      ...first,
      reads: [...inputs.map((read, i) => (i === at ? scaled : read)), shift],
      writes: second.writes,
      // The shift is f32 whatever the type of the bias.
      epilogue: { expression: BIAS, operands: [{ kind: "channel", type: "f32" }] },
    },
  ];
}

/** shift = beta − mean · scale, or with a bias  (bias − mean) · scale + beta. */
function shifting(second: Recorded, scale: Write, shift: Write, bias: TensorBinding | undefined): Recorded[] {
  const [, mean, , , beta] = second.reads as [
    TensorBinding,
    TensorBinding,
    TensorBinding,
    TensorBinding,
    TensorBinding,
  ];
  const C = mean.size;
  if (!bias) return [elementwise("a - b * c", [beta, mean, scale], shift, dense(C))];
  const centre = newOutput(mean, C);
  return [
    elementwise("(a - b) * c", [bias, mean, scale], centre, dense(C), { A: bias.dtype }),
    elementwise("a + b", [centre, beta, beta], shift, dense(C)),
  ];
}

/** True if an epilogue only adds a value to each channel. */
const isBias = (epilogue: Epilogue | undefined): boolean =>
  epilogue?.expression === BIAS && epilogue.operands[0]?.kind === "channel";

/** True for a launch that only rounds. */
const isCast = ({ kernel, holes, reads: [x], writes: [y] }: Recorded): boolean =>
  kernel.name === map.name && holes.f === "a" && x!.size === y!.size;

const elementwise = (
  f: string,
  reads: readonly TensorBinding[],
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
