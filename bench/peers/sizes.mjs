import { readFileSync } from "node:fs";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { ROOT } from "../../scripts/setup/install.mjs";
import { bundleSize } from "../../scripts/size/bundle.mjs";

const PAGES = join(import.meta.dirname, "pages");
const ORT = join(import.meta.dirname, "node_modules", "onnxruntime-web", "dist");

/** Download of a page that predicts with a ResNet and, except with ONNX Runtime, trains one. */
const MEASURED = {
  shadegrad: () => bundleSize(join(ROOT, "scripts", "size", "page.mjs")),
  // Ships as it is; of those with WebGPU the smallest.
  onnxruntime: () => filesSize("ort.jspi.bundle.min.mjs", "ort-wasm-simd-threaded.jspi.wasm"),
  tensorflow: () => bundleSize(join(PAGES, "tensorflow.mjs")),
  jax: () => bundleSize(join(PAGES, "jax.mjs"), { without: /webgl/ }),
};

/**
 * Bytes that a page downloads for each engine.
 *
 * @param {{ name: string, title: string }[]} engines
 * @returns {Promise<{ what: string, bytes: number, gzip: number }[]>}
 */
export async function sizes(engines) {
  const found = [];
  for (const { name, title } of engines) {
    const { bytes, gzip } = await MEASURED[name]();
    found.push({ what: title, bytes, gzip });
  }
  return found;
}

/** @param {string[]} files */
function filesSize(...files) {
  const contents = files.map((file) => readFileSync(join(ORT, file)));
  const sum = (sizes) => sizes.reduce((total, size) => total + size, 0);
  return {
    bytes: sum(contents.map(({ length }) => length)),
    gzip: sum(contents.map((content) => gzipSync(content, { level: 9 }).length)),
  };
}
