import { html, nothing, type TemplateResult } from "lit-html";
import { adapterChip } from "./adapter-chip.ts";
import { icons } from "./icons.ts";
import { message } from "./messages.ts";
import { ROUTES, TITLES } from "./router.ts";
import { change, type State } from "./state.ts";
import { applyTheme, otherTheme } from "./theme.ts";

/** The frame around every view. */
export function page(state: State, view: TemplateResult, reopen: () => void): TemplateResult {
  return html`
    <a class="skip" href="#main" @click=${skip}>Skip to the content</a>
    <header class="top">
      <a class="brand" href="#/classify" aria-label="shadegrad, to the start">
        <svg class="logo" viewBox="0 0 32 32" aria-hidden="true">
          <rect class="s1" x="2" y="2" width="28" height="28" rx="8" />
          <path class="s2" d="M2 22C9 22 11 9 17 9s7 8 13 8v5a8 8 0 0 1-8 8H10a8 8 0 0 1-8-8z" />
          <path class="s3" d="M2 25c7 0 9-8 15-8s7 6 13 6a8 8 0 0 1-8 7H10a8 8 0 0 1-8-5z" />
        </svg>
        <span>shadegrad</span>
      </a>
      <nav aria-label="Views">
        ${ROUTES.map(
          (route) => html`
            <a href="#/${route}" aria-current=${route === state.route ? "page" : nothing}>
              ${icons[route]}<span>${TITLES[route]}</span>
            </a>
          `,
        )}
      </nav>
      <div class="tools">
        ${adapterChip(state.device)}
        ${themeButton(state)}
      </div>
    </header>
    <main id="main" tabindex="-1">
      ${deviceMessage(state, reopen)}
      ${view}
    </main>
    <footer>
      <p><strong>Nothing leaves this machine.</strong> Pictures, weights and trainings stay in this tab; the page asks no other address for anything.</p>
      <p>Drawn and computed by shadegrad, a tensor engine in TypeScript and WGSL. MIT. <a href="licences.txt">Licences</a></p>
    </footer>
  `;
}

function deviceMessage({ device }: State, reopen: () => void): TemplateResult | typeof nothing {
  if (device.is === "missing") {
    return message({
      kind: "problem",
      title: "This browser has no GPU for the page",
      text: `${device.message} Until then, the page shows a recorded answer.`,
      action: { label: "Try again", run: reopen },
    });
  }
  if (device.is === "open" && device.after !== undefined) {
    const { info } = device;
    return message({
      kind: "note",
      title: "The GPU was lost and reopened",
      text: `${device.after} Results are still here; nets are loaded again when they are used.`,
      dismiss: () => change({ device: { is: "open", info } }),
    });
  }
  return nothing;
}

function themeButton({ theme }: State): TemplateResult {
  const other = otherTheme(theme);
  const switchTheme = () => {
    applyTheme(other);
    change({ theme: other });
  };
  return html`
    <button type="button" class="bare" aria-label="Switch to the ${other} theme" @click=${switchTheme}>
      ${other === "dark" ? icons.moon : icons.sun}
    </button>
  `;
}

/** Moves the focus and not the address, in which the view is. */
function skip(event: Event): void {
  event.preventDefault();
  document.querySelector<HTMLElement>("#main")?.focus();
}
