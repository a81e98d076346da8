import { html, nothing, type TemplateResult } from "lit-html";
import { Announcer } from "../app/announcer.ts";
import { icons } from "../app/icons.ts";
import { count, duration, percent, size } from "../app/numbers.ts";
import type { State } from "../app/state.ts";
import { addressOf, type FastRunning, seedInAddress } from "./fast-run.ts";
import type { FastState } from "./fast-state.ts";

const announcer = new Announcer();

/** The preset that trains a net to 94 % on CIFAR-10, with its clock. */
export function fast({ train, device, assets }: State, running: FastRunning): TemplateResult {
  const { fast, settings, is } = train;
  const isSoftware = device.is === "open" && device.info.software;
  const isBusy = fast.is !== "idle" && fast.is !== "done";
  const isCifar = settings.data === "cifar10" && assets?.cifar10 !== null;
  const text = says(fast);
  return html`
    <section class="card fast" aria-labelledby="fast-title" aria-busy=${isBusy}>
      <div class="about">
        <h2 id="fast-title">${isCifar ? "94 % in this tab" : "The fast recipe, on shapes"}</h2>
        <p class="muted">
          Thirteen epochs after airbench94 (Jordan 2024): whitened patches, six convolutions, large steps.
          ${isCifar ? "Fetches CIFAR-10, 139 MB, once." : ""}
          ${
            isSoftware
              ? html`<strong>An H200 takes 19 s; this software adapter needs hours.</strong>`
              : nothing
          }
          ${seedInAddress() === undefined ? nothing : html`This address has seed ${seedInAddress()}.`}
        </p>
      </div>
      <p class="clock figures" aria-label="Time of training">${clockOf(fast.clock)}</p>
      <div class="actions">
        ${
          isBusy
            ? html`<button type="button" ?disabled=${fast.is !== "running"} @click=${running.stop}>${icons.stop} Stop it</button>`
            : html`<button
                type="button"
                class=${isSoftware ? "" : "primary"}
                ?disabled=${device.is === "missing" || is !== "idle"}
                @click=${() => void running.start()}
              >
                ${icons.play} ${fast.report ? "Run again" : "Run it"}
              </button>`
        }
        ${fast.report ? result(fast, running) : nothing}
      </div>
      <p class="status">${text}</p>
      <p class="visually-hidden" role="status">${announcer.announce(phaseOf(fast), text)}</p>
      ${isBusy ? html`<progress aria-label="Steps done" max=${fast.steps || 1} value=${progress(fast)}></progress>` : nothing}
    </section>
  `;
}

const progress = ({ is, latest }: FastState) => (is === "running" && latest ? latest.step : nothing);

const result = ({ seed }: FastState, running: FastRunning): TemplateResult => html`
  <button type="button" @click=${running.download}>${icons.download} Weights</button>
  <a href=${addressOf(seed)}>Link with seed ${seed}</a>
`;

/** Stretch of the training within which only numbers change. */
const phaseOf = ({ is, latest }: FastState): string => (is === "running" && latest ? "steps" : is);

function says({ is, loading, latest, steps, report }: FastState): string {
  if (is === "getting ready") {
    if (loading?.phase === "fetch" && loading.of)
      return `${size(loading.bytes)} of ${size(loading.of)} of images`;
    return "Getting ready";
  }
  if (is === "running" || is === "stopping") {
    if (!latest) return "Compiling kernels";
    const left = latest.secondsLeft === undefined ? "" : `, ${duration(1000 * latest.secondsLeft)} left`;
    return `Step ${latest.step} of ${steps}, loss ${latest.loss.toFixed(3)}, ${count(latest.imagesPerSecond)} images/s${left}`;
  }
  if (is === "evaluating") return "Evaluating on all test images";
  if (!report) return "";
  const { accuracy, images, seconds, step, adapter } = report;
  if (accuracy === undefined) return `Stopped after ${step} steps.`;
  return `${percent(accuracy)} of ${images.toLocaleString("en")} test images, in ${duration(1000 * seconds)} on ${adapter}.`;
}

/** 12.3 s as on a stopwatch: 0:12.3 */
function clockOf(milliseconds: number): string {
  const tenths = Math.floor(milliseconds / 100);
  const [minutes, rest] = [Math.floor(tenths / 600), tenths % 600];
  return `${minutes}:${String(Math.floor(rest / 10)).padStart(2, "0")}.${rest % 10}`;
}
