import { wrapped } from "./text.ts";

const EIGHTHS = ["", "▏", "▎", "▍", "▌", "▋", "▊", "▉"];

/** A share from 0 to 1 as a bar, padded with spaces. */
export function bar(share: number, width: number): string {
  const eighths = Math.round(Math.min(Math.max(share, 0), 1) * width * 8);
  return ("█".repeat(eighths >> 3) + EIGHTHS[eighths & 7]).padEnd(width);
}

/** 0.7813 as `78.1 %`, six wide. */
export const percent = (share: number, digits = 1): string =>
  `${(100 * share).toFixed(digits)} %`.padStart(5 + digits);

/** The text, cut to a width with an ellipsis. */
export const fit = (text: string, width: number): string =>
  text.length <= width ? text : `${text.slice(0, Math.max(width - 1, 0))}…`;

/** One line per name and value, with aligned values, broken at spaces to a width. */
export function columns(rows: readonly (readonly [name: string, value: string])[], width = 80): string {
  const indent = Math.max(...rows.map(([name]) => name.length)) + 2;
  return rows
    .flatMap(([name, value]) =>
      wrapped(value, width - indent).map((line, i) => (i === 0 ? name : "").padEnd(indent) + line),
    )
    .join("\n");
}

/** 85199360 as `81 MiB`. */
export function bytes(count: number): string {
  const power = Math.min(Math.floor(Math.log2(Math.max(count, 1)) / 10), 4);
  return `${Number((count / 1024 ** power).toFixed(1))} ${["B", "KiB", "MiB", "GiB", "TiB"][power]}`;
}
