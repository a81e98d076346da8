import uPlot from "uplot";
import "uplot/dist/uPlot.min.css";

export interface Line {
  /** The name of a colour: `accent`, `warm`, `faint`, `earlier-1` … */
  readonly colour: string;
  readonly steps: readonly number[];
  readonly values: readonly number[];
}

const HEIGHT = 210;
/** Least milliseconds between two drawings, since a GPU may do hundreds of steps a second. */
const REST = 100;

/** A line chart over training steps, as wide as its element. */
export class Chart {
  readonly #element: HTMLElement;
  /** Upper end of the y axis; the largest value by default. */
  readonly #most: number | undefined;
  #plot: uPlot | undefined;
  #made = "";
  #lines: (() => readonly Line[]) | undefined;
  #drawn = Number.NEGATIVE_INFINITY;

  constructor(element: HTMLElement, most: number | undefined) {
    this.#element = element;
    this.#most = most;
    new ResizeObserver(() => {
      this.#plot?.setSize({ width: element.clientWidth, height: HEIGHT });
    }).observe(element);
  }

  /** Draw these lines in a task of their own, soon. A later call before that replaces them. */
  show(lines: () => readonly Line[]): void {
    const isDue = this.#lines !== undefined;
    this.#lines = lines;
    if (isDue) return;
    setTimeout(
      () => {
        const due = this.#lines!();
        this.#lines = undefined;
        this.#drawn = performance.now();
        this.#draw(due);
      },
      Math.max(0, this.#drawn + REST - performance.now()),
    );
  }

  #draw(lines: readonly Line[]): void {
    const data = joined(lines);
    const style = getComputedStyle(this.#element);
    const made = `${lines.map(({ colour }) => colour)} ${style.color}`;
    if (this.#plot && this.#made === made) {
      this.#plot.setData(data);
      return;
    }
    this.#made = made;
    this.#plot?.destroy();
    this.#plot = new uPlot(this.#options(lines, style), data, this.#element);
    // The title and its sentence say it in words.
    this.#plot.root.setAttribute("aria-hidden", "true");
  }

  #options(lines: readonly Line[], style: CSSStyleDeclaration): uPlot.Options {
    const colour = (name: string) => colourOf(this.#element, name);
    const axis = {
      stroke: style.color,
      font: `12px ${style.fontFamily}`,
      grid: { stroke: colour("grid"), width: 1 },
      ticks: { show: false },
    };
    const most = this.#most;
    return {
      width: this.#element.clientWidth || 300,
      height: HEIGHT,
      legend: { show: false },
      cursor: { show: false },
      padding: [8, 14, 0, 0],
      scales: {
        x: { time: false },
        y: { range: (_, __, max) => [0, most ?? Math.max(1, max * 1.05)] },
      },
      axes: [
        { ...axis, size: 30, space: 60 },
        {
          ...axis,
          size: 44,
          space: 34,
          values: (_, ticks) => ticks.map((tick) => (most ? `${Math.round(tick * 100)} %` : String(tick))),
        },
      ],
      series: [
        {},
        ...lines.map(({ colour: name }) => ({
          stroke: colour(name),
          width: name === "accent" || name === "warm" ? 2 : 1.2,
          spanGaps: true,
          points: { show: name === "warm", size: 4, fill: colour(name) },
        })),
      ],
    };
  }
}

/** Value of a colour of the style sheet in the current theme. A canvas has no custom properties. */
function colourOf(element: HTMLElement, name: string): string {
  const probe = document.createElement("i");
  probe.className = `ink ${name}`;
  element.append(probe);
  const { color } = getComputedStyle(probe);
  probe.remove();
  return color;
}

/** All lines over the union of their steps, null where a line has no value. */
function joined(lines: readonly Line[]): uPlot.AlignedData {
  const steps = [...new Set(lines.flatMap((line) => line.steps))].sort((a, b) => a - b);
  const at = new Map(steps.map((step, i) => [step, i]));
  const values = lines.map((line) => {
    const row: (number | null)[] = Array(steps.length).fill(null);
    line.steps.forEach((step, i) => {
      const value = line.values[i]!;
      row[at.get(step)!] = Number.isFinite(value) ? value : null;
    });
    return row;
  });
  return [steps, ...values];
}
