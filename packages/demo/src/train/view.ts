import "../styles/train.css";
import { html, nothing, type TemplateResult } from "lit-html";
import { Announcer } from "../app/announcer.ts";
import { icons } from "../app/icons.ts";
import { message, problemMessage } from "../app/messages.ts";
import { count, percent, size } from "../app/numbers.ts";
import type { State } from "../app/state.ts";
import { set, type Training } from "./actions.ts";
import { curves } from "./curves.ts";
import { fast } from "./fast.ts";
import type { FastRunning } from "./fast-run.ts";
import { grid } from "./grid.ts";
import { recipe } from "./recipe.ts";

const announcer = new Announcer();

/** The second view: a net that learns, live. */
export function trainView(state: State, training: Training, running: FastRunning): TemplateResult {
  const { problem, note } = state.train;
  return html`
    <section class="view train" aria-labelledby="train-title">
      <header class="lead">
        <h1 id="train-title">Train a net, and watch it learn</h1>
        <p>
          A ResNet from scratch, forward and backward, on your machine. Take its shortcuts away and make it deep: the
          loss stops falling, which is what residual connections were invented for.
        </p>
      </header>
      ${problemMessage(problem, () => set({ problem: undefined }))}
      ${note ? message({ kind: "note", ...note, dismiss: () => set({ note: undefined }) }) : nothing}
      ${fast(state, running)}
      <div class="desk">
        ${recipe(state, training)}
        <div class="column">
          ${controls(state, training)}
          ${figures(state)}
          ${curves(state)}
          ${grid(state)}
        </div>
      </div>
    </section>
  `;
}

function controls({ train, device }: State, training: Training): TemplateResult {
  const { is, begun, loading } = train;
  const isBusy = is === "getting ready" || is === "pausing";
  const isReady = device.is !== "missing";
  return html`
    <div class="controls card" role="group" aria-label="Training">
      ${
        is === "running" || is === "pausing"
          ? html`<button type="button" class="primary" ?disabled=${isBusy} @click=${training.pause}>${icons.pause} Pause</button>`
          : html`<button type="button" class="primary" ?disabled=${isBusy || !isReady} @click=${() => void training.start()}>
              ${icons.play} ${begun ? "Continue" : "Start"}
            </button>`
      }
      <button type="button" ?disabled=${is !== "idle" || !isReady} @click=${() => void training.step()}>${icons.step} Step</button>
      <button type="button" ?disabled=${!begun} @click=${training.reset}>${icons.reset} Reset</button>
      <span class="space"></span>
      <button type="button" ?disabled=${!begun || is !== "idle"} @click=${training.download}>${icons.download} Checkpoint</button>
      <label class="button">
        ${icons.upload} Load checkpoint
        <input
          type="file"
          class="hidden"
          accept=".safetensors"
          @change=${(event: Event) => {
            const input = event.target as HTMLInputElement;
            const [file] = input.files ?? [];
            if (file) void training.resume(file);
            input.value = "";
          }}
        />
      </label>
      ${
        is === "getting ready"
          ? html`<div class="ready">
              <progress
                aria-label="Images fetched"
                max=${loading?.of || 1}
                value=${loading?.phase === "fetch" && loading.of ? loading.bytes : nothing}
              ></progress>
              <span class="figures">${loading?.of ? `${size(loading.bytes)} of ${size(loading.of)} of images` : "Getting ready"}</span>
            </div>`
          : nothing
      }
    </div>
  `;
}

function figures({
  train: { step, latest, validated, begun, preparing, is, missed },
}: State): TemplateResult {
  const progress = progressOf(preparing, is, missed);
  const epoch = begun ? (step / begun.perEpoch).toFixed(step < begun.perEpoch * 10 ? 2 : 1) : "0";
  return html`
    <dl class="tiles">
      <div><dt>Step</dt><dd>${step.toLocaleString("en")}</dd><dd class="small">epoch ${epoch}</dd></div>
      <div><dt>Loss</dt><dd data-figure="loss">${latest ? latest.loss.toFixed(4) : "–"}</dd><dd class="small">of the batch</dd></div>
      <div>
        <dt>Test accuracy</dt>
        <dd>${validated ? percent(validated.accuracy) : "–"}</dd>
        <dd class="small">${validated ? `of ${validated.images} images` : "not validated yet"}</dd>
      </div>
      <div><dt>Images / s</dt><dd>${latest ? count(latest.imagesPerSecond) : "–"}</dd><dd class="small">learned from</dd></div>
      <div><dt>Memory</dt><dd>${latest ? size(latest.memory) : "–"}</dd><dd class="small">on the device</dd></div>
      <div><dt>Parameters</dt><dd>${begun ? count(begun.parameters) : "–"}</dd><dd class="small">${begun ? `${begun.layers} layers` : ""}</dd></div>
    </dl>
    <p class="preparing">${progress}</p>
    <p class="visually-hidden" role="status">${announcer.announce(preparing ? "preparing" : progress, progress)}</p>
  `;
}

function progressOf(
  preparing: State["train"]["preparing"],
  is: State["train"]["is"],
  missed: string | undefined,
): string {
  if (preparing) return `Compiling kernels: ${preparing.done} of ${preparing.of}`;
  if (is === "pausing") return "Pausing after this step";
  if (is !== "running") return "";
  return missed ?? "Training continues while this tab is in the background; its title shows the progress.";
}
