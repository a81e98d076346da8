import { FormatError } from "@shadegrad/tensor";
import { describe, expect, it } from "vitest";
import { decodeImage } from "../../src/data/index.ts";
import { onNode } from "../../src/data/node.ts";
import { pictureInput } from "../../src/picture.ts";

const files = import.meta.glob<string>("./pictures/*", { query: "?url&inline", import: "default" });

async function pictureBytes(name: string): Promise<Uint8Array<ArrayBuffer>> {
  return new Uint8Array(await (await fetch(await files[`./pictures/${name}`]!())).arrayBuffer());
}

const bytes = (base64: string) => Uint8Array.from(atob(base64), (character) => character.charCodeAt(0));

const PNG =
  "iVBORw0KGgoAAAANSUhEUgAAAAIAAAABCAIAAAB7QOjdAAAACXBIWXMAAAPoAAAD6AG1e1JrAAAAD0lEQVQImWP4z8DAJXICAAcPAeb4MSt3AAAAAElFTkSuQmCC";
const WEBP = "UklGRiAAAABXRUJQVlA4TBQAAAAvAQAAAA8wFF/4H+T5Dy1UIKL/AQ==";

/** Six pixels of several transparencies, as [r, g, b, a], and their PNG. */
const HALF_PIXELS = [
  [255, 0, 0, 255],
  [0, 0, 0, 128],
  [10, 200, 30, 64],
  [255, 255, 255, 0],
  [0, 80, 160, 1],
  [90, 90, 90, 200],
];
const HALF =
  "iVBORw0KGgoAAAANSUhEUgAAAAYAAAABCAYAAAD9yd/wAAAACXBIWXMAAAPoAAAD6AG1e1JrAAAAIklEQVQImWP4z8Dwn4GBoYHrhJzD////GRgCFjBGRUWdAABxbglzbnUTSwAAAABJRU5ErkJggg==";

/** The first picture as a BMP of 24 bits. */
const BMP = "Qk0+AAAAAAAAADYAAAAoAAAAAgAAAAEAAAABABgAAAAAAAgAAAAAAAAAAAAAAAAAAAAAAAAAAAD/yBQKAAA=";

/** Mean of cutout-white.png over white, by its RGBA values. */
const MEAN = 199.01;

describe("decodeImage, here and in browsers alike", () => {
  it.each([
    ["PNG", PNG],
    ["WebP", WEBP],
  ])("reads %s from bytes", async (_, picture) => {
    const { width, height, pixels } = await decodeImage(bytes(picture));
    expect([width, height]).toEqual([2, 1]);
    expect([...pixels]).toEqual([255, 0, 0, 10, 20, 200]);
  });

  it("reads a Blob", async () => {
    expect((await decodeImage(new Blob([bytes(PNG)]))).width).toBe(2);
  });

  it("says what is no picture", async () => {
    const damaged = decodeImage(bytes(PNG).subarray(0, 30));
    await expect(damaged).rejects.toThrow(FormatError);
    await expect(damaged).rejects.toThrow(/^decode: the image is no picture that can be read: /);
    await expect(decodeImage(new Uint8Array())).rejects.toThrow("decode: the image is empty.");
  });

  it("lays transparent pictures over white", async () => {
    const { width, height, pixels } = await decodeImage(await pictureBytes("cutout-white.png"));
    expect([width, height]).toEqual([451, 300]);
    const mean = pixels.reduce((sum, value) => sum + value, 0) / pixels.length;
    expect(mean).toBeGreaterThan(MEAN - 0.2);
    expect(mean).toBeLessThan(MEAN + 0.2);
    expect([...pixels.subarray(0, 3)]).toEqual([255, 255, 255]);
  });

  it("gives half-transparent colours to ±1", async () => {
    const half = await decodeImage(bytes(HALF));
    const expected = HALF_PIXELS.flatMap(([r, g, b, a]) =>
      [r!, g!, b!].map((value) => 255 + ((value - 255) * a!) / 255),
    );
    for (const [i, value] of expected.entries()) expect(Math.abs(half.pixels[i]! - value)).toBeLessThan(1.01);
  });

  it("opens a JPEG whose decoder warns, and none that breaks off", async () => {
    const jpeg = await pictureBytes("samsung-sos.jpg");
    expect((await decodeImage(jpeg)).width).toBe(96);
    for (const length of [300, 900, jpeg.length - 20])
      await expect(decodeImage(jpeg.subarray(0, length)), String(length)).rejects.toThrow(FormatError);
  });

  it("refuses SVG", async () => {
    const svg =
      '<svg xmlns="http://www.w3.org/2000/svg" width="4" height="4"><rect width="4" height="4"/></svg>';
    await expect(decodeImage(new Blob([svg]))).rejects.toThrow(
      /it is an SVG or another XML document, expected/,
    );
  });

  it("reads PGM and PPM, plain and binary", async () => {
    const text = (content: string) => Uint8Array.from(content, (character) => character.charCodeAt(0));
    const colours = [255, 0, 0, 10, 20, 200];
    expect([...(await decodeImage(text("P3 # colours\n2 1 255\n255 0 0 10 20 200"))).pixels]).toEqual(
      colours,
    );
    expect([...(await decodeImage(text(`P6\n2 1\n255\n\xff\0\0\n\x14\xc8`))).pixels]).toEqual(colours);
    expect([...(await decodeImage(text("P2\n2 1\n10\n0 5"))).pixels]).toEqual([0, 0, 0, 128, 128, 128]);
    expect([...(await decodeImage(text("P5 1 1 65535 \x80\0"))).pixels]).toEqual([128, 128, 128]);
    await expect(decodeImage(text("P6 200 100 255 \0\0"))).rejects.toThrow("take 60000 bytes, but 2 follow");
    await expect(decodeImage(text("P6 2 x 255 \0\0"))).rejects.toThrow('"x" is no number');
  });

  it("reads a BMP, and none that breaks off", async () => {
    const bmp = bytes(BMP);
    const { width, height, pixels } = await decodeImage(bmp);
    expect([width, height, ...pixels]).toEqual([2, 1, 255, 0, 0, 10, 20, 200]);
    await expect(decodeImage(bmp.subarray(0, 57))).rejects.toThrow(FormatError);
  });

  // A browser has a decoder of its own.
  it.skipIf(!onNode)("tells what is wrong with the header of a BMP", async () => {
    const bmp = bytes(BMP);
    const changed = (at: number, ...values: number[]) => {
      const copy = bmp.slice();
      copy.set(values, at);
      return decodeImage(copy);
    };
    await expect(changed(28, 0)).rejects.toThrow("it has 0 bits a pixel, expected one of 1, 4, 8");
    await expect(changed(46, 0, 0, 0xbc)).rejects.toThrow(/its 12320768 colours end at byte \d+ of 62/);
  });

  it("refuses a PNG that breaks off", async () => {
    const png = await stripes(64, 64, (i) => (i * i * 31 + (i >> 3) * 7) % 251);
    expect((await decodeImage(png)).width).toBe(64);
    for (const part of [0.3, 0.6, 0.9])
      await expect(decodeImage(png.subarray(0, part * png.length)), String(part)).rejects.toThrow(
        FormatError,
      );
  });

  it.skipIf(onNode)("refuses a WebP that breaks off", async () => {
    const canvas = new OffscreenCanvas(64, 48);
    const context = canvas.getContext("2d")!;
    for (let i = 0; i < 200; i++) {
      context.fillStyle = `hsl(${i * 37} 90% 50%)`;
      context.fillRect((i * 13) % 64, (i * 29) % 48, 5, 3);
    }
    const webp = await canvas.convertToBlob({ type: "image/webp" });
    expect((await decodeImage(webp)).width).toBe(64);
    for (const part of [0.3, 0.6, 0.9])
      await expect(decodeImage(webp.slice(0, part * webp.size)), String(part)).rejects.toThrow(FormatError);
  });

  it.runIf(onNode)("compares a PNG's pixels with what its bytes can hold", async () => {
    const png = await stripes(64, 64);
    const claimed = png.slice();
    claimed.set([0, 4, 0, 24, 0, 0, 0, 16], 16);
    await expect(decodeImage(claimed)).rejects.toThrow(/it has 262168 × 16 pixels in \d+ bytes, expected/);
    // A picture of one colour has as many pixels as Deflate can hold.
    expect((await decodeImage(await stripes(2000, 2000))).width).toBe(2000);
  });

  it("reduces a picture that is larger than any browser's canvas", async () => {
    const { width, height, pixels } = await decodeImage(await stripes(6000, 4000));
    expect([width, height]).toEqual([5016, 3344]);
    const at = (y: number) => pixels[(y * width + 7) * 3]!;
    expect([at(0), at(3343)]).toEqual([0, 255]);
  });

  it("reduces a BMP and a PGM that are larger than that, too", async () => {
    const pgm = new Uint8Array(20 + 20_000 * 3).fill(90);
    pgm.set(new TextEncoder().encode("P5 20000 3      255 "));
    const bmp = new Uint8Array(54 + 20_000 * 3 * 3).fill(90);
    bmp.set(bytes(BMP).subarray(0, 54));
    new DataView(bmp.buffer).setUint32(2, bmp.length, true);
    new DataView(bmp.buffer).setUint32(18, 20_000, true);
    new DataView(bmp.buffer).setUint32(22, 3, true);
    new DataView(bmp.buffer).setUint32(34, bmp.length - 54, true);
    for (const picture of [pgm, bmp]) {
      const { width, height, pixels } = await decodeImage(picture);
      expect([width, height, pixels[5], pixels.at(-5)]).toEqual([16384, 2, 90, 90]);
    }
  });

  const net = { options: { nBlocks: [1], nChannels: [1], classes: 2 } };

  it.each(["1x5000.png", "30000x1"])("%s costs what a square costs", async (name) => {
    const file = name === "30000x1" ? await stripes(30000, 1) : await pictureBytes(name);
    let least = Infinity; // of three times: others have the machine too
    for (let i = 0; i < 3; i++) {
      const start = performance.now();
      const { shape, crop } = pictureInput(await decodeImage(file), net);
      least = Math.min(least, performance.now() - start);
      expect([shape, crop.pixels.length]).toEqual([[1, 224, 224, 3], 224 * 224 * 3]);
    }
    expect(least).toBeLessThan(3000);
  });
});

/** A grey PNG whose upper half is black and whose lower half is white, or all black if it has one row; or whose bytes are others. */
async function stripes(
  width: number,
  height: number,
  other?: (i: number) => number,
): Promise<Uint8Array<ArrayBuffer>> {
  const row = 1 + Math.ceil(width / 8);
  const raw = new Uint8Array(row * height);
  for (let y = 0; y < height; y++) raw.fill(y < height / 2 ? 0 : 255, y * row + 1, (y + 1) * row);
  if (other) for (let i = 0; i < raw.length; i++) if (i % row > 0) raw[i] = other(i);
  const packed = new Blob([raw]).stream().pipeThrough(new CompressionStream("deflate"));
  const header = new Uint8Array(13);
  new DataView(header.buffer).setUint32(0, width);
  new DataView(header.buffer).setUint32(4, height);
  header[8] = 1; // bit a pixel
  const data = new Uint8Array(await new Response(packed).arrayBuffer());
  const signature = Uint8Array.of(0x89, 0x50, 0x4e, 0x47, 13, 10, 26, 10);
  const chunks = [signature, chunk("IHDR", header), chunk("IDAT", data), chunk("IEND", new Uint8Array())];
  return new Uint8Array(await new Blob(chunks).arrayBuffer());
}

function chunk(name: string, data: Uint8Array): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(12 + data.length);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, data.length);
  for (let i = 0; i < 4; i++) bytes[4 + i] = name.charCodeAt(i);
  bytes.set(data, 8);
  let crc = -1;
  for (const byte of bytes.subarray(4, -4)) {
    crc ^= byte;
    for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? (crc >>> 1) ^ 0xedb88320 : crc >>> 1;
  }
  view.setUint32(bytes.length - 4, ~crc);
  return bytes;
}
