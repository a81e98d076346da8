import type { DecodedImage } from "./picture-format.ts";

/** A rectangle of a picture. */
export interface Rectangle {
  readonly left: number;
  readonly top: number;
  readonly width: number;
  readonly height: number;
}

/**
 * Resize as Pillow's bilinear filter does: when shrinking, the triangle widens so that no pixel is passed over.
 *
 * Only the pixels in `part` of the result are computed.
 *
 * @throws RangeError if a side is not a whole number ≥ 1.
 */
export function resize(
  { pixels, width, height }: DecodedImage,
  toWidth: number,
  toHeight: number,
  part: Rectangle = { left: 0, top: 0, width: toWidth, height: toHeight },
): DecodedImage {
  for (const side of [toWidth, toHeight]) {
    if (!(Number.isInteger(side) && side >= 1)) {
      throw new RangeError(`resize: ${toWidth} × ${toHeight} are not whole numbers ≥ 1.`);
    }
  }
  const [P, Q] = [part.height, part.width];
  const across = weights(width, toWidth, part.left, Q);
  const down = weights(height, toHeight, part.top, P);
  // Rows of the picture that the part needs.
  const top = down[0]!.first;
  const rows = down[P - 1]!.first + down[P - 1]!.shares.length - top;
  const wide = new Uint8ClampedArray(rows * Q * 3);
  for (let y = 0; y < rows; y++) {
    for (let x = 0; x < Q; x++) {
      const { first, shares } = across[x]!;
      gather(pixels, ((top + y) * width + first) * 3, 3, shares, wide, (y * Q + x) * 3);
    }
  }
  const out = new Uint8ClampedArray(P * Q * 3);
  for (let y = 0; y < P; y++) {
    const { first, shares } = down[y]!;
    for (let x = 0; x < Q; x++) {
      gather(wide, ((first - top) * Q + x) * 3, Q * 3, shares, out, (y * Q + x) * 3);
    }
  }
  return { pixels: new Uint8Array(out.buffer), width: Q, height: P };
}

/** Resize so that the shorter side has `side` pixels, and the longer one keeps its proportion. */
export function resizeShorter(image: DecodedImage, side: number): DecodedImage {
  const { width, height } = image;
  const scale = side / Math.min(width, height);
  return resize(image, Math.round(width * scale), Math.round(height * scale));
}

/**
 * The square of `side` pixels in the middle of a picture whose shorter side was resized to `shorter`.
 *
 * As `cropCentre(resizeShorter(image, shorter), side)`, but a picture of 1 × 5000 pixels costs no more than a square one.
 *
 * @throws RangeError if the square is larger than the resized picture.
 */
export function resizeCentre(image: DecodedImage, shorter: number, side: number): DecodedImage {
  const { toWidth, toHeight, part } = resizedCentre(image.width, image.height, shorter, side);
  return resize(image, toWidth, toHeight, part);
}

/**
 * Sides of a picture whose shorter side is resized to `shorter`, and the square of `side` pixels in its middle.
 *
 * @throws RangeError if the square is larger than the resized picture.
 */
export function resizedCentre(
  width: number,
  height: number,
  shorter: number,
  side: number,
): { readonly toWidth: number; readonly toHeight: number; readonly part: Rectangle } {
  if (side > shorter) {
    throw new RangeError(
      `resizeCentre: ${side} × ${side} are not in a picture whose shorter side is ${shorter}.`,
    );
  }
  const scale = shorter / Math.min(width, height);
  const [toWidth, toHeight] = [Math.round(width * scale), Math.round(height * scale)];
  const left = Math.floor((toWidth - side) / 2);
  const top = Math.floor((toHeight - side) / 2);
  return { toWidth, toHeight, part: { left, top, width: side, height: side } };
}

/** The square of `side` pixels in the middle. */
export function cropCentre({ pixels, width, height }: DecodedImage, side: number): DecodedImage {
  if (side > width || side > height) {
    throw new RangeError(`cropCentre: ${side} × ${side} are not in a picture of ${width} × ${height}.`);
  }
  const [top, left] = [(height - side) >> 1, (width - side) >> 1];
  const out = new Uint8Array(side * side * 3);
  for (let y = 0; y < side; y++) {
    const from = ((top + y) * width + left) * 3;
    out.set(pixels.subarray(from, from + side * 3), y * side * 3);
  }
  return { pixels: out, width: side, height: side };
}

interface Window {
  readonly first: number;
  readonly shares: Float64Array;
}

/** For `count` pixels of the result from `start` on, the pixels under the triangle of each and their shares. */
function weights(from: number, to: number, start: number, count: number): Window[] {
  const scale = from / to;
  const reach = Math.max(scale, 1);
  return Array.from({ length: count }, (_, i) => {
    const centre = (start + i + 0.5) * scale;
    const first = Math.max(0, Math.floor(centre - reach + 0.5));
    const end = Math.min(from, Math.floor(centre + reach + 0.5));
    const shares = Float64Array.from({ length: end - first }, (_, k) =>
      Math.max(0, 1 - Math.abs(first + k + 0.5 - centre) / reach),
    );
    const total = shares.reduce((sum, share) => sum + share, 0);
    return { first, shares: shares.map((share) => share / total) };
  });
}

function gather(
  from: Uint8Array | Uint8ClampedArray,
  start: number,
  step: number,
  shares: Float64Array,
  to: Uint8ClampedArray,
  at: number,
): void {
  let [red, green, blue] = [0, 0, 0];
  for (let k = 0, i = start; k < shares.length; k++, i += step) {
    const share = shares[k]!;
    red += share * from[i]!;
    green += share * from[i + 1]!;
    blue += share * from[i + 2]!;
  }
  to[at] = red;
  to[at + 1] = green;
  to[at + 2] = blue;
}
