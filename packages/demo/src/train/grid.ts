import { html, type TemplateResult } from "lit-html";
import { ref } from "lit-html/directives/ref.js";
import type { State } from "../app/state.ts";
import { vars } from "../app/vars.ts";
import type { TestImages } from "../worker-client/messages/train.ts";

/** Images that the net never learns from, and what it takes them for. */
export function grid({ train: { test, validated, begun } }: State): TemplateResult {
  if (!test || !begun) return html``;
  const { classes } = begun;
  const right = validated ? [...validated.guesses].filter((guess, i) => guess === test.labels[i]).length : 0;
  return html`
    <section class="card test" aria-labelledby="test-title">
      <header>
        <h2 id="test-title">Images that it never learns from</h2>
        <p class="figures">${validated ? `${right} of ${test.labels.length} right` : ""}</p>
      </header>
      <ul>
        ${[...test.labels].map((label, i) => {
          const guess = validated?.guesses[i];
          const isRight = guess === label;
          return html`
            <li class=${guess === undefined ? "" : isRight ? "right" : "wrong"} ${vars({ sure: validated?.confidence[i] ?? 0 })}>
              <canvas
                width=${test.side}
                height=${test.side}
                role="img"
                aria-label=${classes[label]!}
                ${ref((canvas) => paint(canvas as HTMLCanvasElement | undefined, test, i))}
              ></canvas>
              <span>
                <span class="visually-hidden">${guess === undefined ? "" : isRight ? "right: " : "wrong: "}</span>
                ${guess === undefined ? " " : classes[guess]}
              </span>
            </li>
          `;
        })}
      </ul>
    </section>
  `;
}

const painted = new WeakMap<HTMLCanvasElement, TestImages>();

function paint(canvas: HTMLCanvasElement | undefined, test: TestImages, i: number): void {
  if (!canvas || painted.get(canvas) === test) return;
  painted.set(canvas, test);
  const { side, pixels } = test;
  const own = pixels.slice(i * side * side * 4, (i + 1) * side * side * 4);
  canvas.getContext("2d")!.putImageData(new ImageData(own, side, side), 0, 0);
}
