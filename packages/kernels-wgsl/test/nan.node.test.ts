import { beforeAll, describe, expect, it } from "vitest";
import { openDevice } from "./device.ts";

// WGSL leaves NaN to the driver in max, min, clamp and comparisons: shaders may use them for integers, or beside a test of
// bits in the same line. Elsewhere the line ends in `// no NaN: REASON`.

const sources = Object.entries(
  import.meta.glob<string>("../src/**/*.wgsl", { eager: true, query: "?raw", import: "default" }),
);
let device: GPUDevice;

beforeAll(async () => {
  ({ device } = await openDevice("null"));
});

async function compiles(code: string): Promise<boolean> {
  device.pushErrorScope("validation");
  device.createShaderModule({ code });
  return (await device.popErrorScope()) === null;
}

const withoutComments = (code: string) => code.replace(/\/\/.*/g, (comment) => " ".repeat(comment.length));
const WHOLE = ["u32", "i32", "vec2u", "vec3u", "vec4u", "vec2i", "vec4i"];
const FUNCTIONS: Record<string, string> = { max: "a, b", min: "a, b", clamp: "a, b, c" };

/** Calls of max, min and clamp that no integer type fits, and `!=` likewise: by the compiler, not by their looks. */
async function ofFloats(code: string): Promise<string[]> {
  const bare = withoutComments(code);
  const found: string[] = [];
  for (const { 0: call, index } of bare.matchAll(/\b(max|min|clamp)\(|!=/g)) {
    const lineStart = code.lastIndexOf("\n", index) + 1;
    const line = code.slice(lineStart, code.indexOf("\n", index));
    if (/isNan|magnitude\(|\/\/ no NaN: ./.test(line)) continue;
    if (call === "!=") {
      if (!/!= 0\b/.test(line)) found.push(line.trim());
      continue;
    }
    const name = call.slice(0, -1);
    const replaced = `${bare.slice(0, index)}whole(${bare.slice(index + call.length)}`;
    const parameters = FUNCTIONS[name]!;
    const tries = WHOLE.map((type) => {
      const typed = parameters.replace(/\w/g, (x) => `${x}: ${type}`);
      return compiles(`${replaced}\nfn whole(${typed}) -> ${type} { return ${name}(${parameters}); }`);
    });
    if (!(await Promise.all(tries)).includes(true)) found.push(line.trim());
  }
  return found;
}

describe("max, min, clamp and != are for integers, or beside a test for NaN", () => {
  it.each(sources)("%s", async (_, code) => {
    expect(await ofFloats(code)).toEqual([]);
  });

  it("finds one of floats", async () => {
    const code = `@group(0) @binding(0) var<storage, read_write> y: array<f32>;
      @compute @workgroup_size(1) fn main(@builtin(local_invocation_index) i: u32) {
        y[min(i, 3)] = max(y[0], 0);
        if (y[1] != y[2]) { y[3] = 1; }
      }`;
    expect(await ofFloats(code)).toEqual(
      [
        "y[min(i, 3)] = max(y[0], 0);",
        "y[min(i, 3)] = max(y[0], 0);",
        "if (y[1] != y[2]) { y[3] = 1; }",
      ].slice(1),
    );
  });
});

it("every shader with an epilogue declares what expressions may use", () => {
  const lacking = sources.filter(
    ([, code]) => /^fn epilogue\(/m.test(code) && !/^fn magnitude\(\w+: \w+\) -> Bits \{/m.test(code),
  );
  expect(lacking.map(([path]) => path)).toEqual([]);
});
