import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { chmod, mkdir, mkdtemp, readdir, readFile, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { crc32 } from "node:zlib";
import { FormatError } from "@shadegrad/tensor";
import sharp, { type Sharp } from "sharp";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import {
  cifar10,
  cropCentre,
  decodeImage,
  imageFolder,
  npmPackage,
  resize,
  resizeCentre,
  resizeShorter,
} from "../../src/data/index.ts";
import { pictureInput } from "../../src/picture.ts";
import { peakMemory, resetPeak } from "../fuzz/readers.ts";

let folder: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "shadegrad-data-"));
});

afterAll(() => rm(folder, { recursive: true, force: true }));

/** MiB that a process takes by itself meanwhile. */
const SLACK = 16;

/** A picture of one colour. */
const plain = (width: number, height: number, [r, g, b]: readonly [number, number, number]) =>
  sharp({ create: { width, height, channels: 3, background: { r, g, b } } });

describe("decodeImage", () => {
  it.each(["png", "jpeg", "webp"] as const)("reads %s", async (format) => {
    const path = join(folder, `picture.${format}`);
    await plain(5, 3, [200, 100, 50]).toFormat(format, { quality: 100 }).toFile(path);
    const { width, height, pixels } = await decodeImage(path);
    expect([width, height, pixels.length]).toEqual([5, 3, 45]);
    const off = [200, 100, 50].map((value, c) => Math.abs(pixels[c]! - value));
    expect(Math.max(...off)).toBeLessThanOrEqual(3);
  });

  it("gives three channels of grey, of 16 bits and of transparent pictures", async () => {
    const grey = await sharp(Buffer.of(10, 250), { raw: { width: 2, height: 1, channels: 1 } })
      .png()
      .toBuffer();
    expect([...(await decodeImage(grey)).pixels]).toEqual([10, 10, 10, 250, 250, 250]);
    const deep = await plain(1, 1, [255, 128, 0]).toColourspace("rgb16").png().toBuffer();
    expect([...(await decodeImage(deep)).pixels]).toEqual([255, 128, 0]);
    const clear = await sharp(Buffer.of(9, 8, 7, 0), { raw: { width: 1, height: 1, channels: 4 } })
      .png()
      .toBuffer();
    expect([...(await decodeImage(clear)).pixels]).toEqual([255, 255, 255]);
  });

  it("compares the pixels with the file before memory is taken for them", async () => {
    const png = await plain(4, 4, [1, 2, 3]).png().toBuffer();
    png.writeUInt32BE(60_000, 16);
    png.writeUInt32BE(4999, 20);
    png.writeUInt32BE(crc32(png.subarray(12, 29)), 29);
    await expect(decodeImage(png)).rejects.toThrow(
      /it has 60000 × 4999 pixels in \d+ bytes, expected at most/,
    );
  });

  it.each([
    ["a JPEG", (image: Sharp) => image.jpeg()],
    ["a progressive JPEG", (image: Sharp) => image.jpeg({ progressive: true })],
    ["a WebP", (image: Sharp) => image.webp()],
    ["a lossless WebP", (image: Sharp) => image.webp({ lossless: true })],
    ["a GIF", (image: Sharp) => image.gif()],
    ["a PNG", (image: Sharp) => image.png()],
    ["an interlaced PNG", (image: Sharp) => image.png({ progressive: true })],
    ["a TIFF", (image: Sharp) => image.tiff({ compression: "lzw" })],
    [
      "a blank page",
      (image: Sharp) => image.toColourspace("b-w").tiff({ compression: "ccittfax4", bitdepth: 1 }),
    ],
  ])("opens %s of five million white pixels, in little memory", async (_, encode) => {
    const file = await encode(plain(2500, 2000, [255, 255, 255])).toBuffer();
    const before = resetPeak();
    const { width, height, pixels } = await decodeImage(file);
    expect((peakMemory() - before) / 2 ** 20).toBeLessThan((4 * file.length) / 2 ** 20 + 64 + SLACK);
    // The image's own size, or reduced until it fits.
    expect(width / height).toBeCloseTo(1.25, 2);
    expect(width).toBeGreaterThan(800);
    expect(Math.min(...pixels.subarray(0, 3000), ...pixels.subarray(-3000))).toBeGreaterThanOrEqual(254);
  });

  it("takes no memory for a picture of a few wide rows", async () => {
    const file = await plain(1_000_000, 16, [255, 255, 255]).png().toBuffer();
    const before = resetPeak();
    await expect(decodeImage(file)).rejects.toThrow(
      /it has 1000000 × 16 pixels in \d+ bytes, expected at most \d+ columns/,
    );
    expect((peakMemory() - before) / 2 ** 20).toBeLessThan(SLACK);
  });

  it.each(["png", "jpeg", "webp", "gif", "tiff", "avif"] as const)(
    "refuses a %s that breaks off",
    async (format) => {
      const noise = Buffer.from(
        Array.from({ length: 64 * 48 * 3 }, (_, i) => (i * i * 31 + (i >> 3) * 7) % 251),
      );
      const whole = await sharp(noise, { raw: { width: 64, height: 48, channels: 3 } })
        .toFormat(format)
        .toBuffer();
      expect((await decodeImage(whole)).width).toBe(64);
      for (const part of [0.3, 0.6, 0.9])
        await expect(decodeImage(whole.subarray(0, part * whole.length)), String(part)).rejects.toThrow(
          FormatError,
        );
    },
  );

  it("takes little memory for a picture of one column", async () => {
    const picture = await readFile(new URL("pictures/1x5000.png", import.meta.url));
    const before = resetPeak();
    const { data } = pictureInput(await decodeImage(picture), { options: { classes: 2 } });
    expect(data.length).toBe(224 * 224 * 3);
    expect((peakMemory() - before) / 2 ** 20).toBeLessThan(100);
  });

  it("turns pictures upright", async () => {
    const lying = await plain(4, 2, [1, 2, 3]).withMetadata({ orientation: 6 }).png().toBuffer();
    const { width, height } = await decodeImage(lying);
    expect([width, height]).toEqual([2, 4]);
  });

  it("says which file is missing, empty or none", async () => {
    const empty = join(folder, "empty.png");
    await writeFile(empty, "");
    await expect(decodeImage(empty)).rejects.toThrow(`decode: ${empty} is empty.`);
    const text = join(folder, "text.jpg");
    await writeFile(text, "This is no picture.");
    await expect(decodeImage(text)).rejects.toThrow(
      /text\.jpg is no picture that can be read: it is in an unsupported format, expected a JPEG, PNG/,
    );
    await expect(decodeImage(join(folder, "missing.png"))).rejects.toThrow(/ENOENT.*missing\.png/);
  });
});

describe("imageFolder", () => {
  it("has a class for each subfolder, and pictures of one size", async () => {
    const root = join(folder, "pictures");
    await mkdir(join(root, "red", "deeper"), { recursive: true });
    await mkdir(join(root, "blue"));
    await mkdir(join(root, ".hidden"));
    await plain(20, 10, [255, 0, 0]).toFile(join(root, "red", "b.png"));
    await plain(6, 9, [255, 0, 0]).toFile(join(root, "red", "deeper", "a.png"));
    await plain(8, 8, [0, 0, 255]).toFile(join(root, "blue", "c.webp"));
    await writeFile(join(root, "blue", "notes.txt"), "not a picture");
    const data = await imageFolder(root, { size: 4, resize: 5 });
    expect([data.length, data.classes, data.shape]).toEqual([3, ["blue", "red"], [4, 4, 3]]);
    expect(data.files.map((file) => file.slice(root.length + 1))).toEqual([
      "blue/c.webp",
      "red/b.png",
      "red/deeper/a.png",
    ]);
    const { image, label } = await data.read(1);
    expect([label, image.length, ...image.subarray(0, 3)]).toEqual([1, 48, 255, 0, 0]);
    await writeFile(join(root, "red", "b.png"), "damaged");
    await expect(data.read(1)).rejects.toThrow(/b\.png is no picture/);
  });

  it("finds pictures behind links, of every format, and says what it leaves out", async () => {
    const root = join(folder, "varied");
    const elsewhere = join(folder, "elsewhere");
    await mkdir(join(root, "cafe\u0301", "x.jpg"), { recursive: true });
    await mkdir(join(root, "caf\u00e9"));
    await mkdir(join(root, "empty"));
    await mkdir(join(elsewhere, "deeper"), { recursive: true });
    await plain(4, 4, [255, 0, 0])
      .toFormat("jpeg")
      .toFile(join(root, "cafe\u0301", "x.jpg", "inside.jfif"));
    await plain(4, 4, [255, 0, 0])
      .toFormat("tiff")
      .toFile(join(root, "caf\u00e9", "a.TIF"));
    await writeFile(join(root, "caf\u00e9", "b.ppm"), "P3 1 1 255 1 2 3");
    await plain(4, 4, [0, 255, 0]).toFile(join(elsewhere, "deeper", "c.png"));
    await symlink(elsewhere, join(root, "linked"));
    await symlink(elsewhere, join(elsewhere, "deeper", "round"));
    await symlink(join(folder, "nowhere"), join(elsewhere, "nowhere.png"));
    await writeFile(join(elsewhere, "Thumbs.db"), "");
    await writeFile(join(elsewhere, ".DS_Store"), "");
    await writeFile(join(root, "readme.md"), "");
    const data = await imageFolder(root, { size: 4 });
    expect(data.classes).toEqual(["caf\u00e9", "empty", "linked"]);
    expect(data.files.map((file) => file.slice(root.length + 1)).sort()).toEqual(
      ["cafe\u0301/x.jpg/inside.jfif", "caf\u00e9/a.TIF", "caf\u00e9/b.ppm", "linked/deeper/c.png"].sort(),
    );
    expect([...data.labels]).toEqual([0, 0, 0, 2]);
    expect(data.leftOut).toEqual([
      "1 file that is no picture (.db)",
      "1 hidden file",
      "2 links that lead nowhere new",
      "1 file outside the classes' folders",
      "1 class without a picture",
    ]);
    for (let i = 0; i < data.length; i++) expect((await data.read(i)).image.length).toBe(48);
  });

  it("complains of a folder without pictures", async () => {
    const root = join(folder, "nothing");
    await mkdir(root);
    await expect(imageFolder(root)).rejects.toThrow(/nothing has no pictures in subfolders/);
  });
});

describe("resize", () => {
  it("averages when it shrinks, interpolates when it grows", async () => {
    const grey = (...values: number[]) => Uint8Array.from(values.flatMap((value) => [value, value, value]));
    const reds = ({ pixels }: { pixels: Uint8Array }) => [...pixels].filter((_, i) => i % 3 === 0);
    expect(reds(resize({ pixels: grey(0, 100, 200, 40), width: 4, height: 1 }, 2, 1))).toEqual([71, 117]);
    expect(reds(resize({ pixels: grey(0, 100), width: 2, height: 1 }, 4, 1))).toEqual([0, 25, 75, 100]);
    expect(reds(resize({ pixels: grey(3, 9), width: 1, height: 2 }, 3, 2))).toEqual([3, 3, 3, 9, 9, 9]);
  });

  it.each([
    [451, 300],
    [300, 451],
    [41, 57],
    [256, 255],
    [8, 3],
  ])("of the middle alone gives what cutting afterwards gives: %d × %d", (width, height) => {
    const image = {
      pixels: Uint8Array.from({ length: 3 * width * height }, (_, i) => (i * i) % 251),
      width,
      height,
    };
    for (const [shorter, side] of [
      [256, 224],
      [32, 32],
      [37, 30],
    ] as const) {
      const [found, expected] = [
        resizeCentre(image, shorter, side),
        cropCentre(resizeShorter(image, shorter), side),
      ];
      expect([found.width, found.height]).toEqual([side, side]);
      expect(Buffer.compare(found.pixels, expected.pixels)).toBe(0);
    }
  });

  it("fits the shorter side of a portrait", () => {
    const image = { pixels: new Uint8Array(3 * 451 * 300), width: 300, height: 451 };
    const { width, height } = resizeShorter(image, 256);
    expect([width, height]).toEqual([256, 385]);
  });

  it("fits the shorter side", () => {
    const image = { pixels: new Uint8Array(3 * 451 * 300), width: 451, height: 300 };
    const { width, height } = resizeShorter(image, 256);
    expect([width, height]).toEqual([385, 256]);
  });
});

describe("cifar10", () => {
  it("takes row i of a picture for image i", async () => {
    const rows = Buffer.alloc(10_000 * 3072);
    for (let i = 0; i < 10_000; i++) rows.fill(i % 251, i * 3072, (i + 1) * 3072);
    const labels = Array.from({ length: 10_000 }, (_, i) => i % 10);
    const from = join(folder, "cifar");
    await mkdir(from);
    await sharp(rows, { raw: { width: 1024, height: 10_000, channels: 3 } })
      .png({ compressionLevel: 1 })
      .toFile(join(from, "test_batch.png"));
    await writeFile(join(from, "test_lables.json"), JSON.stringify(labels));
    const data = await cifar10({ split: "test", from });
    expect([data.length, data.shape, data.classes[3]]).toEqual([10_000, [32, 32, 3], "cat"]);
    const { image, label } = data.read(5678);
    expect([image.length, image[0], image.at(-1), label]).toEqual([3072, 5678 % 251, 5678 % 251, 8]);

    await writeFile(join(from, "test_lables.json"), JSON.stringify(labels.slice(1)));
    await expect(cifar10({ split: "test", from })).rejects.toThrow(
      /has to be 10000 labels from 0 to 9: it has 9999/,
    );
  });
});

describe.skipIf(process.platform === "win32")("npmPackage", () => {
  const path = process.env.PATH;
  const wanted = { name: "data", version: "1.0.0", integrity: "", megabytes: 1 };

  beforeAll(async () => {
    // Stands in for npm, with a package that is here already.
    const bin = join(folder, "bin");
    await mkdir(join(folder, "data"));
    await mkdir(bin);
    await writeFile(join(folder, "data", "numbers.txt"), "1 2 3");
    const tarball = join(folder, "data-1.0.0.tgz");
    execFileSync("tar", ["-czf", tarball, "-C", folder, "data"]);
    const digest = createHash("sha512")
      .update(await readFile(tarball))
      .digest("base64");
    wanted.integrity = `sha512-${digest}`;
    const script = `#!/bin/sh\necho "$@" >> "${folder}/calls"\n[ "$2" = "data@1.0.0" ] || { echo "no such package" >&2; exit 1; }\ncp "${tarball}" .\n`;
    await writeFile(join(bin, "npm"), script);
    await chmod(join(bin, "npm"), 0o755);
    process.env.PATH = `${bin}${delimiter}${path}`;
  });

  afterAll(() => {
    process.env.PATH = path;
  });

  it("fetches once, and says so", async () => {
    const cache = join(folder, "cache");
    const said: string[] = [];
    const options = { cache, log: (message: string) => said.push(message) };
    const both = await Promise.all([npmPackage(wanted, options), npmPackage(wanted, options)]);
    expect(new Set([...both, await npmPackage(wanted, options)])).toEqual(
      new Set([join(cache, "data-1.0.0")]),
    );
    expect(await readFile(join(cache, "data-1.0.0", "numbers.txt"), "utf8")).toBe("1 2 3");
    expect(said).toEqual(Array(2).fill(`fetching data@1.0.0, 1 MB, into ${cache}`));
    expect(await readdir(cache)).toEqual(["data-1.0.0"]);
  });

  it("keeps nothing that is not what was pinned, or did not come", async () => {
    const cache = join(folder, "wary");
    const other = { ...wanted, integrity: "sha512-another" };
    await expect(npmPackage(other, { cache })).rejects.toThrow(
      /data@1\.0\.0 is sha512-.* but has to be sha512-another/,
    );
    const missing = { ...wanted, version: "2.0.0" };
    await expect(npmPackage(missing, { cache })).rejects.toThrow(
      /npm pack data@2\.0\.0 .* failed with status 1\.\nno such package/,
    );
    expect(await readdir(cache)).toEqual([]);
  });
});
