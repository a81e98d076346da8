import { resnet8 } from "@shadegrad/resnet";
import { assign, init, type Tensor, tensor } from "@shadegrad/tensor";
import { beforeAll, expect, test, vi } from "vitest";
import { insideFilters, insideMaps } from "../src/worker/inside/handlers.ts";
import { heat, signed } from "../src/worker/inside/tiles.ts";
import type { Tiles } from "../src/worker-client/messages/inside.ts";

const seen = vi.hoisted(() => ({
  y: undefined as Tensor | undefined,
  model: undefined as object | undefined,
}));
vi.mock("../src/worker/inside/look.ts", () => ({ outputOf: () => seen.y, lookedAt: () => seen.model }));

beforeAll(async () => {
  await init({ quiet: true });
});

/** Red, green and blue of a pixel of a tile, and how opaque it is, in a grid with gaps of one pixel. */
function pixel({ pixels, width, columns, tile: [H, W] }: Tiles, i: number, y: number, x: number): number[] {
  const at = (Math.floor(i / columns) * (H + 1) + y) * width + (i % columns) * (W + 1) + x;
  return [...pixels.subarray(4 * at, 4 * at + 4)];
}

const bytes = (colour: readonly number[]) => [...new Uint8ClampedArray(colour), 255];

test("a feature map has its rows downwards and its columns across, each channel on its own scale", async () => {
  const [H, W, C] = [2, 3, 10] as const;
  const value = (y: number, x: number, c: number) => 10 * c + (c + 1) * (3 * y + x);
  const values = Float32Array.from({ length: H * W * C }, (_, at) =>
    value(Math.floor(at / (W * C)), Math.floor(at / C) % W, at % C),
  );
  seen.y = tensor(values, [1, H, W, C]);
  const tiles = await insideMaps({ name: "any", first: 1 });
  expect(tiles).toMatchObject({ count: C, first: 1, shown: 9, columns: 8, about: "10 channels of 2 × 3" });
  expect([tiles.width, tiles.height]).toEqual([8 * (W + 1) - 1, 2 * (H + 1) - 1]);
  for (let i = 0; i < tiles.shown; i++)
    for (let y = 0; y < H; y++)
      for (let x = 0; x < W; x++)
        expect(pixel(tiles, i, y, x), `channel ${i + 1} at ${y}, ${x}`).toEqual(bytes(heat((3 * y + x) / 5)));
  expect(tiles.pixels[4 * W + 3], "the gap").toBe(0);
});

test("filters have their windows upright: in colour for an image, else one per pair of channels", async () => {
  const net = resnet8();
  seen.model = net;
  const wave = (length: number) => Float32Array.from({ length }, (_, i) => Math.sin(1.7 * i));
  const { conv } = net.base;
  assign(conv.weight, wave(conv.weight.size));
  const colours = await insideFilters({ name: "base.conv" });
  const most = Math.max(...wave(conv.weight.size).map(Math.abs));
  const at = (r: number, s: number, c: number, o: number) =>
    Math.sin(1.7 * (((r * 3 + s) * 3 + c) * 16 + o)) / most;
  for (const [o, r, s] of [
    [0, 0, 1],
    [3, 2, 0],
    [15, 1, 2],
  ] as const)
    expect(pixel(colours, o, r, s)).toEqual(
      bytes([0, 1, 2].map((c) => Math.fround(128 + 127 * at(r, s, c, o)))),
    );

  const name = "base.blocks.0.conv1";
  const { weight } = net.base.blocks[0]!.conv1!;
  assign(weight, wave(weight.size));
  const pairs = await insideFilters({ name });
  const largest = Math.max(...wave(weight.size).map(Math.abs));
  for (const [c, o, r, s] of [
    [0, 1, 0, 2],
    [5, 7, 2, 1],
  ] as const) {
    const value = Math.sin(1.7 * (((r * 3 + s) * 16 + c) * 16 + o)) / largest;
    expect(pixel(pairs, o * 16 + c, r, s)).toEqual(bytes(signed(value * 1.5)));
  }
});
