import { createRequire } from "node:module";
import { join } from "node:path";
import { decodeImage, pictureInput, type ResNet } from "@shadegrad/resnet";
import type { Page } from "playwright";
import { shapes } from "../../src/worker/train/shapes.ts";

// Dependencies of the package that decodes pictures and writes ONNX.
const ofResnet = createRequire(join(import.meta.dirname, "../../../resnet/package.json"));
const sharp = ofResnet("sharp");
const ort = ofResnet("onnxruntime-web");

/** Classes of the page's own generator that are taught, by their place there. */
const TAUGHT = { disc: 0, frame: 3, stripes: 8 } as const;

export type Taught = keyof typeof TAUGHT;

export const NAMES = Object.keys(TAUGHT) as Taught[];

export interface Picture {
  readonly name: string;
  readonly mimeType: "image/png";
  readonly buffer: Buffer;
}

/** Pictures of a class as the page draws them for its training, 32 × 32, enlarged without smoothing; a seed gives the same ones. */
export async function picturesOf(name: Taught, count: number, seed: number): Promise<Picture[]> {
  const { images, labels, shape } = shapes(10 * count, seed);
  const [H, W, C] = shape;
  const places = Array.from(labels.keys()).filter((i) => labels[i] === TAUGHT[name]);
  return Promise.all(
    places.map(async (i, n) => {
      const pixels = (images as Uint8Array).subarray(i * H * W * C, (i + 1) * H * W * C);
      const raw = { width: W, height: H, channels: 3 };
      const buffer = await sharp(pixels, { raw })
        .resize(3 * W, 3 * H, { kernel: "nearest" })
        .png()
        .toBuffer();
      return { name: `${name}-${n}.png`, mimeType: "image/png" as const, buffer };
    }),
  );
}

const cards = (page: Page) => page.locator(".taught");

/** Name three classes, and give each its pictures; wait until their features are there. */
export async function show(page: Page, count: number): Promise<void> {
  await page.getByRole("button", { name: "Add a class" }).click();
  for (const [k, name] of NAMES.entries()) {
    await cards(page).nth(k).getByRole("textbox").fill(name);
    await cards(page)
      .nth(k)
      .locator("input[type=file]")
      .setInputFiles(await picturesOf(name, count, 1));
  }
  await page
    .locator(".thumbnails li:not(.coming)")
    .nth(NAMES.length * count - 1)
    .waitFor();
}

/** Learn a new head, or go on with the last stage for so many steps. What was learned before has another number of steps. */
export async function learn(page: Page, button = "Learn", steps = 120): Promise<void> {
  await page.getByRole("button", { name: button, exact: true }).click();
  const learning = page.locator(".learning", { hasText: new RegExp(`of ${steps}\\b`) });
  await learning.locator(".muted", { hasText: "Learned." }).waitFor();
}

/** The answer for a picture: the first class and its probability in percent. */
export async function tryOut(page: Page, picture: Picture): Promise<{ label: string; percent: string }> {
  await page.locator(".trying input[type=file]").setInputFiles(picture);
  await page.getByAltText(`The picture that is tried: ${picture.name}`).waitFor();
  const first = page.locator(".trying .guesses li").first();
  await first.waitFor();
  return {
    label: (await first.locator(".label").textContent())!,
    percent: (await first.locator(".figures").textContent())!,
  };
}

/** Probabilities of the classes by ONNX Runtime, for a picture as the net takes it. */
export async function byOnnxRuntime(
  model: Uint8Array,
  net: ResNet,
  pictures: readonly Picture[],
): Promise<number[][]> {
  ort.env.logLevel = "error";
  const session = await ort.InferenceSession.create(model);
  const found: number[][] = [];
  for (const { buffer } of pictures) {
    const { data, shape } = pictureInput(await decodeImage(buffer), net);
    const [, H, W, C] = shape;
    const planes = Float32Array.from(data, (_, at) => data[(at % (H * W)) * C + Math.floor(at / (H * W))]!);
    const input = new ort.Tensor("float32", planes, [1, C, H, W]);
    const { output } = await session.run({ input });
    const powers = Array.from(output.data as Float32Array, Math.exp);
    const total = powers.reduce((sum, power) => sum + power, 0);
    found.push(powers.map((power) => power / total));
  }
  await session.release();
  return found;
}
