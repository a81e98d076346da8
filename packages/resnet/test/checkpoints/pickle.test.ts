import { FormatError } from "@shadegrad/tensor/formats";
import { describe, expect, test } from "vitest";
import { BYTES, describe as described, Opaque, OpaqueClass } from "../../src/checkpoints/opaque.ts";
import { readPickle } from "../../src/checkpoints/pickle.ts";
import { TruncatedPickle } from "../../src/checkpoints/pickle-bytes.ts";
import { joined, type Part } from "./files.ts";

const MADE = { made: true };
const known = new Map<string, unknown>([
  ["os.known", () => MADE],
  ["os.count", (args: readonly unknown[]) => args.length],
]);
const RULES = { known, persistent: (id: unknown) => ({ id }) };

/** The value of a pickle of protocol 2 whose opcodes these are; it ends where they do. */
function read(...parts: Part[]): unknown {
  const bytes = joined([0x80, 2], ...parts, ".", [1, 2, 3]);
  const { value, end } = readPickle(bytes, 0, RULES);
  expect(end).toBe(bytes.length - 3);
  return value;
}

const u32 = (value: number) => new Uint8Array(Uint32Array.of(value).buffer);
const u64 = (value: number) => new Uint8Array(BigUint64Array.of(BigInt(value)).buffer);
const text = (value: string): Part[] => ["X", u32(value.length), value];

describe("constants", () => {
  test.each<[string, Part[], unknown]>([
    ["None", ["N"], null],
    ["True", [[0x88]], true],
    ["False", [[0x89]], false],
    ["a byte", ["K\xff"], 255],
    ["two bytes", ["M\x01\x80"], 0x8001],
    ["four bytes with a sign", ["J\xfe\xff\xff\xff"], -2],
    ["a long of no bytes", [[0x8a, 0]], 0],
    ["a negative long", [[0x8a, 2, 0x00, 0x80]], -32768],
    ["a long that is exact as a number", [[0x8a, 7, 255, 255, 255, 255, 255, 255, 31]], 2 ** 53 - 1],
    ["a long that is not", [[0x8a, 7, 0, 0, 0, 0, 0, 0, 32]], 2n ** 53n],
    ["a long of 255 bytes", [[0x8b], u32(255), [1], new Uint8Array(254)], 1],
    ["a float", ["G\xc0\x04\0\0\0\0\0\0"], -2.5],
    ["a short string of bytes", ["U\x02ab"], "ab"],
    ["a string of bytes", ["T", u32(2), "ab"], "ab"],
    ["a short text", [[0x8c, 3], "\xe2\x82\xac"], "€"],
    ["a text", text("ab"), "ab"],
    ["a long text", [[0x8d], u64(2), "ab"], "ab"],
    ["short bytes", ["C\x02ab"], BYTES],
    ["bytes", ["B", u32(2), "ab"], BYTES],
    ["long bytes", [[0x8e], u64(2), "ab"], BYTES],
    ["a bytearray", [[0x96], u64(2), "ab"], BYTES],
  ])("%s", (_, code, value) => {
    expect(read(...code)).toEqual(value);
    // Reading goes on where the constant ends.
    expect(read("(", ...code, "K\x07t")).toEqual([value, 7]);
  });

  test("that break off ask for more bytes", () => {
    const cut =
      (...parts: Part[]) =>
      () =>
        readPickle(joined([0x80, 2], ...parts), 0, RULES);
    expect(cut("X", u32(3), "ab")).toThrow(TruncatedPickle);
    expect(cut("X", u32(3), "ab")).toThrow(
      "pickle: it breaks off at byte 9, where 3 more bytes are needed from byte 7. Fetch the file again.",
    );
    expect(cut("cos")).toThrow(TruncatedPickle);
    expect(cut("cos\nsystem")).toThrow(TruncatedPickle);
    expect(cut("K\x01")).toThrow(TruncatedPickle);
    expect(cut([0x8b], u32(256), new Uint8Array(256))).toThrow(
      "pickle: a number has 256 bytes, more than 255. Fetch the file again.",
    );
    expect(cut([0x8b], u32(256), new Uint8Array(256))).not.toThrow(TruncatedPickle);
  });
});

describe("containers", () => {
  test.each<[string, Part[], unknown]>([
    ["an empty tuple", [")"], []],
    ["an empty list", ["]"], []],
    ["an empty set", [[0x8f]], []],
    ["an empty dict", ["}"], new Map()],
    ["a tuple", ["(K\x01K\x02t"], [1, 2]],
    ["a list", ["(K\x01K\x02l"], [1, 2]],
    ["a frozen set", ["(K\x01K\x02", [0x91]], [1, 2]],
    ["a tuple of one", ["K\x09K\x01\x85\x86"], [9, [1]]],
    ["a tuple of two", ["K\x01K\x02\x86"], [1, 2]],
    ["a tuple of three", ["K\x01K\x02K\x03\x87"], [1, 2, 3]],
    ["a list with an item", ["]K\x01a"], [1]],
    ["a list with items", ["]K\x00a(K\x01K\x02e"], [0, 1, 2]],
    ["a dict with an item", ["}K\x01K\x02s"], new Map([[1, 2]])],
    [
      "a dict with items",
      ["}(K\x01K\x02K\x03K\x04u"],
      new Map([
        [1, 2],
        [3, 4],
      ]),
    ],
    ["a dict of what was marked", ["(K\x01K\x02d"], new Map([[1, 2]])],
    ["marks within marks", ["(K\x01(K\x02tK\x03t"], [1, [2], 3]],
  ])("%s", (_, code, value) => {
    expect(read(...code)).toEqual(value);
  });

  test("POP, POP_MARK and DUP", () => {
    expect(read("K\x01K\x020")).toBe(1);
    expect(read("K\x01(K\x02K\x031")).toBe(1);
    expect(read("K\x012\x86")).toEqual([1, 1]);
  });

  test("items of an object of an unknown class are kept by key, others passed over", () => {
    const made = (read("cos\nthing\n)R", "K\x01K\x02s", "(K\x03K\x04u") as Opaque).items;
    expect(made).toEqual(
      new Map([
        [1, 2],
        [3, 4],
      ]),
    );
    expect((read("cos\nthing\n)R", "K\x01a(K\x02K\x03e") as Opaque).items.size).toBe(0);
  });

  test.each<[string, Part[], string]>([
    ["appends to a dict", ["}K\x01a"], "appends to what is no list"],
    ["sets an item of a list", ["]K\x01K\x02s"], "sets an item of what is no dict"],
    ["sets half an item", ["}(K\x01K\x02K\x03u"], "has a key without a value"],
    ["takes a mark", ["K\x01(a"], "takes from an empty stack"],
    ["takes from nothing", ["0"], "takes from an empty stack"],
    ["copies nothing", ["2"], "takes from an empty stack"],
    ["closes nothing", ["l"], "closes what it has not opened"],
    ["closes the same twice", ["(tt"], "closes what it has not opened"],
  ])("that %s", (_, code, message) => {
    expect(() => read(...code)).toThrow(
      `pickle: it ${message}. Fetch the file again, or save it with torch.save.`,
    );
  });
});

describe("memos and names", () => {
  test("are put and asked for by index", () => {
    expect(read("K\x05q\x030h\x03")).toBe(5);
    expect(read("K\x05r", u32(70_000), "0j", u32(70_000))).toBe(5);
    // MEMOIZE takes the next index.
    expect(read("K\x05\x940K\x06\x940h\0h\x01\x86")).toEqual([5, 6]);
    expect(() => read("j", u32(70_000))).toThrow("asks for memo 70000, which it has not stored");
  });

  test("frames are passed over", () => {
    expect(read([0x95], u64(2), "K\x05")).toBe(5);
  });

  test("of what is known are called, of whatever opcode", () => {
    expect(read("cos\nknown\n)R")).toBe(MADE);
    expect(read("cos\ncount\nK\x01K\x02\x86R")).toBe(2);
    expect(read("cos\ncount\nK\x01\x85", [0x81])).toBe(1);
    expect(read("cos\ncount\nK\x01\x85}", [0x92])).toBe(1);
    expect(read(...text("os"), ...text("known"), [0x93], ")R")).toBe(MADE);
    expect(read("cos\nother\n")).toEqual(new OpaqueClass("os.other"));
    expect(read("cos\nother\n}", "\x85", [0x81])).toEqual(
      Object.assign(new Opaque("os.other"), { items: new Map([["", new Map()]]) }),
    );
    expect(() => read(...text("os"), "K\x01", [0x93])).toThrow(
      'names the string "os" and the number 1, not a module and a name',
    );
    expect(() => read("K\x01", ...text("os"), [0x93])).toThrow('names the number 1 and the string "os", not');
  });

  test("of an object that is not known may be called again", () => {
    expect(read("cos\nother\n)R)R")).toEqual(new Opaque("os.other"));
    expect(() => read("K\x01)R")).toThrow("calls the number 1, which is no function");
  });

  test("attributes are an unknown object's, and passed over for what is known", () => {
    expect((read("cos\nother\n)RK\x05b") as Opaque).items.get("")).toBe(5);
    expect(read("cos\nknown\n)R}b")).toBe(MADE);
    expect(read("}}b")).toEqual(new Map());
    expect(() => read("N}b")).toThrow("sets attributes of None");
    expect(() => read("K\x01}b")).toThrow("sets attributes of the number 1");
  });

  test("persistent ids are what the rules say", () => {
    expect(read("K\x05Q")).toEqual({ id: 5 });
  });
});

describe("a pickle", () => {
  test.each([2, 3, 4, 5])("may have protocol %i", (protocol) => {
    expect(readPickle(Uint8Array.of(0x80, protocol, 0x4e, 0x2e), 0, RULES).value).toBe(null);
  });

  test("of another protocol, or of none, is refused", () => {
    const of =
      (...bytes: number[]) =>
      () =>
        readPickle(Uint8Array.of(0, ...bytes), 1, RULES);
    expect(of(0x80, 1, 0x4e, 0x2e)).toThrow("pickle: it has protocol 1, not 2 to 5.");
    expect(of(0x80, 6, 0x4e, 0x2e)).toThrow("pickle: it has protocol 6, not 2 to 5.");
    expect(of(0x0a, 2)).toThrow("pickle: it begins with 0x0a, not with a protocol.");
    expect(of(0x80, 2, 0x0a)).toThrow(
      "pickle: it has opcode 0x0a at byte 3, which torch.save does not write. Fetch",
    );
  });

  test("has as many objects as its file allows", () => {
    // 2²⁵ bytes are free; a list takes 64 and its place on the stack 8.
    const lists = (count: number, fileBytes: number) => () =>
      readPickle(joined([0x80, 2], new Uint8Array(count).fill(0x5d), "."), 0, { ...RULES, fileBytes });
    const free = Math.floor(2 ** 25 / 72);
    expect(lists(free, 0)).not.toThrow();
    expect(lists(free + 1, 0)).toThrow("pickle: it makes more objects than a checkpoint of its size has.");
    expect(lists(free + 1, 24)).not.toThrow();
  });

  test.each<[string, Part[], number]>([
    ["dicts", ["}"], 8 + 200],
    ["dicts of what was marked", ["(d"], 8 + 8 + 200],
    ["marked tuples", ["(t"], 8 + 8 + 64],
    ["tuples of one", ["N\x85"], 8 + 8 + 64],
    ["memos", ["N\x94"], 8 + 8 + 48],
    ["names", ["ca\nb\n"], 8 + 64],
    ["persistent ids", ["NQ"], 8 + 8 + 400],
    ["calls", ["ca\nb\n)R"], 8 + 64 + 8 + 64 + 8 + 400],
  ])("of %s too", (_, code, bytes) => {
    const one = joined(...code);
    // A file of less than no bytes takes away of what is free, so that short pickles reach the limit.
    const times = (count: number) => () => {
      const pickle = new Uint8Array(2 + count * one.length + 1);
      pickle.set([0x80, 2]);
      for (let i = 0; i < count; i++) pickle.set(one, 2 + i * one.length);
      pickle[pickle.length - 1] = 0x2e;
      return readPickle(pickle, 0, { ...RULES, fileBytes: (100 * bytes - 2 ** 25) / 3 });
    };
    expect(times(100)).not.toThrow();
    expect(times(101)).toThrow("makes more objects than a checkpoint of its size has");
  });

  test("copies no more arguments than it has bytes", () => {
    const call = "h\0h\x01R0";
    const pickle = (calls: number) =>
      joined(
        [0x80, 2],
        "cos\ncount\nq\0(",
        new Uint8Array(40).fill(0x4e),
        "tq\x01",
        call.repeat(calls),
        "N.",
      );
    const length = (calls: number) => pickle(calls).length;
    let most = 1;
    while (40 * (most + 1) <= length(most + 1)) most++;
    expect(40 * most).toBeLessThanOrEqual(length(most));
    expect(readPickle(pickle(most), 0, RULES).value).toBe(null);
    expect(() => readPickle(pickle(most + 1), 0, RULES)).toThrow("repeats itself beyond its own length");
  });
});

test("a value is described for a message", () => {
  const cases: [unknown, string][] = [
    [null, "None"],
    [new Map(), "a dict"],
    [[], "a list"],
    ["a", 'the string "a"'],
    [new Opaque("os.x"), 'an object of "os.x"'],
    [new OpaqueClass("os.x"), 'the name "os.x"'],
    [{}, "a tensor or storage"],
    [BYTES, "bytes"],
    [() => 0, "a function"],
    [5, "the number 5"],
    [true, "the boolean true"],
    [10n ** 60n, `the bigint 1${"0".repeat(39)}`],
  ];
  for (const [value, text] of cases) expect(described(value)).toBe(text);
});

test("an error of a pickle is a FormatError", () => {
  expect(() => read("0")).toThrow(FormatError);
});
