import "../styles/teach.css";
import { html, nothing, type TemplateResult } from "lit-html";
import { ref } from "lit-html/directives/ref.js";
import { Announcer } from "../app/announcer.ts";
import { icons } from "../app/icons.ts";
import { problemMessage } from "../app/messages.ts";
import { size } from "../app/numbers.ts";
import type { State } from "../app/state.ts";
import type { Loading } from "../worker-client/messages/nets.ts";
import type { Teaching } from "./actions.ts";
import { baseOf, bytesOf } from "./base.ts";
import { set } from "./change.ts";
import { taughtClass } from "./classes.ts";
import { learning } from "./learning.ts";
import { trying } from "./trying.ts";

const announcer = new Announcer();

/** The view in which a net learns a visitor's own classes. */
export function teachView(state: State, teaching: Teaching): TemplateResult {
  const { problem, classes } = state.teach;
  return html`
    <section class="view teach" aria-labelledby="teach-title">
      <header class="lead">
        <h1 id="teach-title">Teach it your own things</h1>
        <p>
          Show a trained net a few pictures of each thing, and it learns to tell them apart within seconds: what it
          knows of pictures stays, and only its last layer is new.
        </p>
      </header>
      ${problemMessage(problem, () => set({ problem: undefined }))}
      <div class="columns">
        <section class="column" aria-labelledby="teach-show">
          <h2 id="teach-show"><span class="number">1</span> Show it</h2>
          ${camera(state, teaching)}
          ${classes.map((one) => taughtClass(one, state, teaching))}
          <button type="button" class="add" ?disabled=${state.teach.is !== "idle"} @click=${teaching.addClass}>Add a class</button>
          ${bases(state, teaching)}
        </section>
        <div class="column">
          ${learning(state, teaching)}
          ${trying(state, teaching)}
          ${takeHome(state, teaching)}
        </div>
      </div>
    </section>
  `;
}

function camera({ teach: { camera } }: State, teaching: Teaching): TemplateResult {
  if (camera.is !== "on")
    return html`
      <button type="button" class="film" ?disabled=${camera.is === "asking"} @click=${() => void teaching.camera.start()}>
        ${icons.camera} ${camera.is === "asking" ? "Waiting for the camera …" : "Camera"}
      </button>
    `;
  const { stream } = camera;
  return html`
    <div class="viewfinder card">
      <video
        autoplay
        muted
        playsinline
        aria-label="What the camera sees"
        ${ref((element) => {
          const video = element as HTMLVideoElement | undefined;
          if (video && video.srcObject !== stream) video.srcObject = stream;
        })}
      ></video>
      <button type="button" class="small" @click=${teaching.camera.stop}>Turn the camera off</button>
    </div>
  `;
}

/** The choice of the net whose features are used, with what each downloads. */
function bases(state: State, teaching: Teaching): TemplateResult {
  const { assets, teach } = state;
  const chosen = baseOf(state);
  const fetched = teach.loading ? fetchedOf(teach.loading) : "";
  return html`
    <fieldset class="nets" ?disabled=${teach.is !== "idle"}>
      <legend>Which net learns</legend>
      ${(assets?.nets ?? []).map(
        (net) => html`
          <label class="net ${net === chosen ? "chosen" : ""}">
            <input type="radio" name="base" .checked=${net === chosen} @change=${() => teaching.choose(net.id)} />
            <span>
              <strong>${net.title}</strong>
              <span>${net.about}</span>
              <span class="figures">
                ${
                  net === chosen && teach.opened
                    ? `${teach.opened.features} features of ${teach.opened.side} × ${teach.opened.side} pixels`
                    : `${size(bytesOf(net))}, once, with the first picture`
                }
              </span>
            </span>
          </label>
        `,
      )}
    </fieldset>
    <p class="visually-hidden" role="status">${announcer.announce(teach.loading?.phase ?? "", fetched)}</p>
    ${
      teach.loading
        ? html`
          <div class="fetching">
            <progress
              aria-label="Weights fetched"
              max=${teach.loading.of || 1}
              value=${teach.loading.phase === "fetch" && teach.loading.of ? teach.loading.bytes : nothing}
            ></progress>
            <span class="figures">${fetched}</span>
          </div>
        `
        : nothing
    }
  `;
}

/** Share of the weights that has come. */
function fetchedOf({ phase, bytes, of }: Loading): string {
  if (phase === "upload") return "The weights go to the adapter";
  return of ? `${size(bytes)} of ${size(of)} of weights` : "The net is coming";
}

const FORMATS = [
  ["safetensors", "Weights", "for this page, for load() and for PyTorch"],
  ["onnx", "ONNX", "for any other engine"],
  ["html", "Web page", "twenty lines that use the weights"],
] as const;

function takeHome({ teach: { learned, is } }: State, teaching: Teaching): TemplateResult {
  const isReady = learned !== undefined && is === "idle";
  return html`
    <section class="card home" aria-labelledby="teach-home">
      <h2 id="teach-home"><span class="number">4</span> Take it home</h2>
      <ul>
        ${FORMATS.map(
          ([format, name, use]) => html`
            <li>
              <button type="button" ?disabled=${!isReady} @click=${() => void teaching.takeHome(format)}>
                ${icons.download} ${name}
              </button>
              <span>${use}</span>
            </li>
          `,
        )}
      </ul>
    </section>
  `;
}
