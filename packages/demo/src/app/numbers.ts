/** Milliseconds as text: 0.4 ms, 12 ms, 3.4 s, 2 min 5 s. */
export function duration(milliseconds: number): string {
  if (milliseconds < 10) return `${milliseconds.toFixed(1)} ms`;
  if (milliseconds < 1000) return `${Math.round(milliseconds)} ms`;
  if (milliseconds < 60_000) return `${(milliseconds / 1000).toFixed(1)} s`;
  const seconds = Math.round(milliseconds / 1000);
  return `${Math.floor(seconds / 60)} min ${seconds % 60} s`;
}

/** Bytes as text: 95 MB. */
export function size(bytes: number): string {
  if (bytes < 1e6) return `${Math.max(1, Math.round(bytes / 1e3))} kB`;
  if (bytes < 1e9) return `${(bytes / 1e6).toFixed(bytes < 1e7 ? 1 : 0)} MB`;
  return `${(bytes / 1e9).toFixed(1)} GB`;
}

/** A share from 0 to 1: 78 %, 0.4 %, < 0.1 %. */
export function percent(share: number): string {
  const value = share * 100;
  if (value > 0 && value < 0.05) return "< 0.1 %";
  return `${value >= 99.95 || value === 0 ? Math.round(value) : value.toFixed(value < 10 ? 1 : 0)} %`;
}

/** Three digits and a prefix: 25.6 M. */
export function count(value: number): string {
  if (value < 1000) return String(Math.round(value));
  const power = Math.min(Math.floor(Math.log10(value) / 3), 4);
  return `${(value / 1000 ** power).toPrecision(3)} ${" kMGT"[power]}`;
}
