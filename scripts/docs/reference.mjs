import { existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { ROOT } from "../setup/install.mjs";
import { appendMethods, methodsOf } from "./methods.mjs";

export const DOCS = join(ROOT, "docs");
export const REFERENCE = join(DOCS, "reference");
const SIDEBAR = join(REFERENCE, "sidebar.json");

/** Packages with a library, those that most readers look for first. */
const PACKAGES = ["resnet", "tensor", "kernels-wgsl"];

/**
 * Entry points of the published packages: the specifier that a program imports, and its source.
 *
 * @returns {{ specifier: string, source: string }[]}
 */
export function entryPoints() {
  return PACKAGES.flatMap((name) => {
    const folder = join(ROOT, "packages", name);
    const manifest = JSON.parse(readFileSync(join(folder, "package.json"), "utf8"));
    return Object.entries(manifest.exports).flatMap(([key, { "@shadegrad/source": source }]) => {
      if (!source) return [];
      const parts = key.includes("*") ? readdirSync(join(folder, "src")).sort() : [""];
      return parts
        .map((part) => ({
          specifier: join(manifest.name, key.replace("*", part)),
          source: join(folder, source.replace("*", part)),
        }))
        .filter(({ source }) => existsSync(source));
    });
  });
}

/** Write the reference as Markdown: a page for each entry point. */
export async function writeReference() {
  const require = createRequire(join(DOCS, "package.json"));
  const { Application } = await import(pathToFileURL(require.resolve("typedoc")).href);
  const entries = entryPoints();
  const app = await Application.bootstrapWithPlugins({
    name: "Reference",
    entryPoints: entries.map(({ source }) => source),
    tsconfig: join(DOCS, "tsconfig.json"),
    plugin: ["typedoc-plugin-markdown", "typedoc-vitepress-theme"].map((name) => require.resolve(name)),
    out: REFERENCE,
    docsRoot: DOCS,
    outputFileStrategy: "modules",
    readme: "none",
    disableSources: true,
    excludePrivate: true,
    excludeInternal: true,
    hideBreadcrumbs: true,
    hidePageHeader: true,
    parametersFormat: "table",
    interfacePropertiesFormat: "table",
    sort: ["kind", "alphabetical"],
    sortEntryPoints: false,
    skipErrorChecking: true, // the linter's business
    logLevel: "Warn",
    validation: { invalidLink: true, notExported: false, notDocumented: false },
  });
  const project = await app.convert();
  if (!project) throw new Error("docs: TypeDoc could not read the sources; its output says why.");
  const modules = project.children ?? [];
  for (const module of modules) module.name = `@shadegrad/${module.name.replace("/src", "")}`;
  await app.generateOutputs(project);
  for (const { specifier, source } of entries.filter((entry) => !hasExports(entry))) {
    const page = join(DOCS, `${pageOf(specifier)}.md`);
    appendMethods(page, methodsOf(source), pageOf(join(specifier, "..")));
  }
  writeFileSync(SIDEBAR, JSON.stringify(PACKAGES.map((name) => sidebarOf(name, entries))));
}

/**
 * @param {string} name of a package
 * @param {ReturnType<typeof entryPoints>} entries
 */
function sidebarOf(name, entries) {
  const own = entries.filter(({ specifier }) => specifier.split("/")[1] === name);
  return {
    text: `@shadegrad/${name}`,
    collapsed: own.length > 10,
    items: own.map(({ specifier }) => ({
      text: specifier.slice("@shadegrad/".length),
      link: pageOf(specifier),
    })),
  };
}

/** False for a module that is imported for the methods that it adds. @param {{ source: string }} entry */
export const hasExports = ({ source }) => /^export /m.test(readFileSync(source, "utf8"));

/** Path of an entry point's page in the site, without its ending. @param {string} specifier */
export function pageOf(specifier) {
  const path = join("reference", specifier);
  const page = [path, join(path, "index"), `${path}-1`].find((path) => existsSync(join(DOCS, `${path}.md`)));
  if (!page) throw new Error(`docs: the reference has no page for ${specifier}.`);
  return `/${page}`;
}
