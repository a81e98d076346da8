import { beforeAll, describe, expect, it } from "vitest";
import { WgslReflect } from "wgsl_reflect/wgsl_reflect.module.js";
import { epilogueHoles } from "../src/launch/epilogue.ts";
import { type Holes, layout, specialize } from "../src/launch/kernel.ts";
import { openDevice } from "./device.ts";
import { imitated } from "./imitated.ts";
import { checked, elements, shaders } from "./kernels.ts";
import { able, isAble, rows } from "./variants.ts";

let device: GPUDevice;

beforeAll(async () => {
  ({ device } = await openDevice("null"));
});

async function complaints(code: string): Promise<string[]> {
  device.pushErrorScope("validation");
  const module = device.createShaderModule({ code });
  device.createComputePipeline({ layout: "auto", compute: { module, entryPoint: "main" } });
  const error = await device.popErrorScope();
  return error && !isOfNullDevice(error.message) ? [error.message] : [];
}

/** The null device has 16 KiB of workgroup memory, less than the adapters that these variants are for. */
function isOfNullDevice(message: string): boolean {
  const bytes = /total use of workgroup storage \((\d+) bytes\)/.exec(message)?.[1];
  return bytes !== undefined && able.every(({ workgroupMemory }) => Number(bytes) <= workgroupMemory);
}

it("has a check in every folder that has a shader", () => {
  const folders = (paths: string[]) => [...new Set(paths.map((path) => path.replace(/\/[^/]+$/, "")))].sort();
  expect(folders(checked)).toEqual(folders(shaders));
});

it("has no member of Params that neither a shader nor the choice of a launch reads", () => {
  const unread: string[] = [];
  for (const kernel of new Set(rows.map(([, kernel]) => kernel))) {
    const own = rows.filter((row) => row[1] === kernel);
    const read = new Set(
      own.flatMap(([, , { source }]) => [...source.matchAll(/\bp\.(\w+)/g)].map(([, name]) => name)),
    );
    for (const [, , variant, cases] of own) {
      for (const { params, holes } of cases()) {
        const watched = new Proxy(params, {
          get: (from, name) => {
            read.add(String(name));
            return Reflect.get(from, name);
          },
        });
        isAble(variant, watched);
        variant.workgroups(watched, { ...variant.holes, ...holes });
      }
    }
    unread.push(
      ...Object.keys(kernel.params).flatMap((name) => (read.has(name) ? [] : `${kernel.name}: ${name}`)),
    );
  }
  expect(unread).toEqual([]);
});

it("has no name that means something else around it, in the same function", () => {
  const shaders = new Map(rows.map(([name, , { source }]) => [source, name]));
  const found = [...shaders].flatMap(([source, name]) => hidden(source).map((hides) => `${name}: ${hides}`));
  expect(found).toEqual([]);
  expect(hidden("fn f(k: u32) -> u32 { for (var i = 0u; i < 4; i++) { let k = i; } return k; }")).toEqual([
    "k",
  ]);
  expect(
    hidden("fn f() { for (var i = 0u; i < 4; i++) { let k = i; } let k = 1; }\nfn g(k: u32) {}"),
  ).toEqual([]);
});

/** Names of locals that hide a local or a parameter. */
function hidden(source: string): string[] {
  const found: string[] = [];
  const scopes: Set<string>[] = [];
  let isOpen = false; // a scope that its parameters or a loop's counter have opened
  const tokens = /\bfn \w+\(([^{]*)|\bfor \(|[{}]|\b(?:let|var) (\w+)/g;
  for (const [token, parameters, name] of source.replace(/\/\/.*/g, "").matchAll(tokens)) {
    if (name !== undefined) {
      if (scopes.some((scope) => scope.has(name))) found.push(name);
      scopes.at(-1)?.add(name);
    } else if (token === "}") scopes.pop();
    else {
      if (!isOpen) scopes.push(new Set(parameters?.match(/\w+(?=:)/g)));
      isOpen = token !== "{";
    }
  }
  return found;
}

describe.each(rows)("%s", (_, kernel, variant, cases) => {
  /** The distinct hole settings that the cases use, for float32 and, where there is `Elem`, float16. */
  const settings = (): Holes[] => {
    const found = cases()
      .filter(({ params }) => isAble(variant, params))
      .map(({ holes, epilogue }) => ({
        ...variant.holes,
        ...holes,
        ...(epilogue && epilogueHoles(epilogue)),
      }));
    const distinct = [...new Map(found.map((holes) => [JSON.stringify(holes), holes])).values()];
    const half = /^alias Elem = f32;/m.test(variant.source)
      ? distinct.map((h) => ({ ...h, Elem: "f16" }))
      : [];
    return [...distinct, ...half];
  };

  it("is a valid shader as it stands, and with its holes filled", async () => {
    expect(settings().length, "cases that this variant fits").toBeGreaterThan(0);
    expect(await complaints(variant.source)).toEqual([]);
    for (const holes of settings()) {
      expect(await complaints(specialize(kernel.name, variant.source, holes)), JSON.stringify(holes)).toEqual(
        [],
      );
    }
  });

  it("has the bindings and the layout of Params that TypeScript says", () => {
    const { storage, uniforms } = new WgslReflect(imitated(variant.source).replace(/^enable .*$/m, ""));
    const bindings = [...storage, ...uniforms].sort((a, b) => a.binding - b.binding);
    expect(bindings.map(({ name, group }) => `${group}:${name}`)).toEqual(
      [...kernel.reads, ...kernel.writes, "p"].map((name) => `0:${name}`),
    );
    const access = storage.map(({ name, access }) => `${name} ${access}`).sort();
    expect(access).toEqual(
      [...kernel.reads.map((n) => `${n} read`), ...kernel.writes.map((n) => `${n} read_write`)].sort(),
    );
    const members = uniforms[0]!.members as { name: string; offset: number; type: { name: string } }[];
    const { offsets } = layout(kernel.params);
    expect(members.map(({ name, offset, type }) => [name, type.name, offset])).toEqual(
      Object.entries(kernel.params).map(([name, type]) => [name, type, offsets[name]]),
    );
  });

  it("has the types of elements that TypeScript says", () => {
    for (const name of [...kernel.reads, ...kernel.writes]) {
      const type = kernel.types?.[name] ?? "Elem";
      const [hole, otherwise] = typeof type === "string" ? [type, type] : type;
      const found = (holes: Holes) => elements(variant.source, { ...variant.holes, ...holes }).get(name);
      expect(found({}), name).toBe(otherwise === "Elem" ? elementOf(variant.source) : otherwise);
      if (otherwise === "Elem") expect(found({ Elem: "f16" }), name).toBe("f16");
      if (hole !== otherwise) expect(found({ [hole]: "f16" }), name).toBe("f16");
    }
  });

  it("has a case with several workgroups", ({ skip }) => {
    skip(kernel.name === "lossScale", "one invocation does its work");
    const most = cases()
      .filter(({ params }) => isAble(variant, params))
      .map(({ params, holes }) => variant.workgroups(params, { ...variant.holes, ...holes }))
      .reduce(
        (most, grid) =>
          Math.max(
            most,
            grid.reduce((count, side) => count * side, 1),
          ),
        0,
      );
    expect(most).toBeGreaterThan(1);
  });
});

/** Default of `Elem`. */
const elementOf = (source: string) => /^alias Elem = (\w+);/m.exec(source)?.[1];
