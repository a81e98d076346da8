import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { filesBelow, ROOT, readSource, target } from "./source.ts";

// A package may import those of a lower level.
const LEVELS: Readonly<Record<string, number>> = {
  "kernels-wgsl": 0,
  tensor: 1,
  resnet: 2,
  bench: 3,
  cli: 4,
  demo: 4,
};
const isBelow = (name: string, above: string) => LEVELS[name]! < LEVELS[above]!;

const files = filesBelow("packages");
const modules = files.filter((path) => path.endsWith(".ts") && !path.endsWith(".d.ts")).map(readSource);
const sources = modules.filter(({ path }) => path.split("/")[2] === "src");
const paths = (matching: { path: string }[]) => matching.map(({ path }) => path);

test("there is something to look at", () => {
  expect(sources.length).toBeGreaterThan(10);
  expect(sources.flatMap(({ imports }) => imports).length).toBeGreaterThan(sources.length);
});

test("packages depend in one direction: demo, cli → resnet → tensor → kernels-wgsl", () => {
  const upward: string[] = [];
  const check = (from: string, name: string, specifier: string) => {
    const dependency = /^@shadegrad\/([^/]+)/.exec(specifier)?.[1];
    if (!dependency || isBelow(dependency, name)) return;
    const ownTest = dependency === name && from.startsWith(`packages/${name}/test/`);
    if (!ownTest) upward.push(`${from}: ${specifier}`);
  };
  for (const name of new Set(modules.map((module) => module.package))) {
    const path = `packages/${name}/package.json`;
    const { dependencies, devDependencies, peerDependencies } = JSON.parse(
      readFileSync(join(ROOT, path), "utf8"),
    );
    for (const key of Object.keys({ ...dependencies, ...devDependencies, ...peerDependencies }))
      check(path, name, key);
  }
  for (const { path, package: name, imports } of modules) {
    for (const { specifier } of imports) {
      check(path, name, specifier);
      if (!specifier.startsWith(".")) continue;
      const [top, owner = "", kind] = target(path, specifier).split("/");
      // Tests may share what the tests of a package below them have.
      const isTest = path.startsWith(`packages/${name}/test/`);
      const shared = isTest && kind === "test" && isBelow(owner, name);
      if (isTest && top === "scripts") continue; // they build and serve, and find a browser
      if (owner !== name && !shared) upward.push(`${path}: ${specifier} leaves its package`);
    }
  }
  expect(upward).toEqual([]);
});

test("kernels-wgsl depends on nothing, tensor on kernels-wgsl and webgpu", () => {
  const foreign = (name: string) => {
    const specifiers = sources.filter((source) => source.package === name).flatMap(({ imports }) => imports);
    return new Set(
      specifiers.map(({ specifier }) => specifier).filter((specifier) => !specifier.startsWith(".")),
    );
  };
  const dependencies = (name: string) =>
    JSON.parse(readFileSync(join(ROOT, "packages", name, "package.json"), "utf8")).dependencies ?? {};
  expect(Object.keys(dependencies("kernels-wgsl"))).toEqual([]);
  expect(Object.keys(dependencies("tensor"))).toEqual(["@shadegrad/kernels-wgsl", "webgpu"]);
  expect([...foreign("kernels-wgsl")]).toEqual([]);
  expect(
    [...foreign("tensor")].filter((specifier) => !/^(@shadegrad\/kernels-wgsl|node:)/.test(specifier)),
  ).toEqual([]);
});

test("WGSL lives in kernels-wgsl", () => {
  const elsewhere = (path: string) => !path.startsWith("packages/kernels-wgsl/");
  expect(files.filter((path) => path.endsWith(".wgsl") && elsewhere(path))).toEqual([]);
  const shaders = sources.filter(({ strings }) =>
    strings.some((text) => /@(compute|group|workgroup_size)\b/.test(text)),
  );
  expect(paths(shaders).filter(elsewhere)).toEqual([]);
});

test.each([
  ["rasteriser", "adapter.ts"],
  ["matrixUnits", "matrices.ts"],
])("nothing imports the folder %s but tensor's gpu/%s, once an adapter needs it", (folder, file) => {
  const inside = (path: string) => path.startsWith(`packages/kernels-wgsl/src/${folder}/`);
  const importing = sources
    .filter(({ path, imports }) => {
      const into = imports.map(({ specifier }) =>
        specifier.startsWith(".") ? target(path, specifier) : specifier,
      );
      return !inside(path) && into.some((to) => to.split("/").includes(folder));
    })
    .map(({ path }) => path);
  expect(importing).toEqual([`packages/tensor/src/gpu/${file}`]);
  const text = readFileSync(join(ROOT, importing[0]!), "utf8");
  expect(text).toMatch(new RegExp(`await import\\(\\s*"@shadegrad/kernels-wgsl/${folder}"`));
  expect(text).not.toContain(`from "@shadegrad/kernels-wgsl/${folder}"`);
});

test("launching, convolutions, products and ops do not mention textures and padded channels", () => {
  const rooms = /^packages\/(kernels-wgsl\/src\/(launch|conv2d|matmul)|tensor\/src\/ops)\//;
  const telling = files.filter(
    (path) =>
      rooms.test(path) &&
      /texels?\b|textureLoad|padChannels|resizeRows/i.test(readFileSync(join(ROOT, path), "utf8")),
  );
  expect(telling).toEqual([]);
});

test("one file touches navigator.gpu and the webgpu binding", () => {
  const touching = sources.filter(
    ({ accesses, strings, imports }) =>
      accesses.includes("navigator.gpu") ||
      strings.includes("webgpu") ||
      imports.some(({ specifier }) => specifier === "webgpu"),
  );
  expect(paths(touching)).toHaveLength(1);
  expect(touching[0]!.package).toBe("tensor");
});

test.each([
  ["launch", ["core/run.ts"]],
  ["replay", ["compile/plan.ts", "tune/measure.ts"]],
])("kernels are launched by tensor's run, its plans and its measurements alone: %s", (method, callers) => {
  const calling = sources.filter(
    ({ package: name, calls }) => name !== "kernels-wgsl" && calls.includes(method),
  );
  expect(paths(calling)).toEqual(callers.map((path) => `packages/tensor/src/${path}`));
});

// The folders of tensor, and the folders that each may import, types included.
const ROOMS: Record<string, readonly string[]> = {
  "errors.ts": [],
  gpu: ["errors.ts"],
  core: ["gpu", "errors.ts"],
  ops: ["core", "gpu", "errors.ts"],
  methods: ["ops", "core", "gpu", "errors.ts"],
  compile: ["core", "gpu", "errors.ts"],
  formats: ["errors.ts"],
  backward: ["ops", "compile", "core", "gpu", "errors.ts"],
  nn: ["backward", "ops", "compile", "core", "gpu", "formats", "errors.ts"],
  optim: ["nn", "backward", "ops", "compile", "core", "gpu", "formats", "errors.ts"],
  tune: ["optim", "nn", "backward", "ops", "compile", "core", "gpu", "formats", "errors.ts"],
};
// Bits of halves are the business of both, and need neither tensors nor a device.
const SHARED_WITH_FORMATS = "packages/tensor/src/core/float16.ts";

test("inside tensor no import runs up: tune → optim → nn → backward → ops, compile → core → gpu → errors", () => {
  const room = (path: string) => /^packages\/tensor\/src\/([^/]+)/.exec(path)?.[1];
  const upward = sources.flatMap(({ path, imports }) => {
    const from = room(path);
    if (!from || from === "index.ts") return [];
    return imports.flatMap(({ specifier }) => {
      if (!specifier.startsWith(".")) return [];
      const to = target(path, specifier);
      const isAllowed =
        room(to) === from ||
        ROOMS[from]?.includes(room(to)!) ||
        (from === "formats" && to === SHARED_WITH_FORMATS);
      return isAllowed ? [] : [`${path}: ${specifier}`];
    });
  });
  expect(upward).toEqual([]);
});

test("no circular import, of types neither", () => {
  const edges = new Map(
    modules.map(({ path, imports }) => [
      path,
      imports
        .filter(({ specifier }) => specifier.startsWith("."))
        .map(({ specifier }) => target(path, specifier)),
    ]),
  );
  const circles: string[] = [];
  const done = new Set<string>();
  const follow = (path: string, trail: string[]) => {
    if (trail.includes(path)) circles.push([...trail.slice(trail.indexOf(path)), path].join(" → "));
    if (done.has(path)) return;
    done.add(path);
    for (const next of edges.get(path) ?? []) follow(next, [...trail, path]);
  };
  for (const path of edges.keys()) follow(path, []);
  expect(circles).toEqual([]);
});

test("files are named for what is in them", () => {
  const vague = /(^|\/)(utils?|helpers?|common|managers?|misc)(\.[^/]*)?(\/|$)/i;
  const everywhere = [...files, ...filesBelow("scripts"), ...filesBelow("test")];
  expect(everywhere.filter((path) => vague.test(path))).toEqual([]);
});

test("a comment opens with a noun or a verb", () => {
  const openers = /^(It|Its|They|Their|These|Those|So|Where|Of|Which|What|Whether|How|That|As|Nor|Neither)\b/;
  const everywhere = ["packages", "bench", "scripts", "examples", "docs", "test"].flatMap(filesBelow);
  const opening = everywhere
    .filter((path) => /\.(ts|mjs|js|css|wgsl|vue)$/.test(path))
    .flatMap((path) => comments(readFileSync(join(ROOT, path), "utf8")).map((comment) => ({ path, comment })))
    .filter(({ comment }) => openers.test(comment))
    .map(({ path, comment }) => `${path}: ${comment}`);
  expect(opening).toEqual([]);
});

/** First lines of a text's comments; consecutive lines after `//` are one comment. */
function comments(text: string): string[] {
  const blocks = [...text.matchAll(/(?<!\S)\/\*\*?\s+(?:\* )?(.*)/g)];
  const lines = [...text.matchAll(/(?<!^[ \t]*\/\/.*\n[ \t]*)(?<!\S)\/\/ (.*)/gm)];
  return [...blocks, ...lines].map((match) => match[1]!);
}
