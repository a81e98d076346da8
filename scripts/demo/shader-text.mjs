import { readFileSync } from "node:fs";

/**
 * A plugin for Vite: shaders without their comments and indentation, each line where it was, so that the line numbers of
 * a compiler's messages are the file's.
 *
 * @returns {import("vite").Plugin}
 */
export function shaderText() {
  return {
    name: "shader-text",
    enforce: "pre",
    load(id) {
      const [path = "", query] = id.split("?");
      if (!path.endsWith(".wgsl") || query !== "raw") return undefined;
      const lines = readFileSync(path, "utf8").split("\n");
      const bare = lines.map((line) => line.replace(/\/\/.*$/, "").trim());
      return { code: `export default ${JSON.stringify(bare.join("\n"))};`, moduleType: "js" };
    },
  };
}
