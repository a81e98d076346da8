import { register } from "node:module";
import { expect, it } from "vitest";
import { decodeImage } from "../../src/data/index.ts";

/** Node's own answer to a package that is not installed. */
const absent = `export async function resolve(name, context, next) {
  if (/(^|[/\\\\])sharp([/\\\\]|@|$)/.test(name))
    throw Object.assign(new Error("Cannot find package 'sharp'"), { code: "ERR_MODULE_NOT_FOUND" });
  return next(name, context);
}`;

it("says what to install where sharp is absent, and blames no picture", async () => {
  register(`data:text/javascript,${encodeURIComponent(absent)}`);
  const png = Uint8Array.of(0x89, 0x50, 0x4e, 0x47, 13, 10, 26, 10, 0, 0);
  const error = await decodeImage(png).catch((error: Error) => error);
  expect(error).toMatchObject({
    name: "Error",
    message:
      "decode: in Node, pictures are decoded by the package sharp; it is not installed here: npm install sharp",
  });
  // A format that needs no decoder is read.
  const ppm = Uint8Array.from("P3 1 1 255\n1 2 3", (character) => character.charCodeAt(0));
  expect(await decodeImage(ppm)).toMatchObject({ width: 1, height: 1 });
});
