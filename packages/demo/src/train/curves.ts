import { html, type TemplateResult } from "lit-html";
import { ref } from "lit-html/directives/ref.js";
import { percent } from "../app/numbers.ts";
import type { State } from "../app/state.ts";
import { otherTheme } from "../app/theme.ts";
import { Chart, type Line } from "./chart.ts";
import { type Earlier, labelOf } from "./state.ts";

/** Loss and accuracy over the steps, of this training and the earlier ones. */
export function curves(state: State): TemplateResult {
  const { curve, earlier, points, begun, validated } = state.train;
  const key = `${points} ${otherTheme(state.theme)} ${earlier.length}`;
  const [first, last] = [curve.loss[0], curve.loss.at(-1)];
  return html`
    <div class="charts">
      ${figure({
        title: "Loss",
        id: "chart-loss",
        spoken: `Now ${last?.toFixed(3) ?? "none"}, at the start ${first?.toFixed(3) ?? "none"}.`,
        legend: { accent: "Loss, smoothed" },
        key,
        lines: () => [
          ...before(earlier, ({ steps, loss }) => ({ steps, values: smooth(loss) })),
          { colour: "faint", steps: curve.steps, values: curve.loss },
          { colour: "accent", steps: curve.steps, values: smooth(curve.loss) },
        ],
      })}
      ${figure({
        title: "Accuracy",
        id: "chart-accuracy",
        spoken: `Of test images ${validated ? percent(validated.accuracy) : "none yet"}.`,
        legend: { accent: "Of the batches, smoothed", warm: "Of test images" },
        key,
        lines: () => [
          ...before(earlier, ({ test: { steps, accuracy } }) => ({ steps, values: accuracy })),
          { colour: "accent", steps: curve.steps, values: smooth(curve.accuracy) },
          { colour: "warm", steps: curve.test.steps, values: curve.test.accuracy },
        ],
        most: 1,
      })}
    </div>
    ${
      earlier.length > 0
        ? html`<p class="earlier">
            ${begun ? html`<span class="now">Now: ${labelOf(begun.settings)}</span>` : ""}
            ${earlier.map(({ label }, i) => html`<span class=${EARLIER[i]!}>Before: ${label}</span>`)}
          </p>`
        : ""
    }
  `;
}

const EARLIER = ["earlier-1", "earlier-2", "earlier-3"];

const before = (
  earlier: readonly Earlier[],
  line: (curve: Earlier["curve"]) => Omit<Line, "colour">,
): Line[] => earlier.map(({ curve }, i) => ({ colour: EARLIER[i]!, ...line(curve) }));

const charts = new WeakMap<Element, { chart: Chart; key: string }>();

interface Figure {
  readonly title: string;
  readonly id: string;
  /** Description of the lines, for screen readers. */
  readonly spoken: string;
  /** Names of the lines, by colour. */
  readonly legend: Readonly<Record<string, string>>;
  /** Changes whenever the lines do. */
  readonly key: string;
  readonly lines: () => Line[];
  /** Upper end of the y axis; the largest value by default. */
  readonly most?: number;
}

function figure({ title, id, spoken, legend, key, lines, most }: Figure): TemplateResult {
  return html`
    <figure class="card chart" aria-labelledby=${id}>
      <figcaption id=${id}>
        <h2>${title}</h2>
        <span class="visually-hidden">${spoken}</span>
        <span class="legend" aria-hidden="true">
          ${Object.entries(legend).map(([colour, label]) => html`<span class=${colour}>${label}</span>`)}
        </span>
      </figcaption>
      <div
        class="plot"
        ${ref((element) => {
          if (!element) return;
          const known = charts.get(element);
          if (known?.key === key) return;
          const chart = known?.chart ?? new Chart(element as HTMLElement, most);
          charts.set(element, { chart, key });
          chart.show(lines);
        })}
      ></div>
    </figure>
  `;
}

/** Exponential moving average over up to 30 points, corrected for its start. */
function smooth(values: readonly number[]): number[] {
  const reach = Math.min(30, Math.max(1, values.length / 12));
  const keep = 1 - 1 / reach;
  let mean = 0;
  let weight = 0;
  return values.map((value) => {
    mean = keep * mean + (1 - keep) * value;
    weight = keep * weight + (1 - keep);
    return mean / weight;
  });
}
