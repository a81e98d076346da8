import { html, type TemplateResult } from "lit-html";
import { icons } from "../app/icons.ts";
import { problemMessage } from "../app/messages.ts";
import type { State } from "../app/state.ts";
import { type Classify, set } from "./actions.ts";
import { nets } from "./nets.ts";
import { results } from "./results.ts";
import { stage } from "./stage.ts";

/** The first view: a picture on the left, what is in it on the right. */
export function classifyView(state: State, classify: Classify): TemplateResult {
  const { problem } = state.classify;
  return html`
    <section class="view classify" data-has-picture=${state.classify.picture !== undefined} aria-labelledby="classify-title">
      <header class="lead">
        <h1 id="classify-title">What is in this picture?</h1>
        <p>
          A residual network says so, here in this tab: WebGPU kernels written by hand, a few kilobytes of TypeScript,
          no server.
        </p>
      </header>
      <div class="columns">
        <div class="column">
          ${stage(state, classify)}
          ${samples(state, classify)}
        </div>
        <div class="column">
          ${problemMessage(problem, () => set({ problem: undefined }))}
          ${results(state)}
          ${nets(state, classify)}
        </div>
      </div>
    </section>
  `;
}

const samples = ({ assets, classify: { picture } }: State, classify: Classify): TemplateResult => html`
  <div class="samples">
    <p id="samples-title">Or one of these photographs</p>
    <ul aria-labelledby="samples-title">
      ${(assets?.samples ?? []).map(
        (sample) => html`
          <li>
            <button
              type="button"
              class="sample"
              aria-pressed=${picture?.name === sample.title}
              @click=${() => void classify.sample(sample)}
            >
              <img src=${sample.path} alt=${sample.alt} width="96" height="72" loading="lazy" />
              <span>${sample.title}</span>
            </button>
          </li>
        `,
      )}
      <li class="hint">${icons.info}<span>Dropping and pasting work anywhere on this page, for files of weights too.</span></li>
    </ul>
  </div>
`;
