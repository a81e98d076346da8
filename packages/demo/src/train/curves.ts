import { html, type TemplateResult } from "lit-html";
import { ref } from "lit-html/directives/ref.js";
import { percent } from "../app/numbers.ts";
import type { State } from "../app/state.ts";
import { otherTheme } from "../app/theme.ts";
import { Chart, type Line } from "./chart.ts";
import { labelOf } from "./state.ts";

/** Loss and accuracy over the steps, of this training and those before. */
export function curves(state: State): TemplateResult {
  const { curve, earlier, points, begun, judged } = state.train;
  const before = earlier.map(({ label }) => label);
  const loss: Line[] = [
    ...earlier.map((one, i) => ({
      label: `Before: ${one.label}`,
      colour: EARLIER[i]!,
      ...smooth(one.curve.steps, one.curve.loss),
    })),
    { label: "Loss of the batch", colour: "faint", steps: curve.steps, values: curve.loss },
    { label: "Loss, smoothed", colour: "accent", ...smooth(curve.steps, curve.loss) },
  ];
  const accuracy: Line[] = [
    ...earlier.map((one, i) => ({
      label: `Before: ${one.label}`,
      colour: EARLIER[i]!,
      steps: one.curve.test.steps,
      values: one.curve.test.accuracy,
    })),
    { label: "Of the batches, smoothed", colour: "accent", ...smooth(curve.steps, curve.accuracy) },
    { label: "Of test images", colour: "warm", steps: curve.test.steps, values: curve.test.accuracy },
  ];
  const last = curve.loss.at(-1);
  const key = `${points} ${otherTheme(state.theme)} ${earlier.length}`;
  return html`
    <div class="charts">
      ${figure("Loss", loss, key, "chart-loss", `Now ${last?.toFixed(3) ?? "none"}, at the start ${curve.loss[0]?.toFixed(3) ?? "none"}.`)}
      ${figure("Accuracy", accuracy, key, "chart-accuracy", `Of test images ${judged ? percent(judged.accuracy) : "none yet"}.`, 1)}
    </div>
    ${
      before.length > 0
        ? html`<p class="earlier">
            ${begun ? html`<span class="now">Now: ${labelOf(begun.settings)}</span>` : ""}
            ${before.map((label, i) => html`<span class=${EARLIER[i]!}>Before: ${label}</span>`)}
          </p>`
        : ""
    }
  `;
}

const EARLIER = ["earlier-1", "earlier-2", "earlier-3"];

const charts = new WeakMap<Element, { chart: Chart; key: string }>();

function figure(
  title: string,
  lines: Line[],
  key: string,
  id: string,
  spoken: string,
  most?: number,
): TemplateResult {
  return html`
    <figure class="card chart" aria-labelledby=${id}>
      <figcaption id=${id}>
        <h2>${title}</h2>
        <span class="visually-hidden">${spoken}</span>
        <span class="legend" aria-hidden="true">
          ${lines.filter(({ colour }) => colour === "accent" || colour === "warm").map(({ label, colour }) => html`<span class=${colour}>${label}</span>`)}
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
          // Only what is in the document has a width and colours.
          queueMicrotask(() => chart.draw(lines));
        })}
      ></div>
    </figure>
  `;
}

/** Means over the neighbours before, which is what the eye would do. */
function smooth(steps: readonly number[], values: readonly number[]): Pick<Line, "steps" | "values"> {
  const reach = Math.min(30, Math.max(1, values.length / 12));
  const keep = 1 - 1 / reach;
  let mean = 0;
  let weight = 0;
  return {
    steps,
    values: values.map((value) => {
      mean = keep * mean + (1 - keep) * value;
      weight = keep * weight + (1 - keep);
      return mean / weight;
    }),
  };
}
