import { afterAll, beforeAll, describe, expect, it } from "vitest";
import * as sg from "../src/index.ts";
import * as nn from "../src/nn/index.ts";
import * as optim from "../src/optim/index.ts";

beforeAll(async () => {
  await sg.init({ quiet: true });
});

const x = () => sg.ones([2, 4, 4, 3]);
const c = () => sg.ones([3]);
// biome-ignore lint/suspicious/noExplicitAny: options that the types refuse
type Wrong = any;
/** Value that every call gets in place of its options, once it is set. */
let inPlace: { options: unknown } | undefined;
const wrong = (options: object): Wrong => (inPlace ? inPlace.options : options);

const CALLS: readonly [call: () => unknown, message: string][] = [
  [() => sg.sum(x(), 0, wrong({ keepdim: true })), "sum: there is no option keepdim; did you mean keepdims?"],
  [() => sg.mean(x(), 0, wrong({ keepDim: true })), "mean: .* did you mean keepdims?"],
  [() => sg.max(x(), 0, wrong({ axis: 1 })), "max: there is no option axis; there are keepdims."],
  [() => sg.min(x(), 0, wrong({ keepDims: true })), "min: .* keepdims?"],
  [() => sg.norm(x(), 0, wrong({ keepdim: true })), "norm: .* keepdims?"],
  [() => sg.argmax(x(), 0, wrong({ keepdim: true })), "argmax: .* keepdims?"],
  [() => sg.argmin(x(), 0, wrong({ keepdim: true })), "argmin: .* keepdims?"],
  [() => sg.variance(x(), 0, wrong({ unbiassed: true })), "variance: .* did you mean unbiased?"],
  [() => sg.maxPool2d(x(), wrong({ kernel: 2, strides: 2 })), "maxPool2d: .* did you mean stride?"],
  [() => sg.avgPool2d(x(), wrong({ kernel: 2, paddding: 1 })), "avgPool2d: .* did you mean padding?"],
  [() => sg.conv2d(x(), sg.ones([1, 1, 3, 3]), wrong({ strid: 1 })), "conv2d: .* did you mean stride?"],
  [() => sg.batchNorm(x(), c(), c(), wrong({ trainin: true })), "batchNorm: .* did you mean training?"],
  [() => sg.dropout(x(), 0.5, wrong({ train: false })), "dropout: .* training"],
  [
    () => sg.crossEntropy(sg.ones([2, 3]), sg.tensor([0, 1], { dtype: "i32" }), wrong({ ignore_index: 0 })),
    "crossEntropy: .* did you mean ignoreIndex?",
  ],
  [() => sg.mseLoss(x(), x(), wrong({ reducton: "sum" })), "mseLoss: .* did you mean reduction?"],
  [() => sg.tensor([1], wrong({ dtyp: "i32" })), "tensor: .* did you mean dtype?"],
  [() => sg.zeros([1], wrong({ requires_grad: true })), "zeros: .* did you mean requiresGrad?"],
  [() => sg.arange(3, wrong({ dType: "i32", x: 1 })), "arange: .* did you mean dtype?"],
  [() => sg.linspace(0, 1, 3, wrong({ devic: 1 })), "linspace: .* did you mean device?"],
  [() => sg.rand([1], wrong({ generater: 1 })), "uniform: .* did you mean generator?"],
  [() => sg.randint(0, 2, [1], wrong({ seed: 1 })), "randint: there is no option seed; there are"],
  [() => sg.compile(() => x(), wrong({ onprogres: 1 })), "compile: .* did you mean onProgress?"],
  [() => sg.init(wrong({ precison: "f16" })), "init: .* did you mean precision?"],
  [() => sg.openDevice(wrong({ quite: true })), "init: .* did you mean quiet?"],
  [() => sg.tune(() => x(), [], wrong({ trainig: true })), "tune: .* did you mean training?"],
  [() => new nn.MaxPool2d(2, wrong({ kernel: 2 })), "MaxPool2d: there is no option kernel; there are stride"],
  [() => new nn.AvgPool2d(2, wrong({ dilation: 2 })), "AvgPool2d: there is no option dilation"],
  [() => new nn.Dropout(0.5, wrong({ seed: 1 })), "Dropout: .* generator"],
  [() => new nn.Conv2d(1, 1, 1, wrong({ group: 1 })), "Conv2d: .* did you mean groups?"],
  [() => new nn.BatchNorm2d(1, wrong({ epsilon: 1 })), "BatchNorm2d: there is no option epsilon"],
  [
    () => nn.init.kaimingNormal(x(), wrong({ nonLinearty: "relu" })),
    "kaimingNormal: .* did you mean nonlinearity?",
  ],
  [() => nn.loadStateDict({}, new Map(), wrong({ strikt: false })), "loadStateDict: .* did you mean strict?"],
  [() => new optim.SGD([c()], wrong({ lr: 0.1, momentun: 0.9 })), "SGD: .* did you mean momentum?"],
  [() => new optim.LossScaler(wrong({ inital: 8 })), "LossScaler: .* did you mean initial?"],
  [() => optim.cosine(wrong({ lr: 1, step: 3 })), "cosine: .* did you mean steps?"],
  [() => optim.multiStep(wrong({ lr: 1, milestone: [] })), "multiStep: .* did you mean milestones?"],
  [() => optim.oneCycle(wrong({ lr: 1, steps: 3, pct_start: 0.1 })), "oneCycle: .* did you mean pctStart?"],
  [() => optim.warmup((step) => step, wrong({ steps: 3, begin: 1 })), "warmup: .* steps, start"],
];

const rows = CALLS.map(([call, message]) => [message, call] as const);

const complaintOf = (call: () => unknown): Promise<Error | undefined> =>
  Promise.resolve()
    .then(call)
    .then(
      () => undefined,
      (error: Error) => error,
    );

it.each(rows)("a misspelt option is refused: %s", async (message, call) => {
  const error = await complaintOf(call);
  expect(error).toBeInstanceOf(TypeError);
  expect(error?.message).toMatch(new RegExp(message.replaceAll("?", "\\?")));
});

describe.each([null, 5, "x", true, [[]]])("%j in place of options", (options) => {
  beforeAll(() => {
    inPlace = { options };
  });
  afterAll(() => {
    inPlace = undefined;
  });
  // A shape and a number may stand in place of these.
  const ofItsOwn = rows.filter(([message]) => options === null || !/^(tensor|arange):/.test(message));
  it.each(ofItsOwn)("is refused: %s", async (_, call) => {
    const error = await complaintOf(call);
    expect(error).toBeInstanceOf(TypeError);
    const kind = options === null ? "null" : Array.isArray(options) ? "an array" : `a ${typeof options}`;
    expect(error?.message).toMatch(new RegExp(`^[\\w.]+: options are ${kind}, not an object\\.$`));
  });
});
