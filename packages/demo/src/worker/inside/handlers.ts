import { layersOf } from "@shadegrad/resnet";
import type { Conv2d } from "@shadegrad/tensor/nn";
import type { Tiles } from "../../worker-client/messages/inside.ts";
import { lookedAt, outputOf } from "./look.ts";
import { AT_ONCE, draw, heat, signed } from "./tiles.ts";

export { look as insideLook } from "./look.ts";

/** Feature maps, one tile per channel, each scaled from its minimum to its maximum. */
export async function insideMaps({ name, first }: { name: string; first: number }): Promise<Tiles> {
  const y = outputOf(name);
  const [, H, W, C] = y.shape as [number, number, number, number];
  const values = (await y.data()) as Float32Array;
  const shown = Math.min(AT_ONCE, C - first);
  const ranges = Array.from({ length: shown }, (_, i) => {
    let [low, high] = [Infinity, -Infinity];
    for (let at = first + i; at < values.length; at += C) {
      low = Math.min(low, values[at]!);
      high = Math.max(high, values[at]!);
    }
    return [low, Math.max(high - low, 1e-12)] as const;
  });
  return draw({
    count: C,
    first,
    shown,
    columns: Math.min(8, shown),
    tile: [H, W],
    about: `${C} channels of ${H} × ${W}`,
    colour(i, py, px) {
      const [low, range] = ranges[i]!;
      return heat((values[(py * W + px) * C + first + i]! - low) / range);
    },
  });
}

/** Weights of a convolution: RGB pictures for 3 input channels, else one window per pair of channels. */
export async function insideFilters({ name }: { name: string }): Promise<Tiles> {
  const { layer } = layersOf(lookedAt()).find((located) => located.name === name)!;
  const { weight } = layer as Conv2d;
  const [R, S, C, O] = weight.shape as [number, number, number, number];
  const values = (await weight.data()) as Float32Array;
  const most = values.reduce((most, value) => Math.max(most, Math.abs(value)), 1e-12);
  const at = (r: number, s: number, c: number, o: number) => values[((r * S + s) * C + c) * O + o]! / most;
  if (C === 3 && R > 1) {
    const shown = Math.min(O, AT_ONCE);
    return draw({
      count: O,
      first: 0,
      shown,
      columns: Math.min(16, shown),
      tile: [R, S],
      about: `${O} filters of ${R} × ${S}, in RGB`,
      colour: (o, r, s) => [0, 1, 2].map((c) => 128 + 127 * at(r, s, c, o)) as [number, number, number],
    });
  }
  if (R === 1 && S === 1) {
    const [rows, columns] = [Math.min(C, 128), Math.min(O, 256)];
    return draw({
      count: 1,
      first: 0,
      shown: 1,
      columns: 1,
      tile: [rows, columns],
      about: `${C} channels in, downwards, ${O} out, across${rows < C || columns < O ? `; the first ${rows} and ${columns}` : ""}`,
      colour: (_, c, o) => signed(at(0, 0, c, o) * 2),
    });
  }
  const [inside, out] = [Math.min(C, 16), Math.min(O, 8)];
  return draw({
    count: C * O,
    first: 0,
    shown: inside * out,
    columns: inside,
    tile: [R, S],
    about: `${R} × ${S} for each pair of ${C} channels in, across, and ${O} out, downwards${inside < C || out < O ? `; the first ${inside} and ${out}` : ""}`,
    colour: (i, r, s) => signed(at(r, s, i % inside, Math.floor(i / inside)) * 1.5),
  });
}
