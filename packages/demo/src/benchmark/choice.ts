import { html, nothing, type TemplateResult } from "lit-html";
import type { State } from "../app/state.ts";
import { type Benchmarking, set } from "./actions.ts";
import { ALL, kindsOf, SHORT, selected } from "./selection.ts";

/** Form for the selection of rows; disabled during a run. */
export function choice({ benchmark }: State, benchmarking: Benchmarking): TemplateResult {
  const { names = [], selection, variants, is } = benchmark;
  const chosen = selected(names, selection);
  const short = selected(names, { kind: SHORT, text: "" });
  const kinds = [
    [SHORT, `A short choice (${short.length})`],
    ...kindsOf(names).map(([kind, count]) => [kind, `${kind} (${count})`] as const),
    [ALL, `Everything (${names.length})`],
  ] as const;
  return html`
    <form class="recipe card" @submit=${(event: Event) => event.preventDefault()}>
      <fieldset ?disabled=${is !== "idle" || benchmark.names === undefined}>
        <legend>Which kernels</legend>
        <label class="field">
          <span>Kernels</span>
          <select
            @change=${(event: Event) => benchmarking.choose({ kind: kinds[(event.target as HTMLSelectElement).selectedIndex]![0] })}
          >
            ${kinds.map(([kind, title]) => html`<option ?selected=${kind === selection.kind}>${title}</option>`)}
          </select>
        </label>
        <label class="field">
          <span>Whose names contain</span>
          <input
            type="search"
            autocomplete="off"
            spellcheck="false"
            placeholder="3×3, 512, dw …"
            .value=${selection.text}
            @input=${(event: Event) => benchmarking.choose({ text: (event.target as HTMLInputElement).value })}
          />
        </label>
        <label class="switch">
          <input
            type="checkbox"
            role="switch"
            .checked=${variants}
            @change=${(event: Event) => set({ variants: (event.target as HTMLInputElement).checked })}
          />
          <span><strong>Every variant</strong><span>also those that are not chosen here</span></span>
        </label>
      </fieldset>
      <details class="rows">
        <summary>${chosen.length} of ${names.length} rows</summary>
        <ul tabindex="0" aria-label="Rows to be measured">
          ${chosen.map((name) => html`<li>${name}</li>`)}
        </ul>
      </details>
      ${
        chosen.length > 40
          ? html`<p class="about">On a software adapter this takes minutes. You can stop after any row.</p>`
          : nothing
      }
    </form>
  `;
}
