import { groupOf } from "@shadegrad/bench";

/** A selection of rows. */
export interface Selection {
  /** A short choice of all kinds, one kind, or everything. */
  readonly kind: string;
  /** Text that the names of rows must contain. */
  readonly text: string;
}

export const SHORT = "short";
export const ALL = "all";

/** One or few rows of each kind that nets spend most time in, small enough for a software adapter. */
export const SHORT_NAMES: readonly string[] = [
  "conv2d 3×3 64→64 56² ×1",
  "conv2d dx 3×3 64→64 56² ×1",
  "conv2d dw 3×3 64→64 56² ×1",
  "conv2d 1×1 256→64 56² ×1",
  "conv2d 3×3 16→16 32² ×32",
  "matmul 512³",
  "matmul 1×2048 · 2048×1000",
  "batchNorm 28² 512 ×1",
  "batchNorm dx 28² 512 ×1",
  "relu 56² 256 ×1",
  "add 56² 256 ×1",
  "maxPool 3×3 / 2 112² 64 ×1",
  "SGD momentum 2359296",
];

/** Names of the selected rows, in their order. */
export function selected(names: readonly string[], { kind, text }: Selection): string[] {
  const isOfKind = (name: string) =>
    kind === ALL || (kind === SHORT ? SHORT_NAMES.includes(name) : groupOf(name) === kind);
  const part = text.trim().toLowerCase();
  return names.filter((name) => isOfKind(name) && name.toLowerCase().includes(part));
}

/** Kinds of rows, and the number of each. */
export function kindsOf(names: readonly string[]): readonly (readonly [kind: string, count: number])[] {
  const counts = new Map<string, number>();
  for (const name of names) counts.set(groupOf(name), (counts.get(groupOf(name)) ?? 0) + 1);
  return [...counts];
}
