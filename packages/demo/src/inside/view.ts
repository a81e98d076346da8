import "../styles/inside.css";
import { html, nothing, type TemplateResult } from "lit-html";
import { icons } from "../app/icons.ts";
import { problemMessage } from "../app/messages.ts";
import { count, duration, size } from "../app/numbers.ts";
import type { State } from "../app/state.ts";
import type { Inside } from "../worker-client/messages/inside.ts";
import { type Looking, set } from "./actions.ts";
import { architecture } from "./architecture.ts";
import { details } from "./details.ts";
import { timeline } from "./timeline.ts";

/** The third view: the net from within. */
export function insideView(state: State, looking: Looking): TemplateResult {
  const { found, problem } = state.inside;
  return html`
    <section class="view inside" aria-labelledby="inside-title">
      <header class="lead">
        <h1 id="inside-title">What the net sees, layer by layer</h1>
        <p>
          The architecture is drawn from the model that runs, and every number from a run on your picture: shapes,
          feature maps, filters, and the kernels that made them.
        </p>
      </header>
      ${problemMessage(problem, () => set({ problem: undefined }), "Look again")}
      ${subject(state, looking)}
      ${
        found
          ? html`
            ${totals(found)}
            <div class="desk">
              ${architecture(state, found, looking)}
              ${details(state, found, looking)}
            </div>
            ${timeline(found)}
          `
          : nothing
      }
    </section>
  `;
}

/** The picture, the net and the button that runs it. */
function subject({ classify, inside, assets, device }: State, looking: Looking): TemplateResult {
  const { picture, choice, net, loading } = classify;
  const isBusy = inside.is !== "idle";
  const title = net?.title ?? assets?.nets.find(({ id }) => id === choice)?.title ?? "your weights";
  return html`
    <div class="subject card" aria-busy=${isBusy}>
      ${picture ? html`<img src=${picture.url} alt=${picture.alt} />` : html`<span class="none">${icons.classify}</span>`}
      <div>
        <p class="title">${title} on ${picture ? picture.name.replace(/^A /, "a ") : "a photograph"}</p>
        <p class="muted">
          ${
            inside.is === "loading the net"
              ? loading?.of
                ? `Fetching the weights: ${size(loading.bytes)} of ${size(loading.of)}`
                : "The net is getting ready"
              : inside.is === "looking"
                ? "Running, one kernel after the other"
                : html`Another picture or net: choose it under <a href="#/classify">Classify</a>.`
          }
        </p>
        ${isBusy ? html`<progress aria-label="Looking" max=${loading?.of || 1} value=${loading?.phase === "fetch" && loading.of ? loading.bytes : nothing}></progress>` : nothing}
      </div>
      <div class="buttons">
        ${(assets?.samples ?? []).map(
          (sample) =>
            html`<button type="button" ?disabled=${isBusy} @click=${() => void looking.sample(sample)}>${sample.title}</button>`,
        )}
        <button type="button" class="primary" ?disabled=${isBusy || device.is !== "open"} @click=${() => void looking.look()}>
          ${icons.inside} Look
        </button>
      </div>
    </div>
    <p class="visually-hidden" role="status">${isBusy ? "The net runs." : inside.found ? `The net has run. ${inside.found.parts[inside.part]?.title} is shown below.` : ""}</p>
  `;
}

function totals({ parts, kernels, milliseconds, adapter, isTimed, peak }: Inside): TemplateResult {
  const layers = parts.flatMap((part) => part.layers);
  const sum = (values: readonly number[]) => values.reduce((total, value) => total + value, 0);
  const work = sum(layers.map(({ multiplyAdds }) => multiplyAdds));
  const reached = sum(kernels.map(({ flops }) => flops)) / milliseconds / 1e6;
  return html`
    <dl class="tiles">
      <div><dt>Parameters</dt><dd>${count(sum(layers.map(({ parameters }) => parameters)))}</dd><dd class="small">in ${layers.length} layers</dd></div>
      <div><dt>Multiply-adds</dt><dd>${count(work)}</dd><dd class="small">for this picture</dd></div>
      <div><dt>Feature maps</dt><dd>${size(sum(layers.map(({ bytes }) => bytes)))}</dd><dd class="small">outputs of layers</dd></div>
      <div><dt>Time</dt><dd>${duration(milliseconds)}</dd><dd class="small">${isTimed ? "with a pause after each" : "each part waited for"}</dd></div>
      <div><dt>Kernels</dt><dd>${kernels.length}</dd><dd class="small">launched</dd></div>
      <div><dt>Speed</dt><dd>${reached.toFixed(1)}</dd><dd class="small">GFLOP/s of ${peak.gflops.toFixed(0)} at best</dd></div>
    </dl>
    <p class="by">${adapter}; at best ${peak.gflops.toFixed(1)} GFLOP/s and ${peak.gbytes.toFixed(1)} GB/s, measured here.</p>
  `;
}
