import { dense, map } from "@shadegrad/kernels-wgsl/map";
import { reduce, reducePasses } from "@shadegrad/kernels-wgsl/reduce";
import { NAN_CHECK } from "../gpu/debug.ts";
import type { Device } from "../gpu/device.ts";
import type { Observer } from "./observe.ts";
import { run } from "./run.ts";
import { keep } from "./scope.ts";
import type { Storage } from "./storage.ts";
import type { Tensor } from "./tensor.ts";

/** Origin of the first NaN. */
export interface NaNOrigin {
  /** The op, as `batchNorm` or `the gradient of batchNorm`; the kernel, where no op is known. */
  readonly op: string;
  readonly kernel: string;
  /** True if the kernel read the NaN from a tensor that was filled with it; no op made it then. */
  readonly given: boolean;
  /** The op that made the first infinity, if that was before: ∞ − ∞ and ∞ / ∞ are NaN. */
  readonly infiniteSince: string | undefined;
}

interface Check {
  op: string | undefined;
  readonly kernel: string;
  readonly given: boolean;
}

/** For each kind of number, the number of the first check that saw one, counted down from EARLIEST; 0 for none. */
interface Found {
  nan: Tensor;
  infinite: Tensor;
}

// The name lets traces leave these launches out.
const looking = { ...reduce, name: NAN_CHECK };
const comparing = { ...map, name: NAN_CHECK };

// Largest number of checks that float32 counts.
const EARLIEST = 2 ** 24;
const LATER = "max(a, b)"; // no NaN: ranks
const TERMS = {
  nan: "select(Vec(0), Vec(1), magnitude(x) > Bits(0x7f800000u))",
  infinite: "select(Vec(0), Vec(1), magnitude(x) == Bits(0x7f800000u))",
} as const;

/** Checks the results of every kernel on one device and remembers the first with a NaN. */
export class NaNSearch implements Observer {
  readonly #device: Device;
  #checks: Check[] = [];
  #found: Found | undefined;
  #unnamed: Check[] = [];
  #goingBack: string | undefined;
  #busy = false;
  #seen = new WeakMap<Storage, number>();

  constructor(device: Device) {
    this.#device = device;
  }

  ran(kernel: string, reads: readonly Tensor[], writes: readonly Tensor[], replaced: boolean): void {
    if (this.#busy || [...reads, ...writes].some(({ device }) => device !== this.#device)) return;
    this.#busy = true;
    const op = this.#goingBack && `the gradient of ${this.#goingBack}`;
    for (const x of reads) {
      if (this.#seen.get(x.storage) !== x.storage.version) this.#check(x, { op, kernel, given: true });
    }
    for (const y of writes) this.#check(y, { op, kernel, given: false });
    this.#busy = false;
    // A launch that only changes tensors in place, as an optimizer's, is no part of the next op.
    if (replaced) this.#unnamed = [];
  }

  computed(name: string, _y: Tensor): void {
    for (const check of this.#unnamed) check.op ??= name;
    this.#unnamed = [];
  }

  wentBack(name: string | undefined): void {
    this.#goingBack = name;
    this.#unnamed = [];
  }

  /** Wait for the device, then find the origin of the first NaN since the last call. */
  async origin(): Promise<NaNOrigin | undefined> {
    const [found, checks] = [this.#found, this.#checks];
    this.#found = undefined;
    this.#checks = [];
    this.#unnamed = [];
    if (!found) return undefined;
    const at = async (x: Tensor) => {
      const first = EARLIEST - (await x.item());
      x.dispose();
      return first;
    };
    const [nan, infinite] = [await at(found.nan), await at(found.infinite)];
    const origin = checks[nan];
    if (!origin) return undefined;
    const name = ({ op, kernel }: Check) => op ?? kernel;
    const infiniteSince = infinite < nan ? name(checks[infinite]!) : undefined;
    return { op: name(origin), kernel: origin.kernel, given: origin.given, infiniteSince };
  }

  #check(x: Tensor, check: Check): void {
    this.#seen.set(x.storage, x.storage.version);
    if ((x.dtype !== "f32" && x.dtype !== "f16") || x.size === 0 || this.#checks.length >= EARLIEST) return;
    const rank = EARLIEST - this.#checks.length;
    this.#checks.push(check);
    this.#unnamed.push(check);
    const before = this.#found;
    this.#found = {
      nan: this.#rank(x, TERMS.nan, rank, before?.nan),
      infinite: this.#rank(x, TERMS.infinite, rank, before?.infinite),
    };
  }

  /** `[]`: the larger of `before` and, if any element is of the kind, `rank`. */
  #rank(x: Tensor, term: string, rank: number, before: Tensor | undefined): Tensor {
    let left = x;
    const passes = reducePasses([1, x.size, 1], { initial: 0, scale: rank });
    passes.forEach((pass, i) => {
      const holes = { combine: LATER, Result: "f32", ...(i === 0 && { term }) };
      const shape = i === passes.length - 1 ? [] : [pass.splits];
      const { y } = run(looking, pass, [left], { y: { shape, dtype: "f32" } }, { holes });
      if (left !== x) left.dispose();
      left = y;
    });
    if (!before) return keep(left);
    const most = run(comparing, dense(1), [left, before, before], [], { holes: { f: LATER } });
    left.dispose();
    before.dispose();
    return keep(most);
  }
}

/** The origin in words: `batchNorm made it (in its kernel moments), of values that are infinite since conv2d`. */
export function describeOrigin({ op, kernel, given, infiniteSince }: NaNOrigin): string {
  if (given) return `${op} was given it: a tensor that its kernel ${kernel} reads held NaN before`;
  const where = op === kernel ? "" : ` (in its kernel ${kernel})`;
  return `${op} made it${where}${infiniteSince ? `, of values that are infinite since ${infiniteSince}` : ""}`;
}

/** With `DEBUG` of 1 or more: at each reading, warns which op made the first NaN, if there is one. */
export class NaNWatch implements Observer {
  readonly #searches = new Map<Device, NaNSearch>();

  ran(kernel: string, reads: readonly Tensor[], writes: readonly Tensor[], replaced: boolean): void {
    this.#searchOn(writes[0]!.device).ran(kernel, reads, writes, replaced);
  }

  computed(name: string, y: Tensor): void {
    this.#searchOn(y.device).computed(name, y);
  }

  wentBack(name: string | undefined): void {
    for (const search of this.#searches.values()) search.wentBack(name);
  }

  #searchOn(device: Device): NaNSearch {
    let search = this.#searches.get(device);
    if (search) return search;
    search = new NaNSearch(device);
    this.#searches.set(device, search);
    device.onRead = async () => {
      const origin = await search.origin();
      if (origin) console.warn(`shadegrad: there is a NaN; ${describeOrigin(origin)}.`);
    };
    return search;
  }
}
