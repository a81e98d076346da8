import { bits, type Kernel } from "@shadegrad/kernels-wgsl";
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
 * Scaled weights depend on nothing that changes from call to call, and so are computed once.
 *
 * @param known what is the same at each call
 */
export function foldNormalization(
  launches: readonly Recorded[],
  kept: ReadonlySet<Storage>,
  known: ReadonlySet<Storage>,
): Recorded[] {
  const result: Recorded[][] = launches.map((launch) => [launch]);
  const readers = countReaders(launches);
  const makers = new Map<Storage, number>();
  /** Where a tensor was last changed in place. */
  const changes = new Map<Storage, number>();
  const isOnly = ({ storage }: Bound) => readers.get(storage) === 1 && !kept.has(storage);

  /** The launches that make what `launch` makes, times a number for each channel; undefined if there are none. */
  const scaled = (launch: Recorded, scale: Bound): { before: Recorded; launch: Recorded } | undefined => {
    const { kernel, params, reads } = launch;
    const at = kernel.reads.indexOf(kernel.linearIn?.(params) ?? "");
    const weights = reads[at];
    if (!weights) return undefined;
    const maker = launches[makers.get(weights.storage) ?? -1];
    // Weights that were cast are scaled before they are rounded.
    const source = maker && isCast(maker) ? maker.reads[0]! : weights;
    if (!isKnown(source)) return undefined;
    const after = like(weights, weights.size);
    const p = broadcast(
      [weights.size / scale.size, scale.size],
      [
        [scale.size, 1],
        [0, 1],
      ],
    );
    const holes = { A: source.dtype, C: source.dtype, Y: after.dtype };
    return {
      before: elementwise("a * b", [source, scale, source], after, p, holes),
      // Among the operands of an epilogue that has none, weights stand in their place.
      launch: { ...launch, reads: reads.map((x) => (x.storage === weights.storage ? after : x)) },
    };
  };
  const isKnown = ({ storage }: Bound) => known.has(storage);

  for (const [i, second] of launches.entries()) {
    for (const { storage, allocated } of second.writes) {
      makers.set(storage, i);
      if (!allocated) changes.set(storage, i);
    }
    const [x, mean, variance, gamma, beta] = second.reads as [Bound, Bound, Bound, Bound, Bound];
    if (second.kernel.name !== normalize.name || ![mean, variance, gamma, beta].every(isKnown)) continue;
    const place = makers.get(x.storage);
    const first = place === undefined ? undefined : result[place]!.at(-1);
    if (!first || !isOnly(x) || "epilogue" in second.holes) continue;
    const { kernel, params, holes, reads } = first;
    // It will run at the place of the second: its operands have to be the same there, and its result unchanged.
    if (reads.some(({ storage }) => changes.get(storage)! > place!) || changes.has(x.storage)) continue;
    const C = kernel.epilogue?.(params);
    const bias = holes.epilogue === BIASED ? reads[reads.length - 2] : undefined;
    if (C !== gamma.size || ("epilogue" in holes && !bias) || (bias && !isKnown(bias))) continue;
    if (x.dtype !== second.writes[0]!.dtype) continue;

    const eps = bits("f32", Number(second.params.eps));
    const vector = () => like(mean, C);
    const [scale, shift, centre] = [vector(), vector(), vector()];
    const weights = scaled(first, scale);
    if (!weights) continue;
    const vectors = [
      elementwise("a * inverseSqrt(b + s)", [gamma, variance, gamma], scale, dense(C, eps)),
      ...(bias
        ? [
            elementwise("(a - b) * c", [bias, mean, scale], centre, dense(C), { A: bias.dtype }),
            elementwise("a + b", [centre, beta, beta], shift, dense(C)),
          ]
        : [elementwise("a - b * c", [beta, mean, scale], shift, dense(C))]),
    ];
    const operands = weights.launch.reads.map((x, i, { length }) => (i === length - 2 ? shift : x));
    // In float32, whatever the bias was stored in.
    const { E0: _, ...others } = holes;
    result[place!] = [];
    result[i] = [
      ...vectors,
      weights.before,
      {
        ...weights.launch,
        reads: operands,
        writes: second.writes,
        holes: { ...others, epilogue: BIASED },
      },
    ];
  }
  return result.flat();
}

/** Whether it does nothing but round. */
const isCast = ({ kernel, holes, reads: [x], writes: [y] }: Recorded): boolean =>
  kernel.name === map.name && holes.f === "a" && x!.size === y!.size;

/** The epilogue of a convolution or a product with a bias. */
const BIASED = "value + channel0(o)";

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
    ...{ kernel, params, reads, writes: [y], paramsAtCall: undefined, variant: undefined },
    holes: { ...(plain ? {} : holes), f },
  };
};
