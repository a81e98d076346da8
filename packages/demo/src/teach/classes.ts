import { html, nothing, type TemplateResult } from "lit-html";
import { repeat } from "lit-html/directives/repeat.js";
import { icons } from "../app/icons.ts";
import type { State } from "../app/state.ts";
import type { Teaching } from "./actions.ts";
import type { TaughtClass } from "./state.ts";

/** A class of the visitor: its name, its pictures, and the ways to add some. */
export function taughtClass(one: TaughtClass, state: State, teaching: Teaching): TemplateResult {
  const { teach, classify } = state;
  const { id, name, examples } = one;
  const isFixed = teach.is !== "idle";
  return html`
    <section
      class="card taught ${classify.isDropping ? "dropping" : ""}"
      aria-label="Pictures of ${name}"
      @drop=${(event: DragEvent) => {
        if (!isFixed) teaching.addFiles(id, event.dataTransfer?.files ?? []);
      }}
    >
      <header>
        <label class="field">
          <span class="visually-hidden">Name of the class</span>
          <input
            type="text"
            maxlength="60"
            autocomplete="off"
            .value=${name}
            ?disabled=${isFixed}
            @input=${(event: Event) => teaching.rename(id, (event.target as HTMLInputElement).value)}
          />
        </label>
        <span class="figures">${examples.length === 1 ? "1 picture" : `${examples.length} pictures`}</span>
        ${
          teach.classes.length > 2
            ? html`<button type="button" class="bare" aria-label="Remove ${name}" ?disabled=${isFixed} @click=${() => teaching.removeClass(id)}>${icons.close}</button>`
            : nothing
        }
      </header>
      ${examples.length > 0 ? thumbnails(one, isFixed, teaching) : nothing}
      <div class="actions">
        <label class="button ${isFixed ? "disabled" : ""}">
          ${icons.upload} ${examples.length > 0 ? "Add pictures" : "Drop or choose pictures"}
          <input
            type="file"
            class="hidden"
            multiple
            accept="image/*"
            ?disabled=${isFixed}
            @change=${(event: Event) => {
              const input = event.target as HTMLInputElement;
              teaching.addFiles(id, [...(input.files ?? [])]);
              input.value = "";
            }}
          />
        </label>
        ${teach.camera.is === "on" ? holdButton(id, isFixed, teaching) : nothing}
      </div>
    </section>
  `;
}

const thumbnails = ({ id, name, examples }: TaughtClass, isFixed: boolean, teaching: Teaching) => html`
  <ul class="thumbnails">
    ${repeat(
      examples,
      (example) => example.id,
      (example, i) => html`
        <li class=${example.isReady ? "" : "coming"}>
          <img src=${example.url} alt="${name}, picture ${i + 1}" width="56" height="56" />
          <button
            type="button"
            class="bare"
            aria-label="Remove picture ${i + 1} of ${name}"
            ?disabled=${isFixed}
            @click=${() => teaching.removeExample(id, example)}
          >
            ${icons.close}
          </button>
        </li>
      `,
    )}
  </ul>
`;

/** Takes pictures while it is held; a key, or a screen reader's click, takes one. */
const holdButton = (id: number, isFixed: boolean, teaching: Teaching): TemplateResult => html`
  <button
    type="button"
    ?disabled=${isFixed}
    @pointerdown=${(event: PointerEvent) => {
      (event.currentTarget as Element).setPointerCapture(event.pointerId);
      void teaching.hold(id);
    }}
    @pointerup=${teaching.camera.release}
    @pointercancel=${teaching.camera.release}
    @click=${(event: PointerEvent) => {
      if (event.detail === 0) void teaching.takePicture(id);
    }}
  >
    ${icons.camera} Hold to film
  </button>
`;
