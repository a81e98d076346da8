import { html, nothing, type TemplateResult } from "lit-html";
import { ref } from "lit-html/directives/ref.js";
import { duration, percent, size } from "../app/numbers.ts";
import type { State } from "../app/state.ts";
import { vars } from "../app/vars.ts";
import type { Classification, StageTime } from "../worker-client/messages/classify.ts";
import type { Loading } from "../worker-client/messages/nets.ts";

/** The answer of the net, or its progress. */
export function results(state: State): TemplateResult {
  const { device, classify } = state;
  const { result, running, loading, picture, net, live } = classify;
  return html`
    <div class="results card" aria-busy=${Boolean(running || loading)}>
      ${
        device.is === "missing" && device.recorded
          ? found(
              device.recorded,
              `Recorded on ${device.recorded.adapter}, as this browser has no GPU to show it on.`,
            )
          : live
            ? live
            : result
              ? found(result, undefined)
              : running
                ? under(running, net?.stages ?? 4, device.is === "open" && device.info.software)
                : loading
                  ? coming(loading)
                  : waiting(picture !== undefined && !classify.problem)
      }
    </div>
    <p class="visually-hidden" role="status">${spoken(state)}</p>
  `;
}

function spoken({ classify: { result, running, loading }, device }: State): string {
  if (device.is === "missing") return "";
  if (result) {
    const [first] = result.top;
    return `${first!.label}, ${percent(first!.probability)}. It took ${duration(result.milliseconds)}.`;
  }
  if (running) return "Classifying the picture.";
  return loading ? (loading.phase === "fetch" ? "Fetching the weights." : "Loading the weights.") : "";
}

const waiting = (hasPicture: boolean): TemplateResult => html`
  <div class="waiting">
    <h2>${hasPicture ? "One moment" : "The answer comes here"}</h2>
    <p>
      ${
        hasPicture
          ? "The net is getting ready."
          : "The five likeliest classes, how sure the net is of each, and what the time went into."
      }
    </p>
    <ol class="guesses ghost" aria-hidden="true">
      ${[0.82, 0.4, 0.24, 0.12, 0.06].map(
        (share) =>
          html`<li><span class="label"></span><span class="bar"><i ${vars({ share })}></i></span></li>`,
      )}
    </ol>
  </div>
`;

const coming = ({ phase, bytes, of }: Loading): TemplateResult => html`
  <div class="waiting">
    <h2>${phase === "fetch" ? "Fetching the weights" : "Uploading the weights to the GPU"}</h2>
    <p>
      ${
        phase === "fetch"
          ? "Once; then they are cached in this browser."
          : "Each tensor is converted to the layout of the kernels."
      }
    </p>
    <progress
      aria-label="Weights fetched"
      max=${of || 1}
      value=${phase === "upload" || of === 0 ? nothing : bytes}
    ></progress>
    <p class="figures">${of ? (phase === "fetch" ? `${size(bytes)} of ${size(of)}` : size(of)) : "Looking in this browser’s cache"}</p>
  </div>
`;

function under(stages: readonly StageTime[], count: number, isSoftware: boolean): TemplateResult {
  const names = [
    "decode",
    "resize",
    "stem",
    ...Array.from({ length: count }, (_, i) => `stage ${i + 1}`),
    "head",
  ];
  return html`
  <div class="waiting">
    <h2>Looking …</h2>
    <p>
      ${
        isSoftware
          ? "Without a GPU a large net takes a while: a CPU does the work of thousands of cores."
          : "Pixels become features, and features an answer."
      }
    </p>
    <ol class="steps">
      ${names.map((name) => {
        const done = stages.find((stage) => stage.name === name);
        const isNext = !done && stages.length === names.indexOf(name);
        return html`<li class=${done ? "done" : isNext ? "next" : ""}>
          <span>${name}</span><span class="figures">${done ? duration(done.milliseconds) : ""}</span>
        </li>`;
      })}
    </ol>
  </div>
`;
}

function found(result: Classification, ribbon: string | undefined): TemplateResult {
  const { top, stages, milliseconds, crop, adapter, net } = result;
  const [first] = top;
  return html`
    ${ribbon ? html`<p class="ribbon">${ribbon}</p>` : nothing}
    <div class="answer">
      <div>
        <h2>${first!.label}</h2>
        <p>${confidence(first!.probability)}</p>
      </div>
      ${
        crop.pixels.length > 0
          ? html`
            <figure>
              <canvas
                width=${crop.side}
                height=${crop.side}
                role="img"
                aria-label="The part of the picture that the net was given"
                ${ref((canvas) => paint(canvas as HTMLCanvasElement | undefined, result))}
              ></canvas>
              <figcaption>${crop.side} × ${crop.side} seen</figcaption>
            </figure>
          `
          : nothing
      }
    </div>
    <ol class="guesses">
      ${top.map(
        ({ label, probability }) => html`
          <li>
            <span class="label">${label}</span>
            <span class="figures">${percent(probability)}</span>
            <span class="bar" aria-hidden="true"><i ${vars({ share: probability })}></i></span>
          </li>
        `,
      )}
    </ol>
    <div class="times">
      <h3>Where ${duration(milliseconds)} went</h3>
      <div class="stack" aria-hidden="true">
        ${stages.map(({ milliseconds: own }, i) => html`<i ${vars({ share: own / milliseconds, shade: i })}></i>`)}
      </div>
      <ul>
        ${stages.map(
          ({ name, milliseconds: own }, i) => html`
            <li ${vars({ shade: i })}>
              <span>${name}</span><span class="figures">${duration(own)}</span>
            </li>
          `,
        )}
      </ul>
      <p class="by">${net} on ${adapter}</p>
    </div>
  `;
}

function confidence(probability: number): string {
  const how =
    probability > 0.9
      ? "quite sure"
      : probability > 0.6
        ? "fairly sure"
        : probability > 0.3
          ? "a guess"
          : "not sure";
  return `${percent(probability)}, ${how}`;
}

const painted = new WeakMap<HTMLCanvasElement, Classification>();

function paint(canvas: HTMLCanvasElement | undefined, result: Classification): void {
  if (!canvas || painted.get(canvas) === result) return;
  painted.set(canvas, result);
  const { side, pixels } = result.crop;
  canvas.getContext("2d")!.putImageData(new ImageData(pixels, side, side), 0, 0);
}
