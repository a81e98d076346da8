import { resamplePixels } from "@shadegrad/kernels-wgsl/resamplePixels";
import { resampleRows } from "@shadegrad/kernels-wgsl/resampleRows";
import { recorder } from "../core/recorder.ts";
import { run } from "../core/run.ts";
import { scope } from "../core/scope.ts";
import { empty, type Tensor, tensor } from "../core/tensor.ts";
import { checkOptions, DeviceError, ShapeError } from "../errors.ts";
import { defaultDevice } from "../gpu/default-device.ts";
import type { Device } from "../gpu/device.ts";
import { copyPixels, rowWords } from "../gpu/pixel-copy.ts";

/** Bytes of red, green, blue and alpha in memory: an ImageData, or the like of it in Node. */
export interface RgbaPixels {
  readonly data: Uint8Array | Uint8ClampedArray;
  readonly width: number;
  readonly height: number;
}

/** Pixels in memory, or in a page what a texture can be copied from: image, canvas, bitmap, video or frame. */
export type PixelSource = RgbaPixels | GPUCopyExternalImageSource;

export interface FromPixelsOptions {
  /** Height and width of the whole picture after resizing; its own if absent. */
  readonly resize?: readonly [H: number, W: number] | undefined;
  /** The part of the resized picture that is wanted; all of it if absent. */
  readonly crop?:
    | { readonly top: number; readonly left: number; readonly height: number; readonly width: number }
    | undefined;
  /**
   * Weights of red, green and blue, 0 … 255, for each channel of the result, and what is added: `[4, C]`. Absent: red, green
   * and blue as they are.
   */
  readonly colours?: readonly (readonly number[])[] | undefined;
  readonly device?: Device | undefined;
}

const AS_THEY_ARE = [
  [1, 0, 0],
  [0, 1, 0],
  [0, 0, 1],
  [0, 0, 0],
];

/**
 * The pixels of a picture over white: resized as Pillow's bilinear filter does, with antialiasing, cropped, and their colours
 * mixed. In a page they go to the GPU as a texture, and the CPU reads none of them. No gradient. → f32 `[1, P, Q, C]`
 *
 * @throws ShapeError if the picture has no pixels, or the part is not inside it; DeviceError if its sides are larger than the
 * device's textures; Error inside a function that `compile` records.
 */
export function fromPixels(source: PixelSource, options: FromPixelsOptions = {}): Tensor {
  if (recorder())
    throw new Error(
      "fromPixels: a compiled function is recorded once, with the pixels of its first call. Call fromPixels before, and give it the tensor.",
    );
  checkOptions("fromPixels", options, ["resize", "crop", "colours", "device"]);
  const { colours = AS_THEY_ARE, device = defaultDevice() } = options;
  const [W, H] = pixelSize(source);
  const { resize: [toH, toW] = [H, W], crop = { top: 0, left: 0, height: toH, width: toW } } = options;
  check([H, W], [toH, toW], crop, colours);
  const C = colours[0]!.length;
  return scope(() => {
    const [words, S] = wordsOf(source, device, W, H);
    const [first, R] = rowsUnder(crop, H, toH);
    const mix = tensor(Float32Array.from(colours.flat()), [4, C], { device });
    const across = { W, S, to: toW, left: crop.left, first, R, Q: crop.width, C };
    const holes = { PREMULTIPLIED: !isInMemory(source) };
    const op = "fromPixels";
    const rows = run(
      resamplePixels,
      across,
      [words, mix],
      { y: { shape: [R, crop.width, C], dtype: "f32" } },
      { op, holes },
    ).y;
    const down = { H, to: toH, top: crop.top, first, P: crop.height, E: crop.width * C };
    return run(resampleRows, down, [rows], [1, crop.height, crop.width, C], { op });
  });
}

/**
 * Width and height of a picture: those that an image or a video was made with, not those that it is shown with.
 *
 * @throws ShapeError if it has no pixels yet.
 */
export function pixelSize(source: PixelSource): [width: number, height: number] {
  const sizes = source as unknown as Readonly<Record<string, number | undefined>>;
  const width = sizes.naturalWidth ?? sizes.videoWidth ?? sizes.displayWidth ?? sizes.width;
  const height = sizes.naturalHeight ?? sizes.videoHeight ?? sizes.displayHeight ?? sizes.height;
  if (width && height) return [width, height];
  throw new ShapeError(
    `fromPixels: the picture has ${width} × ${height} pixels. Wait for its load or loadeddata event.`,
  );
}

const isInMemory = (source: PixelSource): source is RgbaPixels => "data" in source;

/** The picture's pixels as words, and how many lie between two rows. */
function wordsOf(source: PixelSource, device: Device, W: number, H: number): [words: Tensor, S: number] {
  if (isInMemory(source)) {
    const { data } = source;
    if (data.length !== 4 * W * H)
      throw new ShapeError(`fromPixels: ${data.length} bytes for ${W} × ${H} pixels of 4 bytes.`);
    const bytes = data.byteOffset % 4 === 0 ? data : data.slice();
    return [tensor(new Uint32Array(bytes.buffer, bytes.byteOffset, W * H), [W * H], { device }), W];
  }
  const most = device.gpu.limits.maxTextureDimension2D;
  if (Math.max(W, H) > most)
    throw new DeviceError(
      `fromPixels: the picture has ${W} × ${H} pixels; textures of this device have at most ${most} a side.`,
    );
  const S = rowWords(W);
  const words = empty([H * S], "u32", device);
  copyPixels(device, source, [W, H], words.storage);
  return [words, S];
}

/** The rows of a picture of H rows that a part of the resized one is made of: its first, and how many. */
function rowsUnder(
  { top, height }: { readonly top: number; readonly height: number },
  H: number,
  to: number,
): [first: number, R: number] {
  const scale = H / to;
  const reach = Math.max(scale, 1) + 1; // one more, as the shader rounds to float32
  const first = Math.max(0, Math.floor((top + 0.5) * scale - reach));
  const end = Math.min(H, Math.ceil((top + height - 0.5) * scale + reach));
  return [first, end - first];
}

function check(
  sides: readonly number[],
  to: readonly number[],
  { top, left, height, width }: NonNullable<FromPixelsOptions["crop"]>,
  colours: readonly (readonly number[])[],
): void {
  const fail = (what: string) =>
    new ShapeError(
      `fromPixels: ${what}. The picture is [${sides}] as [H, W], resized to [${to}]; the part is [${height}, ${width}] from [${top}, ${left}] on.`,
    );
  const isCount = (value: number, least: number) => Number.isInteger(value) && value >= least;
  if (![...to, height, width].every((side) => isCount(side, 1)))
    throw fail("sides are not whole numbers ≥ 1");
  const isInside = isCount(top, 0) && isCount(left, 0) && top + height <= to[0]! && left + width <= to[1]!;
  if (!isInside) throw fail("the part is not inside the resized picture");
  if (colours.length !== 4 || colours.some(({ length }) => length !== colours[0]!.length))
    throw fail(`colours have rows of ${colours.map(({ length }) => length)}, not four of C numbers`);
}
