import { describe, expect, test } from "vitest";
import { Opaque } from "../../src/checkpoints/opaque.ts";
import { stateOf } from "../../src/checkpoints/torch-state.ts";
import { lastOnly, rebuildTensor, type TorchTensor } from "../../src/checkpoints/torch-tensor.ts";
import { unwrapped, unwrappedName } from "../../src/checkpoints/wrappers.ts";

const storage = (elements: number, key = "0") => ({
  key,
  dtype: "f32" as const,
  elements,
  position: () => 0,
  read: async () => new Uint8Array(4 * elements),
});
const x = () => rebuildTensor(storage(1), 0, [1], [1]);
const dict = (items: Record<string, unknown>) => new Map(Object.entries(items));
const net = () =>
  Object.fromEntries(
    ["conv1.weight", "bn1.weight", "layer1.0.conv1.weight", "layer1.0.conv2.weight"].map((name) => [
      name,
      x(),
    ]),
  );
const nested = (depth: number, inside: unknown): unknown =>
  depth === 0 ? inside : dict({ a: nested(depth - 1, inside) });
const names = (value: unknown) => [...stateOf(value).tensors.keys()];

describe("of several dicts with tensors, the state is", () => {
  test.each<[string, Record<string, unknown>]>([
    ["the one with a ResNet's names", { state_dict: dict({ a: x() }), other: dict(net()) }],
    ["the net, not its average", { ema: dict({ a: x(), ...net() }), net: dict(net()) }],
    ["under state_dict before model", { model: dict({ a: x(), ...net() }), state_dict: dict(net()) }],
    ["under a usual name before another", { other: dict({ a: x(), ...net() }), state: dict(net()) }],
    ["in the file's own dict before another's", { other: dict({ a: x(), ...net() }), ...net() }],
    ["the outer of two", { b: dict({ c: dict({ a: x(), ...net() }) }), d: dict(net()) }],
    ["an average, where there is nothing else", { ema: dict(net()), optimizer: dict({ a: x() }) }],
  ])("%s", (_, items) => {
    expect(names(dict(items))).toEqual(Object.keys(net()));
    const reversed = dict(Object.fromEntries(Object.entries(items).reverse()));
    expect(names(reversed).sort()).toEqual(Object.keys(net()).sort());
  });

  test("the first of equals", () => {
    expect(names(dict({ b: dict(net()), c: dict({ a: x(), ...net() }) }))).toEqual(Object.keys(net()));
  });

  test("an object's among its items or attributes, of no longer path", () => {
    const object = new Opaque("x.Trainer");
    object.items.set("", dict({ model: dict(net()) }));
    expect(names(dict({ trainer: object }))).toEqual(Object.keys(net()));
    expect(names(object)).toEqual(Object.keys(net()));
  });

  test("tensors by name: other keys and values are passed over", () => {
    const items = new Map<unknown, unknown>([
      [1, x()],
      ["a", x()],
      ["b", 5],
      ["c", [x()]],
    ]);
    expect(names(items)).toEqual(["a"]);
  });
});

describe("a dict is looked through", () => {
  test("eight levels deep", () => {
    expect(names(nested(7, dict({ w: x() })))).toEqual(["w"]);
    expect(() => stateOf(nested(8, dict({ w: x() })))).toThrow("there is no state dict in it");
  });

  test("once, though it is in many places", () => {
    let looked = 0;
    class Counted extends Map<unknown, unknown> {
      override [Symbol.iterator]() {
        looked++;
        return super[Symbol.iterator]();
      }
    }
    const inner = new Counted([["w", x()]]);
    inner.set("itself", inner);
    expect(names(dict({ a: inner, b: inner, c: dict({ d: inner }) }))).toEqual(["w"]);
    expect(looked).toBe(1);
  });

  test("among no more than a hundred thousand others", () => {
    const many = (count: number) =>
      new Map<string, unknown>([
        ...Array.from({ length: count }, (_, i) => [`${i}`, new Opaque("x")] as const),
        ["last", dict({ w: x() })],
      ]);
    expect(names(many(99_999))).toEqual(["w"]);
    expect(() => stateOf(many(100_000))).toThrow("there is no state dict in it");
  });
});

describe("a module that was saved whole", () => {
  const module = (parts: Record<string, unknown>) => {
    const made = new Opaque("x.Net");
    made.items.set("", dict(parts));
    return made;
  };

  test("gives its own tensors, not those of what it refers to", () => {
    const other = dict({ z: x() });
    const inner = module({ _parameters: dict({ weight: x(), 5: 5 }), _buffers: dict({ mean: x(), n: 5 }) });
    const outer = module({ _parameters: new Map(), _modules: dict({ a: inner, b: 5 }), cache: other });
    expect(names(outer)).toEqual(["a.weight", "a.mean"]);
    expect(names(dict({ model: outer, other: dict({ z: x() }) }))).toEqual(["a.weight", "a.mean"]);
  });

  test("may hold itself", () => {
    const inner = module({ _parameters: dict({ w: x() }) });
    (inner.items.get("") as Map<string, unknown>).set("_modules", dict({ again: inner }));
    expect(names(inner)).toEqual(["w"]);
  });

  test("needs attributes that are a dict", () => {
    const none = new Opaque("x.Net");
    none.items.set("", 5);
    none.items.set("w", x());
    expect(names(none)).toEqual(["w"]);
  });
});

test("numbers and strings beside the state are notes, of the file's own dict alone", () => {
  const notes = { epoch: 3, big: 2n ** 60n, best: true, arch: "small", none: null, list: [1] };
  const { metadata } = stateOf(dict({ ...notes, model: dict({ w: x(), lr: 1 }) }));
  expect([...metadata]).toEqual([
    ["epoch", "3"],
    ["big", "1152921504606846976"],
    ["best", "true"],
    ["arch", "small"],
  ]);
  const keyed = new Map<unknown, unknown>([
    [5, 5],
    ["w", x()],
  ]);
  expect(stateOf(keyed).metadata.size).toBe(0);
});

test("tensors are four times their storages and a mebibyte, and no more", () => {
  const elements = 1 << 18; // a mebibyte
  const views = (count: number, more = 0) => {
    const all = dict(
      Object.fromEntries(
        Array.from({ length: count }, (_, i) => [
          `${i}`,
          rebuildTensor(storage(elements), 0, [elements], [1]),
        ]),
      ),
    );
    if (more) all.set("more", rebuildTensor(storage(elements), 0, [more], [1]));
    return all;
  };
  expect(stateOf(views(5)).tensors.size).toBe(5);
  expect(() => stateOf(views(5, 1))).toThrow(
    "pickle: its 6 tensors have 5242884 bytes, but are views of 1048576 bytes in the file. Save tensors made contiguous.",
  );
  const others = views(5, 1).set("other", rebuildTensor(storage(1, "1"), 0, [1], [1]));
  expect(stateOf(others).tensors.size).toBe(7);
});

test("what holds no tensors is described by eight of its keys", () => {
  const numbers = (count: number) =>
    dict(Object.fromEntries(Array.from({ length: count }, (_, i) => [`k${i}`, i])));
  const shown = Array.from({ length: 8 }, (_, i) => `the string "k${i}"`).join(", ");
  expect(() => stateOf(numbers(9))).toThrow(
    `pickle: there is no state dict in it, but a dict of 9 entries: ${shown}. Expected tensors by name, or a dict with them as one of state_dict, model_state_dict, model_state, model, net, network, state.`,
  );
});

describe("a tensor of a storage", () => {
  const bytes = Uint8Array.from({ length: 12 }, (_, i) => i);
  const of = (shape: number[], strides: number[], offset = 0): TorchTensor =>
    rebuildTensor(
      { key: "0", dtype: "u16", elements: 6, position: () => 5, read: async () => bytes },
      offset,
      shape,
      strides,
    );
  const values = async (tensor: TorchTensor) => [...((await tensor.read()).data as Uint16Array)];
  const numbers = [0, 1, 2, 3, 4, 5].map((i) => 2 * i + 256 * (2 * i + 1));

  test("is gathered by its strides, or a view where they are those of rows", async () => {
    expect(await values(of([2, 3], [3, 1]))).toEqual(numbers);
    expect(await values(of([3, 2], [1, 3]))).toEqual([0, 3, 1, 4, 2, 5].map((i) => numbers[i]));
    expect(await values(of([2], [2], 1))).toEqual([numbers[1], numbers[3]]);
    expect(await values(of([2, 1], [1, 99], 4))).toEqual(numbers.slice(4));
    expect(await values(of([], [], 5))).toEqual(numbers.slice(5));
    for (const [tensor, isView] of [
      [of([2, 3], [3, 1]), true],
      [of([1, 6], [77, 1]), true],
      [of([2, 1], [1, 99], 4), true],
      [of([3, 2], [1, 3]), false],
    ] as const)
      expect((await tensor.read()).data.buffer === bytes.buffer).toBe(isView);
    expect(of([1], [1]).position).toBe(5);
  });

  test("lies within it", () => {
    expect(of([6], [1]).elements).toBe(6);
    expect(() => of([6], [1], 1)).toThrow(
      "pickle: a tensor [6] with strides [1] from element 1 does not fit its storage of 6 elements. Fetch the file again, or save tensors made contiguous.",
    );
    expect(() => of([2, 2], [5, 1])).toThrow("does not fit");
    expect(of([2, 2], [4, 1]).elements).toBe(4);
    expect(() => of([2, 4], [0, 1])).toThrow("does not fit");
    expect(of([2, 3], [0, 1]).elements).toBe(6);
    // Without elements it is nowhere.
    expect(of([0, 9], [9, 9], 99).elements).toBe(0);
  });

  test("keeps its shape, though the pickle changes its own list", () => {
    const [shape, strides] = [
      [2, 3],
      [3, 1],
    ];
    const tensor = of(shape, strides);
    for (const list of [shape, strides]) list.push(9);
    expect(tensor.shape).toEqual([2, 3]);
  });

  test("may have 64 axes", () => {
    const ones = Array<number>(64).fill(1);
    expect(of(ones, ones).shape).toEqual(ones);
    expect(() => of([...ones, 1], [...ones, 1])).toThrow("a shape has 65 axes, more than 64. Fetch");
    expect(() => of(ones, [...ones, 1])).toThrow("strides has 65 axes, more than 64. Fetch");
  });
});

test("what is read is kept until something else is, unless it failed", async () => {
  const asked: string[] = [];
  let failing = false;
  const read = lastOnly(async (key) => {
    asked.push(key);
    if (failing) throw new Error("the cable was cut");
    return Uint8Array.of(asked.length);
  });
  expect(await Promise.all([read("a"), read("a")])).toEqual([Uint8Array.of(1), Uint8Array.of(1)]);
  expect(await read("b")).toEqual(Uint8Array.of(2));
  expect(await read("a")).toEqual(Uint8Array.of(3));
  failing = true;
  await expect(read("c")).rejects.toThrow("the cable was cut");
  failing = false;
  expect(await read("c")).toEqual(Uint8Array.of(5));
  // A failure that comes late does not forget what was read since.
  failing = true;
  const late = read("d");
  failing = false;
  const since = read("e");
  await expect(late).rejects.toThrow();
  await since;
  await read("e");
  expect(asked).toEqual(["a", "b", "a", "c", "c", "d", "e"]);
});

describe("names without wrappers", () => {
  test("lose their parts, at any depth", () => {
    expect(unwrappedName("module._orig_mod.a._fsdp_wrapped_module.b._checkpoint_wrapped_module.c")).toBe(
      "a.b.c",
    );
    expect(unwrappedName("modules.a.my_module")).toBe("modules.a.my_module");
  });

  test.each<[string, string[], string[]]>([
    ["are given to all", ["module.a", "module.b"], ["a", "b"]],
    ["are given where some are wrapped", ["a", "b.module.c"], ["a", "b.c"]],
    ["lose the counter of an average", ["n_averaged", "module.a"], ["a"]],
    ["keep a counter that is no average's", ["n_averaged", "a"], ["n_averaged", "a"]],
    ["are left where two would be the same", ["module.a", "a"], ["module.a", "a"]],
    [
      "are left where two would be the same, beside a counter",
      ["n_averaged", "module.a", "a"],
      ["n_averaged", "module.a", "a"],
    ],
    ["are left where one would be none", ["module", "module.a"], ["module", "module.a"]],
  ])("%s", (_, before, after) => {
    const found = unwrapped(new Map(before.map((name) => [name, name])));
    expect([...found.keys()]).toEqual(after);
    for (const [name, tensor] of found) expect(unwrappedName(tensor)).toBe(unwrappedName(name));
  });
});
