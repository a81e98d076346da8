import { cells, summary, TITLES } from "@shadegrad/bench";
import { html, type TemplateResult } from "lit-html";
import { vars } from "../app/vars.ts";
import type { BenchmarkReport, BenchmarkResult } from "../worker-client/messages/benchmark.ts";

/** The rows as `npm run bench` prints them; a variant that would not be chosen stands back. */
export const resultTable = (report: BenchmarkReport): TemplateResult => html`
  <div class="card results-card">
    <div class="scroll" tabindex="0" role="region" aria-labelledby="results-title">
      <table>
        <caption id="results-title"><span>${summary(report)}</span></caption>
        <thead>
          <tr>
            ${TITLES.map((title) => html`<th scope="col">${title}</th>`)}
          </tr>
        </thead>
        <tbody>
          ${report.rows.map((result) => row(result, report))}
        </tbody>
      </table>
    </div>
    <p class="how">
      A row names the kernel, the window and channels, the side of the image and the batch: 3×3 64→64 56² ×1; dx and dw
      are gradients. µs is the median of all its launches, ± what runs differ by, “in all” what a caller waits. “Of peak”
      and “of copy” are shares of what this adapter reaches at best.
    </p>
  </div>
`;

function row(result: BenchmarkResult, report: BenchmarkReport): TemplateResult {
  const [name, ...figures] = cells({ ...result, chosen: true }, report);
  return html`
    <tr class=${result.chosen ? "" : "other"}>
      <th scope="row">${name}</th>
      ${figures.map((figure, i) =>
        TITLES[i + 1]!.startsWith("of ")
          ? html`<td class="share" ${vars({ share: Math.min(1, Number.parseFloat(figure) / 100) || 0 })}>${figure}</td>`
          : html`<td>${figure}</td>`,
      )}
    </tr>
  `;
}
