import { html, nothing, svg, type TemplateResult } from "lit-html";
import { Announcer } from "../app/announcer.ts";
import { icons } from "../app/icons.ts";
import { duration, percent } from "../app/numbers.ts";
import type { State } from "../app/state.ts";
import type { TeachStep } from "../worker-client/messages/teach.ts";
import type { Teaching } from "./actions.ts";
import { lessonOf, obstacle, progressOf } from "./lesson.ts";

const announcer = new Announcer();

/** The buttons that let the net learn, and how it goes. */
export function learning(state: State, teaching: Teaching): TemplateResult {
  const { classes, is, stop, steps, learned } = state.teach;
  const missing = obstacle(classes);
  const isCurrent = learned === lessonOf(classes);
  const latest = steps.at(-1);
  const text = says(state, missing, isCurrent);
  const { ready, all } = progressOf(classes);
  return html`
    <section class="card learning" aria-labelledby="teach-learn" aria-busy=${is !== "idle"}>
      <h2 id="teach-learn"><span class="number">2</span> Let it learn</h2>
      <div class="actions">
        <button
          type="button"
          class=${isCurrent ? "" : "primary"}
          ?disabled=${missing !== undefined || is !== "idle"}
          @click=${() => void teaching.learn("head")}
        >
          ${icons.play} ${learned ? "Learn again" : "Learn"}
        </button>
        <button
          type="button"
          ?disabled=${missing !== undefined || !isCurrent || is !== "idle"}
          @click=${() => void teaching.learn("last stage")}
        >
          Fine-tune the last stage
        </button>
        ${is === "idle" ? nothing : html`<button type="button" ?disabled=${stop === "asked"} @click=${teaching.stop}>${icons.stop} Stop</button>`}
      </div>
      <p class="muted">${text}</p>
      <p class="visually-hidden" role="status">${announcer.announce(ready < all ? "looking" : is === "idle" ? text : is, text)}</p>
      ${latest ? html`${figures(latest)}${curve(steps)}` : nothing}
    </section>
  `;
}

function says(
  { teach: { is, stop, steps, learned, pace, left, classes }, device }: State,
  missing: string | undefined,
  isCurrent: boolean,
): string {
  if (is !== "idle" && stop === "asked") return "It stops after this step.";
  if (is === "head") return `The last layer learns${remaining(left)}.`;
  if (is === "last stage") {
    if (steps.length === 0) return "The kernels of the last stage are compiled, and its first step is done.";
    return `The last stage learns too${remaining(left)}.`;
  }
  const { ready, all } = progressOf(classes);
  if (missing)
    return ready < all && pace ? `${missing} About ${duration(pace * (all - ready))} left.` : missing;
  if (!learned) return "Ready: it takes a few seconds.";
  if (!isCurrent) return "The classes have changed since it learned.";
  const latest = steps.at(-1);
  if (stop === "done" && latest && latest.step < latest.of)
    return `Stopped after step ${latest.step} of ${latest.of}. What it has learned by then can be tried and saved.`;
  const isSoftware = device.is === "open" && device.info.software;
  return `Learned. If it mixes things up, add pictures, or fine-tune: ${isSoftware ? "minutes on a software adapter" : "slower"}, and surer.`;
}

const remaining = (left: number | undefined): string =>
  left === undefined || left < 1000 ? "" : `, about ${duration(left)} left`;

const figures = ({ step, of, loss, accuracy, tested }: TeachStep): TemplateResult => html`
  <dl class="tiles">
    <div><dt>Step</dt><dd data-figure="taught">${step}</dd><dd class="small">of ${of}</dd></div>
    <div><dt>Loss</dt><dd>${loss.toFixed(3)}</dd><dd class="small">of the batch</dd></div>
    <div><dt>Accuracy</dt><dd>${percent(accuracy)}</dd><dd class="small">of what it learns from</dd></div>
    <div>
      <dt>Tested</dt>
      <dd>${tested ? percent(tested.accuracy) : "–"}</dd>
      <dd class="small">
        ${tested ? `of ${tested.pictures === 1 ? "1 picture" : `${tested.pictures} pictures`} it never saw` : "from 5 pictures of a class on"}
      </dd>
    </div>
  </dl>
`;

const [WIDTH, HEIGHT] = [300, 64];

/** Loss and accuracy over the steps, each on its own scale. */
function curve(steps: readonly TeachStep[]): TemplateResult {
  const [{ of }] = steps as [TeachStep];
  const most = Math.max(...steps.map(({ loss }) => loss), 1e-9);
  const line = (heightOf: (step: TeachStep) => number) =>
    steps
      .map(
        (one) =>
          `${((one.step / of) * WIDTH).toFixed(1)},${(HEIGHT - 2 - heightOf(one) * (HEIGHT - 4)).toFixed(1)}`,
      )
      .join(" ");
  return html`
    <svg class="learned" viewBox="0 0 ${WIDTH} ${HEIGHT}" preserveAspectRatio="none" role="img" aria-label="Loss and accuracy over the steps">
      ${svg`<polyline class="loss" points=${line(({ loss }) => loss / most)} /><polyline class="accuracy" points=${line(({ accuracy }) => accuracy)} />`}
    </svg>
    <p class="legend"><span class="warm">loss</span><span class="accent">accuracy</span></p>
  `;
}
