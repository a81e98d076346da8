import { html, type TemplateResult } from "lit-html";
import { eachFrame } from "../app/frames.ts";
import { duration, percent } from "../app/numbers.ts";
import { state } from "../app/state.ts";
import { vars } from "../app/vars.ts";
import type { LiveAnswer } from "../worker-client/messages/classify.ts";
import { type Classify, messageOf, set } from "./actions.ts";

/** Classify the camera's frames, one after the other, until the signal aborts. */
export async function classifyLive(
  stream: MediaStream,
  classify: Classify,
  signal: AbortSignal,
): Promise<void> {
  try {
    if (!(await classify.ready())) return;
    await eachFrame(stream, signal, async (frame, fps) => {
      const answer = await classify.frame(frame);
      if (!signal.aborted) set({ live: liveAnswer(answer, fps) });
    });
  } catch (error) {
    if (!signal.aborted)
      set({ loading: undefined, problem: { title: "The camera is not classified", text: messageOf(error) } });
  } finally {
    if (state.classify.live) set({ live: undefined });
  }
}

/** The classes of the latest frame, and how many frames a second are classified. */
const liveAnswer = ({ top, milliseconds }: LiveAnswer, fps: number): TemplateResult => html`
  <div class="live">
    <div class="answer">
      <div>
        <h2>${top[0]!.label}</h2>
        <p>${percent(top[0]!.probability)}, live</p>
      </div>
      <p class="rate figures"><strong>${fps < 10 ? fps.toFixed(1) : Math.round(fps)}</strong> frames/s</p>
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
    <p class="by">${duration(milliseconds)} a frame, from its pixels, which go to the GPU as a texture, to the classes.</p>
  </div>
`;
