import type { Tuning, TuningRow } from "./tuning.ts";

/** Columns of a line: what is computed, the variant, microseconds, and how much slower another is. */
const WIDTHS = [36, 14, 8, 19] as const;

/** A tuning in 80 columns. */
export function table(tuning: Omit<Tuning, "toString">): string {
  const { rows, seconds, kept, stopped } = tuning;
  const changed = rows.filter(({ variant, preferred }) => variant !== preferred);
  const [now, before] = [total(rows, ownTime), total(rows, preferredTime)];
  const less = before > 0 ? (100 * (before - now)) / before : 0;
  return [
    line("kernel and shape", "variant", "µs", "instead of"),
    ...rows.flatMap(lines),
    "─".repeat(80),
    `${count(rows.length, "choice")} in ${seconds.toFixed(0)} s; ${changed.length} of them (*) not the kernel's own. By its own, these`,
    `launches would take ${milliseconds(before)} a call; they take ${milliseconds(now)}, ${less.toFixed(1)} % less.`,
    ...(stopped ? ["It was stopped before everything was tried."] : []),
    ...(kept ? [`Kept in ${kept}`] : []),
  ].join("\n");
}

function lines(row: TuningRow): string[] {
  const { kernel, shape, variant, microseconds, preferred, others, rejected } = row;
  const [next] = others;
  const other = variant === preferred ? next : (others.find((one) => one.variant === preferred) ?? next);
  const slower = other ? `${factor(other.microseconds / microseconds)} ${other.variant}` : "";
  const mark = variant === preferred ? " " : "*";
  return [
    line(`${kernel} ${shape}`, `${mark}${variant}`, microseconds.toFixed(0), slower),
    ...rejected.map(({ variant, reason }) => fit(`  rejected ${variant}: ${reason.split("\n")[0]}`, 80)),
  ];
}

function line(...[what, variant, microseconds, other]: readonly [string, string, string, string]): string {
  const [first, second, third, fourth] = WIDTHS;
  const cells = [fit(what, first).padEnd(first), fit(variant, second).padEnd(second)];
  return [...cells, microseconds.padStart(third), fit(other, fourth)].join(" ").trimEnd();
}

const fit = (text: string, width: number): string =>
  text.length <= width ? text : `${text.slice(0, width - 1)}…`;

/** 1.24× or 12×. */
const factor = (value: number): string => `${value < 10 ? value.toFixed(2) : value.toFixed(0)}×`;

const count = (number: number, what: string): string => `${number} ${what}${number === 1 ? "" : "s"}`;

const milliseconds = (microseconds: number): string => `${(microseconds / 1000).toPrecision(3)} ms`;

const ownTime = ({ microseconds }: TuningRow): number => microseconds;

/** Time of the preferred variant; the chosen one's if the preferred one is wrong. */
const preferredTime = ({ variant, preferred, microseconds, others }: TuningRow): number =>
  variant === preferred
    ? microseconds
    : (others.find((one) => one.variant === preferred)?.microseconds ?? microseconds);

const total = (rows: readonly TuningRow[], time: (row: TuningRow) => number): number =>
  rows.reduce((sum, row) => sum + row.launches * time(row), 0);
