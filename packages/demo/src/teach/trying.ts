import { html, nothing, type TemplateResult } from "lit-html";
import { Announcer } from "../app/announcer.ts";
import { icons } from "../app/icons.ts";
import { duration, percent } from "../app/numbers.ts";
import type { State } from "../app/state.ts";
import { vars } from "../app/vars.ts";
import type { Teaching } from "./actions.ts";
import type { TeachState } from "./state.ts";

const announcer = new Announcer();

/** A picture, or the camera, classified by the visitor's classes. */
export function trying({ teach }: State, teaching: Teaching): TemplateResult {
  const { learned, is, camera, tried, answer, rate, problem } = teach;
  const isReady = learned !== undefined && is === "idle";
  return html`
    <section class="card trying" aria-labelledby="teach-try">
      <h2 id="teach-try"><span class="number">3</span> Try it</h2>
      <div class="actions">
        <label class="button ${isReady ? "" : "disabled"}">
          ${icons.upload} Try a picture
          <input
            type="file"
            class="hidden"
            accept="image/*"
            ?disabled=${!isReady}
            @change=${(event: Event) => {
              const input = event.target as HTMLInputElement;
              const [file] = input.files ?? [];
              if (file) void teaching.tryPicture(file);
              input.value = "";
            }}
          />
        </label>
        ${
          camera.is === "on"
            ? html`<button type="button" ?disabled=${!isReady || rate !== undefined} @click=${teaching.tryCamera}>${icons.camera} Try the camera</button>`
            : nothing
        }
      </div>
      <p class="visually-hidden" role="status">${spoken(teach)}</p>
      ${tried ? html`<img class="tried" src=${tried.url} alt="The picture that is tried: ${tried.name}" />` : nothing}
      ${
        answer
          ? html`
            <ol class="guesses">
              ${answer.top.map(
                ({ label, probability }) => html`
                  <li>
                    <span class="label">${label}</span>
                    <span class="figures">${percent(probability)}</span>
                    <span class="bar" aria-hidden="true"><i ${vars({ share: probability })}></i></span>
                  </li>
                `,
              )}
            </ol>
            <p class="by">
              ${
                rate === undefined
                  ? duration(answer.milliseconds)
                  : `${rate < 10 ? rate.toFixed(1) : Math.round(rate)} frames per second, ${duration(answer.milliseconds)} each`
              }
            </p>
          `
          : tried && !problem
            ? html`<p class="by">The net looks at it.</p>`
            : nothing
      }
    </section>
  `;
}

/** The first class for a screen reader: of a picture at once, of the camera every few seconds. */
function spoken({ answer, rate, tried }: TeachState): string {
  const [first] = answer?.top ?? [];
  if (!first) return announcer.announce("", "");
  const text = `${first.label}, ${percent(first.probability)}`;
  return announcer.announce(rate === undefined ? `${tried?.url} ${text}` : "camera", text);
}
