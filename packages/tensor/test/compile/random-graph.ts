import {
  add,
  assign,
  avgPool2d,
  backward,
  broadcastTo,
  cast,
  clamp,
  concat,
  type Device,
  flip,
  globalAvgPool2d,
  keep,
  leakyRelu,
  manualSeed,
  matmul,
  maxPool2d,
  mean,
  mul,
  noGrad,
  pad,
  permute,
  rand,
  relu,
  reshape,
  sigmoid,
  slice,
  softmax,
  square,
  sub,
  type Tensor,
  tanh,
  tensor,
} from "../../src/index.ts";
import { BatchNorm2d, Conv2d, Dropout, evaluate, Linear, parameter, parameters } from "../../src/nn/index.ts";
import { Adam, type Optimizer, SGD } from "../../src/optim/index.ts";

/** Numbers in [0, 1) from a seed (mulberry32). */
export function randomNumbers(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = Math.imul(state ^ (state >>> 15), state | 1);
    t = (t + Math.imul(t ^ (t >>> 7), t | 61)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** A random function of tensors, with the tensors that it changes. */
export interface Graph {
  readonly f: (...args: Tensor[]) => Tensor[];
  /** Arguments of a call. */
  args(call: number): Tensor[];
  /** Weights, statistics and other tensors that last from call to call. */
  readonly state: ReadonlyMap<string, Tensor>;
  /** The ops in order, for a message. */
  readonly ops: readonly string[];
}

/**
 * The graph of a seed: made twice, it is the same twice, with tensors of its own.
 *
 * Its steps are decided while it runs, by numbers that begin again with each call and by shapes alone.
 */
export function randomGraph(seed: number, device: Device): Graph {
  const graph = new RandomGraph(seed, device);
  // Once op by op, which makes the layers.
  manualSeed(seed);
  noGrad(() => graph.f(...graph.args(-1)));
  graph.isMade = true;
  return graph;
}

class RandomGraph implements Graph {
  readonly state = new Map<string, Tensor>();
  readonly ops: string[] = [];
  isMade = false;
  readonly #seed: number;
  readonly #device: Device;
  readonly #shapes: readonly (readonly number[])[];
  readonly #training: boolean;
  readonly #length: number;
  readonly #layers = new Map<string, unknown>();
  #optimizer: Optimizer<never> | undefined;
  #next: () => number = () => 0;
  #values: Tensor[] = [];

  constructor(seed: number, device: Device) {
    this.#seed = seed;
    this.#device = device;
    const next = randomNumbers(seed);
    this.#next = next;
    const image = () => [1 + this.#pick(2), 2 + this.#pick(4), 2 + this.#pick(4), this.#channels()];
    this.#shapes = Array.from({ length: 1 + this.#pick(2) }, image);
    this.#training = next() < 0.35;
    this.#length = 4 + this.#pick(9);
  }

  args(call: number): Tensor[] {
    const next = randomNumbers(this.#seed * 1000 + call + 7);
    return this.#shapes.map((shape) => this.#filled(shape, next));
  }

  f = (...args: Tensor[]): Tensor[] => {
    this.#next = randomNumbers(this.#seed + 1);
    this.#values = [...args];
    this.ops.length = 0;
    for (let i = 0; i < this.#length; i++) this.#step(i);
    return this.#training ? this.#trained() : this.#results();
  };

  /** One to three of the values, later ones rather. */
  #results(): Tensor[] {
    const last = this.#values.slice(-4);
    return Array.from({ length: 1 + this.#pick(3) }, (_, i) => (i === 0 ? last.at(-1)! : this.#one(last)));
  }

  /** A step of training on a loss of the last values; gives the loss, and a value. */
  #trained(): Tensor[] {
    const loss = this.#results()
      .map((y) => mean(square(y)))
      .reduce(add);
    const weights = parameters([...this.#layers.values()]);
    if (!this.isMade || weights.length === 0) return [loss];
    this.#optimizer ??=
      this.#seed % 2 === 0
        ? (new SGD(weights, { lr: 0.05, momentum: 0.9 }) as never)
        : (new Adam(weights, { lr: 0.01, eps: 1e-2 }) as never);
    if (loss.requiresGrad) backward(loss);
    this.#optimizer!.step();
    this.#optimizer!.zeroGrad();
    return [loss, this.#values.at(-1)!.detach()];
  }

  #step(i: number): void {
    const ops = this.#training ? PURE : [...PURE, ...IN_PLACE];
    const x = this.#one(this.#values.slice(-3));
    const fitting = ops.filter(({ fits }) => fits(x.shape));
    const op = this.#one(fitting);
    this.ops.push(`${op.name} [${x.shape}]`);
    const y = op.run({ x, i, graph: this });
    if (y) this.#values.push(y);
  }

  /** Something that lasts, made at the first call. */
  made<T>(name: string, make: () => T): T {
    let layer = this.#layers.get(name) as T | undefined;
    if (layer === undefined) {
      layer = make();
      this.#layers.set(name, layer);
      for (const [field, value] of fieldsOf(layer)) this.state.set(`${name}${field}`, value);
    }
    return layer;
  }

  /** A tensor that lasts, of numbers that are the same for the name. */
  tensor(name: string, shape: readonly number[], isWeight = false): Tensor {
    return this.made(name, () => {
      const made = this.#filled(shape, randomNumbers(this.#seed + name.length * 31 + shape.length));
      return isWeight ? parameter(made) : keep(made);
    });
  }

  /** Another value of that shape, if there is one. */
  like({ shape }: Tensor): Tensor | undefined {
    return this.#one(this.#values.filter((other) => String(other.shape) === String(shape)));
  }

  /** A layer with weights that are the same for the graph. */
  layer<T extends object>(name: string, make: () => T): T {
    return this.made(name, () => {
      const layer = make();
      let salt = 0;
      for (const [field, w] of fieldsOf(layer)) {
        if (w.dtype !== "f32") continue;
        const next = randomNumbers(this.#seed * 77 + salt++);
        const [low, high] = /running_?var/i.test(field) ? [0.5, 2] : [-0.6, 0.6];
        assign(
          w,
          Float32Array.from({ length: w.size }, () => low + (high - low) * next()),
        );
      }
      return layer;
    });
  }

  #filled(shape: readonly number[], next: () => number): Tensor {
    const size = shape.reduce((a, b) => a * b, 1);
    return tensor(
      Float32Array.from({ length: size }, () => 2 * next() - 1),
      shape,
      { device: this.#device },
    );
  }

  get training(): boolean {
    return this.#training;
  }

  number(): number {
    return this.#next();
  }

  #pick(count: number): number {
    return Math.floor(this.#next() * count);
  }

  pick = (count: number): number => this.#pick(count);

  #one<T>(of: readonly T[]): T {
    return of[this.#pick(of.length)]!;
  }

  #channels(): number {
    return [1, 2, 3, 4, 8][this.#pick(5)]!;
  }

  channels = (): number => this.#channels();

  get hasHalves(): boolean {
    return this.#device.adapter.features.has("shader-f16");
  }
}

function fieldsOf(layer: unknown): [string, Tensor][] {
  if (layer && typeof layer === "object" && "storage" in layer) return [["", layer as unknown as Tensor]];
  return Object.entries(Object(layer)).flatMap(([field, value]) =>
    value && typeof value === "object" && "storage" in value ? [[`.${field}`, value as Tensor]] : [],
  );
}

interface Context {
  readonly x: Tensor;
  readonly i: number;
  readonly graph: RandomGraph;
}

interface Op {
  readonly name: string;
  fits(shape: readonly number[]): boolean;
  /** The value to go on with, if there is one. */
  run(context: Context): Tensor | undefined;
}

const any = () => true;
const isImage = (shape: readonly number[]) => shape.length === 4;
const isPlane = ([, H = 0, W = 0, ...rest]: readonly number[]) => rest.length === 1 && H >= 2 && W >= 2;

function convolution({ x, i, graph }: Context): Tensor {
  const C = x.shape[3]!;
  const size = Math.min(1 + 2 * graph.pick(2), 3);
  const groups = C % 2 === 0 && graph.pick(4) === 0 ? 2 : 1;
  const O = groups === 2 ? 4 : graph.channels();
  const stride = 1 + graph.pick(2);
  const bias = graph.pick(2) === 0;
  const options = { padding: size >> 1, stride, bias, groups };
  return graph.layer(`conv${i}`, () => new Conv2d(C, O, size, options)).forward(x);
}

function normalization({ x, i, graph }: Context): Tensor {
  // The statistics of few values leap where those leap in their last bits.
  if (graph.training && x.size / x.shape.at(-1)! < 8) return tanh(x);
  const bn = graph.layer(`bn${i}`, () => {
    const made = new BatchNorm2d(x.shape.at(-1)!, { eps: 1e-2 });
    return graph.training ? made : evaluate(made);
  });
  return bn.forward(x);
}

const PURE: readonly Op[] = [
  { name: "conv", fits: isImage, run: convolution },
  { name: "conv, bn", fits: isImage, run: (of) => normalization({ ...of, x: convolution(of) }) },
  {
    name: "conv, bn, relu",
    fits: isImage,
    run: (of) => relu(normalization({ ...of, x: convolution(of) })),
  },
  { name: "bn", fits: (shape) => shape.length >= 2, run: normalization },
  {
    name: "linear",
    fits: (shape) => shape.length >= 2,
    run({ x, i, graph }) {
      const [C, O] = [x.shape.at(-1)!, graph.channels()];
      const bias = graph.pick(2) === 0;
      return graph.layer(`linear${i}`, () => new Linear(C, O, { bias })).forward(x);
    },
  },
  {
    name: "matmul",
    fits: (shape) => shape.length >= 2,
    run: ({ x, i, graph }) => matmul(x, graph.tensor(`m${i}`, [x.shape.at(-1)!, 3], true)),
  },
  { name: "relu", fits: any, run: ({ x }) => relu(x) },
  { name: "leakyRelu", fits: any, run: ({ x }) => leakyRelu(x, 0.1) },
  { name: "tanh", fits: any, run: ({ x }) => tanh(x) },
  { name: "sigmoid", fits: any, run: ({ x }) => sigmoid(x) },
  { name: "clamp", fits: any, run: ({ x }) => clamp(x, -0.5, 2) },
  { name: "softmax", fits: (shape) => shape.length >= 1, run: ({ x }) => softmax(x) },
  { name: "add number", fits: any, run: ({ x, graph }) => add(x, graph.number()) },
  { name: "mul number", fits: any, run: ({ x, graph }) => mul(x, graph.number() - 0.5) },
  { name: "add other", fits: any, run: ({ x, graph }) => add(x, graph.like(x) ?? x) },
  { name: "sub other", fits: any, run: ({ x, graph }) => sub(graph.like(x) ?? x, x) },
  { name: "mul other", fits: any, run: ({ x, graph }) => mul(x, graph.like(x) ?? x) },
  {
    name: "mul channels",
    fits: (shape) => shape.length >= 1,
    run: ({ x, i, graph }) => mul(x, graph.tensor(`v${i}`, [x.shape.at(-1)!], true)),
  },
  {
    name: "add channels, relu",
    fits: (shape) => shape.length >= 1,
    run: ({ x, i, graph }) => relu(add(graph.tensor(`v${i}`, [x.shape.at(-1)!], true), x)),
  },
  {
    name: "residual",
    fits: isImage,
    run({ x, i, graph }) {
      const C = x.shape[3]!;
      const y = graph
        .layer(`conv${i}`, () => new Conv2d(C, C, 3, { padding: 1, bias: false }))
        .forward(relu(x));
      return relu(add(normalization({ x: y, i, graph }), x));
    },
  },
  {
    name: "slice",
    fits: (shape) => shape.some((side) => side > 2),
    run({ x }) {
      const axis = x.shape.findIndex((side) => side > 2);
      return slice(
        x,
        x.shape.map((_, k) => (k === axis ? 1 : 0)),
      );
    },
  },
  {
    name: "concat",
    fits: (shape) => shape.length >= 1 && shape.at(-1)! < 6,
    run: ({ x, graph }) => concat([x, graph.like(x) ?? x], x.shape.length - 1),
  },
  {
    name: "pad",
    fits: (shape) => isImage(shape) && shape[1]! < 5,
    run: ({ x }) =>
      pad(x, [
        [0, 0],
        [1, 0],
        [0, 1],
        [0, 0],
      ]),
  },
  { name: "flip", fits: (shape) => shape.length >= 1, run: ({ x }) => flip(x, x.shape.length - 1) },
  { name: "maxPool", fits: isPlane, run: ({ x }) => maxPool2d(x, { kernel: 2, stride: 1 }) },
  { name: "avgPool", fits: isPlane, run: ({ x }) => avgPool2d(x, { kernel: 2 }) },
  { name: "global pool", fits: isImage, run: ({ x }) => globalAvgPool2d(x) },
  {
    name: "swap axes",
    fits: isImage,
    run: ({ x }) => permute(x, [0, 2, 1, 3]),
  },
  {
    name: "reshape",
    fits: isImage,
    run({ x }) {
      const [N, H, W, C] = x.shape as [number, number, number, number];
      return reshape(x, [N, H * W, 1, C]);
    },
  },
  {
    name: "centre",
    fits: (shape) => shape.length >= 1,
    run: ({ x }) => sub(x, mean(x, x.shape.length - 1, { keepdims: true })),
  },
  {
    name: "broadcast",
    fits: (shape) => shape.length === 2,
    run: ({ x }) =>
      broadcastTo(reshape(x, [x.shape[0]!, 1, 1, x.shape[1]!]), [x.shape[0]!, 2, 2, x.shape[1]!]),
  },
  {
    name: "halves",
    fits: any,
    run: ({ x, graph }) => (graph.hasHalves ? cast(cast(x, "f16"), "f32") : relu(x)),
  },
  {
    name: "dropout",
    fits: any,
    run: ({ x, i, graph }) => graph.made(`dropout${i}`, () => new Dropout(0.3)).forward(x),
  },
  {
    name: "noise",
    fits: any,
    run: ({ x, graph }) => add(x, rand(x.shape, { device: x.device })) ?? graph,
  },
];

/** Steps that change tensors in place: not where gradients are taken, which refuse it. */
const IN_PLACE: readonly Op[] = [
  {
    name: "running sum",
    fits: any,
    run({ x, i, graph }) {
      const state = graph.tensor(`s${i}`, x.shape);
      const before = mul(state, 2);
      assign(state, add(mul(state, 0.5), x));
      return add(before, state);
    },
  },
  {
    name: "overwritten after use",
    fits: (shape) => shape.length >= 2,
    run({ x, i, graph }) {
      const state = graph.tensor(`s${i}`, x.shape);
      const w = graph.tensor(`w${i}`, [x.shape.at(-1)!, 4]);
      const y = matmul(state, w);
      assign(state, x);
      return normalization({ x: y, i, graph });
    },
  },
  {
    name: "overwritten weights",
    fits: (shape) => shape.length >= 2,
    run({ x, i, graph }) {
      const w = graph.tensor(`w${i}`, [x.shape.at(-1)!, 4]);
      const y = matmul(x, w);
      assign(w, mul(w, 0.5));
      return normalization({ x: y, i, graph });
    },
  },
  {
    name: "overwritten statistics",
    fits: isImage,
    run({ x, i, graph }) {
      const y = convolution({ x, i, graph });
      const bn = graph.layer(`bn${i}`, () => evaluate(new BatchNorm2d(y.shape[3]!, { eps: 1e-2 })));
      assign(bn.runningMean, add(bn.runningMean, 0.25));
      const z = bn.forward(y);
      assign(bn.runningVar, mul(bn.runningVar, 1.5));
      return z;
    },
  },
  {
    name: "numbers in place",
    fits: (shape) => shape.length >= 1,
    run({ x }) {
      const t = tensor(
        Array.from({ length: x.shape.at(-1)! }, (_, k) => k),
        undefined,
        { device: x.device },
      );
      assign(t, add(t, 1));
      return mul(x, t);
    },
  },
  {
    name: "a value in place",
    fits: any,
    run({ x }) {
      const y = mul(x, 2);
      const z = relu(y);
      assign(y, tanh(x));
      return add(y, z);
    },
  },
  {
    name: "filled",
    fits: any,
    run({ x, i, graph }) {
      const state = graph.tensor(`s${i}`, [2]);
      assign(state, [0.5, 1]);
      assign(state, add(state, 1));
      return mul(x, mean(state));
    },
  },
];
