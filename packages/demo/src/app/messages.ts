import { html, nothing, type TemplateResult } from "lit-html";
import { icons } from "./icons.ts";

export interface Message {
  readonly kind: "problem" | "note";
  readonly title: string;
  readonly text: string;
  /** A button that may solve it. */
  readonly action?: { readonly label: string; readonly run: () => void } | undefined;
  readonly dismiss?: (() => void) | undefined;
}

/** A message. Screen readers announce problems at once (role alert), notes when idle (role status). */
export const message = ({ kind, title, text, action, dismiss }: Message): TemplateResult => html`
  <div class="message ${kind}" role=${kind === "problem" ? "alert" : "status"}>
    ${kind === "problem" ? icons.alert : icons.info}
    <div>
      <p class="title">${title}</p>
      <p class="text">${text}</p>
      ${action ? html`<button class="small" type="button" @click=${action.run}>${action.label}</button>` : nothing}
    </div>
    ${
      dismiss
        ? html`<button class="bare" type="button" aria-label="Dismiss" @click=${dismiss}>${icons.close}</button>`
        : nothing
    }
  </div>
`;

/** An error to show. */
export interface Problem {
  readonly title: string;
  readonly text: string;
  readonly retry?: (() => void) | undefined;
}

/** The message of a problem, or nothing. */
export const problemMessage = (
  problem: Problem | undefined,
  dismiss: () => void,
  again = "Try again",
): TemplateResult | typeof nothing => {
  if (!problem) return nothing;
  const { title, text, retry } = problem;
  return message({ kind: "problem", title, text, action: retry && { label: again, run: retry }, dismiss });
};
