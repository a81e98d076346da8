import { html, nothing, svg, type TemplateResult } from "lit-html";
import { count, duration } from "../app/numbers.ts";
import type { State } from "../app/state.ts";
import { vars } from "../app/vars.ts";
import type { Inside, InsidePart } from "../worker-client/messages/inside.ts";
import type { Looking } from "./actions.ts";

/** The net's parts from input to output, each a button. */
export function architecture({ inside }: State, { parts }: Inside, looking: Looking): TemplateResult {
  const slowest = Math.max(...parts.map(({ milliseconds }) => milliseconds));
  return html`
    <nav class="net-parts card" aria-label="Parts of the net">
      <ol>
        ${parts.map((part, i) => {
          const { title, shape, milliseconds, stage } = part;
          const isNew = stage !== undefined && parts[i - 1]?.stage !== stage;
          return html`
            <li class=${isNew ? "begins" : ""}>
              ${isNew ? html`<p class="stage-title">Stage ${stage + 1}</p>` : nothing}
              <button
                type="button"
                class="part stage-${stage ?? "end"}"
                aria-pressed=${inside.part === i}
                @click=${() => void looking.choose(i)}
              >
                ${arc(part)}
                <span class="name">${title}</span>
                <span class="figures shape">${shape.slice(1).join(" × ")}</span>
                <span class="figures work">${count(workOf(part))} MAC</span>
                <span class="figures time">${duration(milliseconds)}</span>
                <span class="bar" aria-hidden="true"><i ${vars({ share: slowest > 0 ? milliseconds / slowest : 0 })}></i></span>
              </button>
            </li>
          `;
        })}
      </ol>
    </nav>
  `;
}

const workOf = ({ layers }: InsidePart): number =>
  layers.reduce((sum, { multiplyAdds }) => sum + multiplyAdds, 0);

/** Drawing of a part: its layers, and its shortcut, dashed where that changes the shape. */
const arc = ({ shortcut }: InsidePart): TemplateResult => html`
  <svg class="arc" viewBox="0 0 24 40" aria-hidden="true">
    <path class="way" d="M15 0V40" />
    ${shortcut === "none" ? nothing : svg`<path class="around ${shortcut}" d="M15 4C2 8 2 32 15 36" />`}
    <rect x="10" y="13" width="10" height="14" rx="3" />
  </svg>
`;
