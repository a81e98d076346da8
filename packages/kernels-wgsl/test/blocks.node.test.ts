import { expect, it } from "vitest";

// A shader is a file of its own, so that shaders repeat one another. A block that several share stands between `// = name`
// and `// = end`. Its copies are compared here, and copies that are not marked are found.

const sources = Object.entries(
  import.meta.glob<string>("../src/**/*.wgsl", { eager: true, query: "?raw", import: "default" }),
);

/** Lines of code from which what two shaders share is a block. Below that, bindings and the head of `main` are alike. */
const SHARED = 12;

interface Line {
  readonly code: string;
  /** Number in the file. */
  readonly at: number;
  /** Name of the block that the line is in; "" outside. */
  readonly block: string;
}

/** The lines of a shader that hold code, without comments and indentation. */
function linesOf(source: string): Line[] {
  const lines: Line[] = [];
  let block = "";
  for (const [i, text] of source.split("\n").entries()) {
    const name = /^\s*\/\/ = (\w+)$/.exec(text)?.[1];
    if (name !== undefined) block = name === "end" ? "" : name;
    const code = text
      .replace(/\/\/.*/, "")
      .replace(/\s+/g, " ")
      .trim();
    if (code !== "") lines.push({ code, at: i + 1, block });
  }
  return lines;
}

/** Runs of SHARED lines or more that two shaders have alike, not both in blocks of the same name. */
function unmarked(shaders: readonly (readonly [path: string, source: string])[]): string[] {
  const read = shaders.map(([path, source]) => ({
    path: path.replace("../src/", ""),
    lines: linesOf(source),
  }));
  return read.flatMap((a, i) =>
    read.slice(i + 1).flatMap((b) =>
      runs(a.lines, b.lines).map(([first, second, length]) => {
        const lines = ({ path, lines }: typeof a, from: number) =>
          `${path}:${lines[from]!.at}-${lines[from + length - 1]!.at}`;
        return `${lines(a, first)} = ${lines(b, second)}`;
      }),
    ),
  );
}

/** Indices of the lines that have a code, by that code. */
function placesOf(lines: readonly Line[]): Map<string, number[]> {
  const places = new Map<string, number[]>();
  for (const [j, { code }] of lines.entries()) places.set(code, [...(places.get(code) ?? []), j]);
  return places;
}

function runs(a: readonly Line[], b: readonly Line[]): [first: number, second: number, length: number][] {
  const places = placesOf(b);
  const isAlike = (i: number, j: number) => {
    const [x, y] = [a[i], b[j]];
    return x !== undefined && y !== undefined && x.code === y.code && (x.block === "" || x.block !== y.block);
  };
  const found: [number, number, number][] = [];
  for (const i of a.keys()) {
    for (const j of places.get(a[i]!.code) ?? []) {
      if (!isAlike(i, j) || isAlike(i - 1, j - 1)) continue;
      let length = 1;
      while (isAlike(i + length, j + length)) length++;
      if (length >= SHARED) found.push([i, j, length]);
    }
  }
  return found;
}

it("blocks of one name are the same word for word, in two shaders at least", () => {
  const copies = new Map<string, string[]>();
  for (const [path, code] of sources) {
    const marks = code.match(/^\s*\/\/ = \w+$/gm) ?? [];
    const isPaired = marks.every((mark, i) => mark.endsWith("// = end") === (i % 2 === 1));
    expect(isPaired && marks.length % 2 === 0, `each block of ${path} ends before the next`).toBe(true);
    for (const [block, name] of code.matchAll(/^ *\/\/ = (\w+)\n[\s\S]*?^ *\/\/ = end$/gm)) {
      // A block may stand deeper in another shader.
      copies.set(name!, [...(copies.get(name!) ?? []), block.replace(/^ +/gm, "")]);
    }
  }
  const names = [...copies.keys()];
  expect(names.filter((name) => new Set(copies.get(name)).size > 1)).toEqual([]);
  expect(names.filter((name) => copies.get(name)!.length < 2)).toEqual([]);
  expect(names.length).toBeGreaterThan(10);
});

it("lines that two shaders share are marked as a block", () => {
  expect(unmarked(sources)).toEqual([]);
});

it("finds a run that is not marked, or in one of two shaders alone, whatever its indentation and comments", () => {
  const lines = Array.from({ length: SHARED }, (_, i) => `let a${i} = ${i}u;`);
  const plain = lines.join("\n");
  const deeper = `fn f() {\n${lines.map((line) => `  ${line}    // of many`).join("\n\n")}\n}`;
  const marked = `// = many\n${plain}\n// = end`;
  const end = 2 * SHARED;
  expect(
    unmarked([
      ["../src/a.wgsl", plain],
      ["../src/b.wgsl", deeper],
    ]),
  ).toEqual([`a.wgsl:1-${SHARED} = b.wgsl:2-${end}`]);
  expect(
    unmarked([
      ["a.wgsl", marked],
      ["b.wgsl", plain],
    ]),
  ).toEqual([`a.wgsl:2-${SHARED + 1} = b.wgsl:1-${SHARED}`]);
  expect(
    unmarked([
      ["a.wgsl", marked],
      ["b.wgsl", marked],
    ]),
  ).toEqual([]);
  expect(
    unmarked([
      ["a.wgsl", lines.slice(1).join("\n")],
      ["b.wgsl", plain],
    ]),
  ).toEqual([]);
});
