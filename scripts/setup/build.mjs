import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join, relative, sep } from "node:path";
import { fail, ROOT, runSync } from "./install.mjs";
import { strippedShaders } from "./shaders.mjs";

// A package after those that it depends on.
const PACKAGES = ["kernels-wgsl", "tensor", "resnet", "cli"];

/** Write the `dist/`, and the `dist-node/`, of every published package that has changed since the last time, or whose dependencies have. */
export async function build() {
  const hash = createHash("sha256");
  for (const name of ["build.mjs", "shaders.mjs"]) hash.update(readFileSync(join(import.meta.dirname, name)));
  for (const name of PACKAGES) {
    const folder = join(ROOT, "packages", name);
    const stamp = join(ROOT, ".cache", "built", name);
    for (const file of sources(folder)) hash.update(file).update(readFileSync(join(folder, file)));
    const wanted = hash.copy().digest("hex");
    const folders = isForNode(folder) ? ["dist", "dist-node"] : ["dist"];
    const isThere = [stamp, ...folders.map((name) => join(folder, name))].every((path) => existsSync(path));
    if (isThere && readFileSync(stamp, "utf8") === wanted) continue;

    console.error(`build: packages/${name}`); // standard output is that of the program run next
    rmSync(stamp, { force: true });
    for (const name of folders) rmSync(join(folder, name), { recursive: true, force: true });
    await writeModules(folder);
    if (isForNode(folder)) await writeForNode(folder);
    writeDeclarations(folder);
    if (bundleEntry(folder)) await writeBundle(folder);
    mkdirSync(join(ROOT, ".cache", "built"), { recursive: true });
    writeFileSync(stamp, wanted);
  }
}

/** The export that is one file, with all packages in it. */
const BUNDLE = "./shadegrad";

/**
 * The source of that file, where a package has one.
 *
 * @param {string} folder
 */
function bundleEntry(folder) {
  const bundle = manifest(folder).exports[BUNDLE];
  return bundle && join(folder, bundle["@shadegrad/source"]);
}

/** @param {string} folder */
function sources(folder) {
  const files = readdirSync(join(folder, "src"), { recursive: true, encoding: "utf8" });
  return [
    "package.json",
    ...files.filter((file) => /\.(ts|wgsl)$/.test(file)).map((file) => join("src", file)),
  ].sort();
}

/** @param {string} folder */
function manifest(folder) {
  return JSON.parse(readFileSync(join(folder, "package.json"), "utf8"));
}

/**
 * The sources that the package's `exports` name, `*` standing for each folder that has an index.
 *
 * @param {string} folder
 * @returns {string[]}
 */
function entryPoints(folder) {
  return Object.values(manifest(folder).exports).flatMap(({ "@shadegrad/source": source }) => {
    if (!source.includes("*")) return join(folder, source);
    const names = readdirSync(join(folder, "src"));
    return names.map((name) => join(folder, source.replace("*", name))).filter((path) => existsSync(path));
  });
}

/**
 * One module of JavaScript for each module of source, so that a bundler can drop what a page does not use.
 *
 * @param {string} folder
 */
const writeModules = (folder) =>
  writeEntries(folder, {
    entries: entryPoints(folder),
    outDir: "dist",
    nameOf: (source) => source,
    output: { preserveModules: true, preserveModulesRoot: "src", entryFileNames: "[name].js" },
  });

/** @param {string} folder */
const isForNode = (folder) => Object.values(manifest(folder).exports).some(({ node }) => node);

/**
 * The same as few files in one folder, the entry points and what several of them share: Node takes 0.4 ms to find and read a
 * module, and a program that classifies a picture would import 300. `import.meta.dirname` of a module in a folder of `src` is another
 * here: only modules that lie in `src` itself may go by it.
 *
 * @param {string} folder
 */
const writeForNode = (folder) =>
  writeEntries(folder, {
    entries: entryPoints(folder).filter((path) => path !== bundleEntry(folder)),
    outDir: "dist-node",
    nameOf: (source) => source.replace(/[\\/]index$/, ""),
    output: { entryFileNames: "[name].js", chunkFileNames: "shared-[name].mjs" }, // not in `exports`
  });

/**
 * @param {string} folder
 * @param {object} options
 * @param {string[]} options.entries paths of sources
 * @param {string} options.outDir
 * @param {(source: string) => string} options.nameOf the name of an entry's file, by its path in `src` without `.ts`
 * @param {import("vite").Rolldown.OutputOptions} options.output
 */
async function writeEntries(folder, { entries, outDir, nameOf, output }) {
  /** @param {string} path */
  const name = (path) => nameOf(relative(join(folder, "src"), path).replace(/\.ts$/, ""));
  const { dependencies = {} } = manifest(folder);
  const external = [/^node:/, ...Object.keys(dependencies).map((name) => new RegExp(`^${name}($|/)`))];
  const { build: bundle } = await import("vite"); // slow to import, and most of the time nothing has changed
  await bundle({
    configFile: false,
    root: folder,
    logLevel: "warn",
    plugins: [strippedShaders(shadersForAll(folder))],
    build: {
      outDir,
      target: "es2022",
      minify: false,
      lib: { entry: Object.fromEntries(entries.map((path) => [name(path), path])), formats: ["es"] },
      rolldownOptions: { external, output },
    },
  });
}

/**
 * One minified file without imports, for pages that have no bundler. Its declarations are those of its modules.
 *
 * @param {string} folder
 */
async function writeBundle(folder) {
  const { build: bundle } = await import("vite");
  await bundle({
    configFile: false,
    root: folder,
    logLevel: "warn",
    build: {
      outDir: "dist",
      emptyOutDir: false,
      target: "es2022",
      minify: true,
      lib: { entry: bundleEntry(folder), formats: ["es"], fileName: () => "shadegrad.js" },
      rolldownOptions: {
        external: [/^node:/, "webgpu", "sharp"], // imported by Node alone, on demand
        output: { codeSplitting: false },
      },
    },
  });
}

/**
 * Shaders of a package but those for software adapters and for matrix units, which few pages download.
 *
 * @param {string} folder
 */
function shadersForAll(folder) {
  const files = readdirSync(join(folder, "src"), { recursive: true, encoding: "utf8" });
  return files
    .filter((file) => file.endsWith(".wgsl") && !/^rasteriser|matrix\.wgsl$/i.test(file))
    .map((file) => join(folder, "src", file));
}

/**
 * Declarations of the modules that the entry points reach, without the kernels' checks and references.
 *
 * @param {string} folder
 */
function writeDeclarations(folder) {
  const config = join(folder, "dist", "tsconfig.json");
  const compilerOptions = {
    rootDir: "../src",
    outDir: ".",
    noEmit: false,
    declaration: true,
    emitDeclarationOnly: true,
    customConditions: [],
    types: ["@webgpu/types", "node", "vite/client"],
    noUnusedLocals: false, // the linter's business, and no reason not to build,
  };
  writeFileSync(
    config,
    JSON.stringify({ extends: "../../../tsconfig.base.json", compilerOptions, files: entryPoints(folder) }),
  );
  const tsc = join("node_modules", "typescript", "bin", "tsc");
  const { status } = runSync(process.execPath, [tsc, "-p", config]);
  if (status !== 0) fail("build: the declarations do not compile; the output above says why.");
  rmSync(config);

  for (const file of readdirSync(join(folder, "dist"), { recursive: true, encoding: "utf8" })) {
    if (!file.endsWith(".d.ts")) continue;
    const path = join(folder, "dist", file);
    // The compiler leaves `./tensor.ts` as it stands, and beside the declarations there is no such file.
    const text = readFileSync(path, "utf8").replace(
      /((?:from|import|declare module) ?\(?"\.[^"]*)\.ts"/g,
      '$1.js"',
    );
    const disposable = text.includes("Symbol.dispose") ? '/// <reference lib="esnext.disposable" />\n' : "";
    writeFileSync(path, disposable + text);
  }

  // TypeScript before 6 has no WebGPU in its DOM; there the types come with the binding that Node computes on. Since 6
  // the two would contradict each other.
  for (const { types, "types@<6": older } of Object.values(manifest(folder).exports)) {
    if (!older) continue;
    const path = join(folder, older);
    const newer = relative(dirname(path), join(folder, types)).split(sep).join("/");
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(
      path,
      `/// <reference types="webgpu" />\nexport * from "${newer.replace(".d.ts", ".js")}";\n`,
    );
  }
}
