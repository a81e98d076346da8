import "../styles/benchmark.css";
import { html, nothing, type TemplateResult } from "lit-html";
import { icons } from "../app/icons.ts";
import { problemMessage } from "../app/messages.ts";
import type { State } from "../app/state.ts";
import { type Benchmarking, set } from "./actions.ts";
import { rooflineChart } from "./chart.ts";
import { choice } from "./choice.ts";
import { selected } from "./selection.ts";
import { resultTable } from "./table.ts";

/** The fourth view: how fast each kernel is here. */
export function benchmarkView(state: State, benchmarking: Benchmarking): TemplateResult {
  const { problem, report } = state.benchmark;
  return html`
    <section class="view benchmark" aria-labelledby="benchmark-title">
      <header class="lead">
        <h1 id="benchmark-title">How fast the kernels are here</h1>
        <p>
          Each is timed by itself, beside the most that this adapter reaches when it does nothing but multiply and add,
          or nothing but copy. The same table as <code>npm run bench</code> prints.
        </p>
      </header>
      ${problemMessage(problem, () => set({ problem: undefined }))}
      <div class="desk">
        ${choice(state, benchmarking)}
        <div class="column">
          ${controls(state, benchmarking)}
          ${figures(state)}
          ${report && report.rows.length > 0 ? resultTable(report) : nothingYet(state)}
        </div>
      </div>
      ${report ? rooflineChart(report) : nothing}
    </section>
  `;
}

function controls(state: State, benchmarking: Benchmarking): TemplateResult {
  const { benchmark, device } = state;
  const { is, names, selection, report } = benchmark;
  const reason = is === "idle" ? elsewhere(state) : undefined;
  const isReady = device.is === "open" && names !== undefined && !reason;
  const count = selected(names ?? [], selection).length;
  return html`
    <div class="controls card" role="group" aria-label="Measuring">
      ${
        is === "idle"
          ? html`<button type="button" class="primary" ?disabled=${!isReady || count === 0} @click=${() => void benchmarking.start()}>
              ${icons.play} ${report ? "Start again" : "Start"}
            </button>`
          : html`<button type="button" class="primary" ?disabled=${is === "stopping"} @click=${() => void benchmarking.stop()}>
              ${icons.stop} Stop
            </button>`
      }
      <span class="space"></span>
      <button type="button" ?disabled=${is !== "idle" || !report?.rows.length} @click=${benchmarking.download}>
        ${icons.download} JSON
      </button>
      ${is === "idle" ? nothing : progress(benchmark)}
      ${reason ? html`<p class="why">${reason}</p>` : nothing}
      <p class="visually-hidden" role="status">${spoken(benchmark)}</p>
    </div>
  `;
}

/** A warning about other work on the device, whose launches would be timed as well. */
function elsewhere({ train, classify, inside }: State): TemplateResult | undefined {
  if (train.is !== "idle")
    return html`A net is being trained, on the same adapter. Pause it under <a href="#/train">Train</a> first.`;
  if (classify.running || classify.loading || inside.is !== "idle")
    return html`A net is at work on the same adapter; this can start when it is done.`;
  return undefined;
}

function progress({ asked, measuring, report, is }: State["benchmark"]): TemplateResult {
  const at = measuring === undefined ? 0 : asked.indexOf(measuring);
  const text = !report
    ? "What the adapter reaches at best"
    : is === "stopping"
      ? `Stopping after ${measuring ?? "the first row"}`
      : (measuring ?? "");
  return html`
    <div class="ready">
      <progress aria-label="Rows that are measured" max=${asked.length} value=${report ? at : nothing}></progress>
      <span class="figures">${report ? `${at + 1} of ${asked.length}` : ""}</span>
    </div>
    <p class="measuring figures">${text}</p>
  `;
}

function spoken({ is, asked, report }: State["benchmark"]): string {
  if (is === "running") return `Measuring ${asked.length} rows.`;
  if (is === "stopping") return "Stopping after the row that is being measured.";
  return report ? `${report.rows.length} rows are measured; the table has them.` : "";
}

function figures({ benchmark: { report, asked, is } }: State): TemplateResult {
  const measured = new Set(report?.rows.map(({ name }) => name)).size;
  return html`
    <dl class="tiles">
      <div>
        <dt>Multiply and add</dt>
        <dd data-figure="gflops">${report ? `${report.peak.gflops.toFixed(1)} GFLOP/s` : "–"}</dd>
        <dd class="small">at best, measured here</dd>
      </div>
      <div>
        <dt>Copy</dt>
        <dd data-figure="gbytes">${report ? `${report.peak.gbytes.toFixed(1)} GB/s` : "–"}</dd>
        <dd class="small">at best, measured here</dd>
      </div>
      <div>
        <dt>Rows</dt>
        <dd>${asked.length > 0 ? `${measured} of ${asked.length}` : "–"}</dd>
        <dd class="small">${is !== "idle" ? "being measured" : report ? (measured < asked.length ? "stopped before the end" : "all measured") : "none yet"}</dd>
      </div>
      <div>
        <dt>Clock</dt>
        <dd>${report ? (report.timed ? "Timestamps" : "The page's") : "–"}</dd>
        <dd class="small">${report ? (report.timed ? "of the adapter" : "of many runs in a row") : "not known yet"}</dd>
      </div>
    </dl>
  `;
}

/** Placeholder until there are results. */
function nothingYet({ benchmark: { names, selection, is } }: State): TemplateResult {
  const count = selected(names ?? [], selection).length;
  return html`
    <div class="card nothing-yet">
      <svg viewBox="0 0 200 90" aria-hidden="true">
        <path class="roof" d="M10 82 92 18H190" />
        <circle cx="48" cy="64" r="5" /><circle cx="82" cy="40" r="5" /><circle cx="128" cy="34" r="5" /><circle cx="162" cy="26" r="5" />
      </svg>
      <div>
        <strong>${is === "idle" ? "Nothing is measured yet" : "The first row is on its way"}</strong>
        <p>
          ${
            is !== "idle"
              ? "Before it comes what the adapter reaches at best, and the kernels are compiled."
              : count > 0
                ? `Start times ${count === 1 ? "one row" : `${count} rows`}, each for a third of a second or seven runs, whichever is longer. Rows come in as they are done.`
                : names
                  ? "No row is selected. Choose other kernels, or ask for another part of their names."
                  : "What can be measured is coming."
          }
        </p>
      </div>
    </div>
  `;
}
