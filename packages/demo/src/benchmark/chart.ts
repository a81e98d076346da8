import { groupOf, roofline } from "@shadegrad/bench";
import { html, svg, type TemplateResult } from "lit-html";
import type { BenchmarkReport } from "../worker-client/messages/benchmark.ts";

type Axis = ReturnType<typeof roofline>["x"];

/** Roofline chart of the rows, on logarithmic axes. Positions are percentages, so that it fits any width. */
export function rooflineChart(report: BenchmarkReport): TemplateResult {
  const { x, y, roof, points } = roofline(report);
  const across = (value: number) => percent(share(x, value));
  const up = (value: number) => percent(1 - share(y, value));
  const families = [...new Set(report.rows.map(({ name }) => familyOf(groupOf(name))))];
  const tone = (group: string) => `tone-${families.indexOf(familyOf(group)) % TONES}`;
  const groups = [...new Set(points.map(({ group }) => group))];
  return html`
    <figure class="card roofline" aria-labelledby="roofline-title">
      <figcaption>
        <h2 id="roofline-title">Roofline</h2>
        <p class="muted">
          Under the slope the adapter waits for memory, under the flat for its own arithmetic. The closer to the roof,
          the less is left to gain.
        </p>
      </figcaption>
      <p class="axis-title" aria-hidden="true">GFLOP/s</p>
      <div class="plane">
        <svg role="img" aria-label="GFLOP/s of each row over its operations a byte, below the adapter's roofline; the table has the same numbers.">
          ${y.ticks.map((tick) => svg`<line class="grid" x1="0" x2="100%" y1=${up(tick)} y2=${up(tick)} /><text class=${`y ${rank(tick)}`} x="0" y=${up(tick)}>${tick}</text>`)}
          ${x.ticks.map((tick) => svg`<line class="grid" x1=${across(tick)} x2=${across(tick)} y1="0" y2="100%" /><text class=${`x ${rank(tick)}`} x=${across(tick)} y="100%">${tick}</text>`)}
          ${roof.slice(1).map((to, i) => {
            const from = roof[i]!;
            return svg`<line class="roof" x1=${across(from.x)} y1=${up(from.y)} x2=${across(to.x)} y2=${up(to.y)} />`;
          })}
          ${points.map(
            ({ x, y, group, label, chosen }) =>
              svg`<svg class="point ${tone(group)} ${chosen ? "" : "other"}" x=${across(x)} y=${up(y)}><title>${label}</title>${shape(group)}</svg>`,
          )}
        </svg>
      </div>
      <p class="axis-title below" aria-hidden="true">operations a byte that must move</p>
      <ul class="legend" aria-label="Kinds of kernels">
        ${groups.map((group) => html`<li><svg class="point ${tone(group)}" viewBox="-7 -7 14 14" aria-hidden="true">${shape(group)}</svg>${group}</li>`)}
      </ul>
    </figure>
  `;
}

/** Number of colours in the style sheet, one per family. */
const TONES = 9;

/** A kernel and its gradients, which have the same colour. */
const familyOf = (group: string): string => group.split(" ")[0]!;

/** Marks: disc for forward, triangle for the input's gradient, square for the weights'. */
function shape(group: string): TemplateResult {
  if (group.endsWith(" dx")) return svg`<path d="M-5.6 4.6 0 -5.6 5.6 4.6z" />`;
  if (group.endsWith(" dw")) return svg`<path d="M-4.6 -4.6H4.6V4.6H-4.6z" />`;
  return svg`<circle r="5" />`;
}

/** Class of a tick; narrow charts show only powers of ten. */
const rank = (tick: number): string => (Number.isInteger(Math.log10(tick)) ? "power" : "between");

/** Position of a value on a logarithmic axis, from 0 to 1. */
const share = ({ min, max }: Axis, value: number): number => Math.log(value / min) / Math.log(max / min);

const percent = (share: number): string => `${(100 * share).toFixed(2)}%`;
