import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { brotliDecompressSync } from "node:zlib";
import { ROOT } from "./install.mjs";
import { fetchPackage, provide, run } from "./npm-package.mjs";

// A headless Chromium, and SwiftShader with a Vulkan loader, for machines that have none. 64 MB, so it is fetched when a
// machine turns out to need it and not with every install. Only its binaries are used: its JavaScript wants Node 22.
const PACKAGE = {
  name: "@sparticuz/chromium@147.0.2",
  integrity:
    "sha512-oqXyPAlGQuT9wdZAhcx4nmhehVgEsDc2adL/+FlX8qsLh/YyOgl9GQp8dPMDIBRmktxgA9c1QSNJIQUj2UeHhQ==",
  megabytes: 68,
};
const FOLDER = join(ROOT, ".cache", "embedded-147.0.2");

/** True if the embedded binaries run on this platform. */
export const embeddedSupported = process.platform === "linux" && process.arch === "x64";

/** Paths of the embedded parts, once they are provided. Chromium looks for its SwiftShader in its own folder. */
export const embedded = {
  swiftshader: join(FOLDER, "swiftshader"),
  chromium: join(FOLDER, "swiftshader", "chromium"),
  /** NSS and expat, for a machine too slim to have them. */
  libraries: join(FOLDER, "al2023", "lib"),
  fonts: join(FOLDER, "fonts"),
};

/** The environment in which the Vulkan loader, and so Dawn, finds SwiftShader and nothing else. */
export const swiftshaderEnvironment = {
  VK_DRIVER_FILES: join(embedded.swiftshader, "vk_swiftshader_icd.json"),
  VK_ICD_FILENAMES: join(embedded.swiftshader, "vk_swiftshader_icd.json"), // its name before Vulkan 1.3.207
  LD_LIBRARY_PATH: embedded.swiftshader, // has a loader too, for a machine without one
};

/** Fetch SwiftShader and its loader, unless they are there. */
export function provideSwiftshader() {
  provide(embedded.swiftshader, (folder) => untar("swiftshader.tar.br", folder));
}

/** Fetch the embedded Chromium with its libraries and fonts, unless they are there. */
export function provideChromium() {
  provideSwiftshader();
  provide(dirname(embedded.libraries), (folder) => untar("al2023.tar.br", folder));
  provide(embedded.fonts, (folder) => {
    untar("fonts.tar.br", folder);
    // Theirs names folders of a cloud service. `cachedir` takes no prefix but `xdg`: with `relative`, a folder `cache` appears
    // wherever the browser is started.
    const config = `<fontconfig><dir prefix="relative">fonts</dir><cachedir prefix="xdg">fontconfig</cachedir></fontconfig>`;
    writeFileSync(join(folder, "fonts.conf"), `<?xml version="1.0"?>\n${config}\n`);
  });
  provide(embedded.chromium, (file) => writeFileSync(file, decompress("chromium.br"), { mode: 0o755 }));
}

/** @param {string} name of a file in the package's `bin/` */
function decompress(name) {
  const unpacked = join(FOLDER, "package");
  provide(unpacked, (folder) => fetchPackage(PACKAGE, folder));
  return brotliDecompressSync(readFileSync(join(unpacked, "bin", name)));
}

/**
 * @param {string} name
 * @param {string} folder
 */
function untar(name, folder) {
  mkdirSync(folder);
  run("tar", ["-x", "--no-same-owner", "-C", folder], decompress(name));
}
