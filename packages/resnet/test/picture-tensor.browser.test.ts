import { type Device, init, type Tensor } from "@shadegrad/tensor";
import { beforeAll, describe, expect, it, vi } from "vitest";
import { commands } from "vitest/browser";
import { Classifier, resnet8 } from "../src/index.ts";
import { inputOf, pictureInput } from "../src/picture.ts";
import { type PictureSource, pictureOf } from "../src/picture-source.ts";
import { pictureTensor } from "../src/picture-tensor.ts";

declare module "vitest/browser" {
  interface BrowserCommands {
    copiesPictures(): Promise<boolean>;
  }
}

const canCopy = await commands.copiesPictures();
let device: Device;

beforeAll(async () => {
  // The adapter counts as a GPU: a software adapter takes the CPU's way.
  device = await init();
  Object.assign(device.adapter, { software: false });
});

const SMALL = { options: { classes: 10, firstKernelSize: 3 } };
const LARGE = { options: { classes: 1000 } };
const GREY = { options: { classes: 10, firstKernelSize: 3, imgChannels: 1 } };
const BGR = {
  ...SMALL,
  preprocessing: { channels: "bgr", range: 255, mean: [1, 2, 3], std: [4, 5, 6] } as const,
};

/** Stripes, a gradient and noise, opaque or of several transparencies. */
function drawn(width: number, height: number, { alpha = false } = {}): OffscreenCanvas {
  const canvas = new OffscreenCanvas(width, height);
  const context = canvas.getContext("2d", { willReadFrequently: true })!;
  const image = context.createImageData(width, height);
  for (let i = 0; i < width * height; i++) {
    const [x, y] = [i % width, Math.floor(i / width)];
    const noise = (Math.imul(i, 2654435761) >>> 24) & 63;
    image.data.set(
      [
        (x * 7 + noise) % 256,
        x % 5 < 2 ? 230 : (y * 3) % 256,
        (x + y + noise) % 256,
        alpha ? (i * 29) % 256 : 255,
      ],
      4 * i,
    );
  }
  context.putImageData(image, 0, 0);
  return canvas;
}

const imageData = (canvas: OffscreenCanvas) =>
  canvas.getContext("2d")!.getImageData(0, 0, canvas.width, canvas.height);

async function image(blob: Blob): Promise<HTMLImageElement> {
  const img = new Image();
  img.src = URL.createObjectURL(blob);
  await img.decode();
  return img;
}

async function video(canvas: OffscreenCanvas): Promise<HTMLVideoElement> {
  const shown = document.createElement("canvas");
  Object.assign(shown, { width: canvas.width, height: canvas.height });
  shown.getContext("2d")!.drawImage(canvas, 0, 0);
  const element = document.createElement("video");
  Object.assign(element, { muted: true, srcObject: shown.captureStream(10) });
  await element.play();
  return element;
}

type Net = Parameters<typeof pictureTensor>[1];

/** The largest difference from the CPU's way, in 255ths. */
async function difference(source: PictureSource, net: Net): Promise<number> {
  using x: Tensor = await pictureTensor(source, net, device);
  const found = await x.data();
  const { data, shape } = pictureInput(await pictureOf(source), net);
  expect(x.shape).toEqual(shape);
  const { normalization, C } = inputOf(net);
  const off = data.map((value, i) => Math.abs(value - found[i]!) * 255 * normalization.std[i % C]!);
  return off.reduce((most, value) => Math.max(most, value), 0);
}

describe.runIf(canCopy)("a picture's way over the GPU equals the CPU's to ±1 of 255", () => {
  it.each<[string, () => PictureSource | Promise<PictureSource>, Net]>([
    ["of odd sizes", () => drawn(301, 233), SMALL],
    ["for a large net, from a portrait", () => drawn(333, 517), LARGE],
    ["upscaled", () => drawn(21, 13), SMALL],
    ["upscaled for a large net", () => drawn(97, 131), LARGE],
    ["of one row", () => drawn(255, 1), SMALL],
    ["transparent, over white", () => drawn(157, 211, { alpha: true }), SMALL],
    ["ImageData", () => imageData(drawn(67, 45)), SMALL],
    ["transparent ImageData", () => imageData(drawn(67, 45, { alpha: true })), LARGE],
    ["a bitmap", () => createImageBitmap(drawn(120, 77)), SMALL],
    ["a file", () => drawn(120, 77, { alpha: true }).convertToBlob(), SMALL],
    ["an image", async () => image(await drawn(120, 77, { alpha: true }).convertToBlob()), SMALL],
    ["a frame", () => new VideoFrame(drawn(64, 48), { timestamp: 0 }), SMALL],
    ["in grey", () => drawn(99, 70), GREY],
    ["in another order of channels", () => drawn(99, 70), BGR],
  ])("%s", async (_, make, net) => {
    expect(await difference(await make(), net)).toBeLessThanOrEqual(1.001);
  });

  it("a video", async () => {
    const element = await video(drawn(96, 64));
    expect(await difference(element, SMALL)).toBeLessThanOrEqual(1.001);
    (element.srcObject as MediaStream).getTracks()[0]!.stop();
  });

  it("an image that is stored on its side", async () => {
    const [file] = Object.values(
      import.meta.glob<string>("./data/pictures/samsung-sos.jpg", {
        query: "?url&inline",
        import: "default",
      }),
    );
    const blob = await (await fetch(await file!())).blob();
    expect(await difference(await image(blob), SMALL)).toBeLessThanOrEqual(1.001);
    expect(await difference(blob, SMALL)).toBeLessThanOrEqual(1.001);
  });
});

it.runIf(canCopy)("no pixel is read by the CPU, and one texture serves all frames", async () => {
  const canvas = drawn(300, 200);
  const read = vi.spyOn(OffscreenCanvasRenderingContext2D.prototype, "getImageData");
  const make = vi.spyOn(device.gpu, "createTexture");
  for (let frame = 0; frame < 5; frame++) (await pictureTensor(canvas, SMALL, device)).dispose();
  expect(read).not.toHaveBeenCalled();
  expect(make).toHaveBeenCalledTimes(1);
  const { buffers } = device.counts;
  for (let frame = 0; frame < 5; frame++) (await pictureTensor(canvas, SMALL, device)).dispose();
  expect(device.counts.buffers).toBe(buffers);
  read.mockRestore();
  make.mockRestore();
});

it.runIf(canCopy)("a picture that is larger than a texture takes the CPU's way", async () => {
  const most = device.gpu.limits.maxTextureDimension2D;
  expect(await difference(drawn(most + 3, 5), SMALL)).toBe(0);
  await expect(pictureTensor(new OffscreenCanvas(0, 5), SMALL, device)).rejects.toThrow("0 × 5 pixels");
});

it("a software adapter takes the CPU's way", async () => {
  const copy = vi.spyOn(device.gpu.queue, "copyExternalImageToTexture");
  Object.assign(device.adapter, { software: true });
  expect(await difference(drawn(30, 20), SMALL)).toBe(0);
  expect(copy).not.toHaveBeenCalled();
  copy.mockRestore();
});

it("a net classifies a canvas, its bitmap and its file alike", async () => {
  Object.assign(device.adapter, { software: true }); // for its kernels
  using classifier = new Classifier(resnet8(), ["a", "b", "c", "d", "e", "f", "g", "h", "i", "j"]);
  const canvas = drawn(80, 60);
  const sources = [canvas, await createImageBitmap(canvas), await canvas.convertToBlob()];
  const [first, ...others] = await classifier.classify(sources, { top: 1 });
  for (const other of others) {
    expect(other[0]!.label).toBe(first![0]!.label);
    expect(other[0]!.probability).toBeCloseTo(first![0]!.probability, 4);
  }
  await expect(classifier.classify([canvas, new Blob(["no picture"])])).rejects.toThrow("no picture");
});
