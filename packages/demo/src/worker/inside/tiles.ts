import type { Tiles } from "../../worker-client/messages/inside.ts";

/** Largest number of channels in a picture. */
export const AT_ONCE = 64;

/** Tiles to draw, with the colour of each pixel. */
export interface Drawing extends Omit<Tiles, "width" | "height" | "pixels"> {
  /** Red, green and blue from 0 to 255. */
  colour(tile: number, y: number, x: number): readonly [number, number, number];
}

/** Draw tiles in a grid, with gaps of one transparent pixel. */
export function draw({ colour, ...tiles }: Drawing): Tiles {
  const { shown, columns, tile } = tiles;
  const [H, W] = tile;
  const rows = Math.ceil(shown / columns);
  const gap = 1;
  const width = columns * (W + gap) - gap;
  const height = rows * (H + gap) - gap;
  const pixels = new Uint8ClampedArray(width * height * 4);
  for (let i = 0; i < shown; i++) {
    const [top, left] = [Math.floor(i / columns) * (H + gap), (i % columns) * (W + gap)];
    for (let y = 0; y < H; y++) {
      for (let x = 0; x < W; x++) {
        const at = ((top + y) * width + left + x) * 4;
        pixels.set(colour(i, y, x), at);
        pixels[at + 3] = 255;
      }
    }
  }
  return { ...tiles, width, height, pixels };
}

type Colour = readonly [number, number, number];

/** A scale from dark to light through the page's two colours. */
const HEAT: readonly Colour[] = [
  [18, 14, 44],
  [74, 51, 214],
  [160, 60, 150],
  [236, 110, 40],
  [255, 236, 190],
];

/** A scale with one colour for negative numbers and another for positive ones. */
const SIGNED: readonly Colour[] = [
  [74, 51, 214],
  [170, 160, 238],
  [250, 249, 246],
  [240, 166, 110],
  [194, 65, 12],
];

/** A number from 0 to 1 as a colour. */
export const heat = (value: number): Colour => between(HEAT, value);

/** A number from −1 to 1 as a colour. */
export const signed = (value: number): Colour => between(SIGNED, (value + 1) / 2);

function between(stops: readonly Colour[], value: number): Colour {
  const at = Math.max(0, Math.min(1, value)) * (stops.length - 1);
  const low = Math.min(Math.floor(at), stops.length - 2);
  const [from, to] = [stops[low]!, stops[low + 1]!];
  const mix = (i: number) => from[i]! + (to[i]! - from[i]!) * (at - low);
  return [mix(0), mix(1), mix(2)];
}
