import type { StepRecord } from "./records.ts";

/** What a look at the loss finds, over the steps since the one before. */
export interface Look {
  readonly steps: number;
  readonly loss: number;
  readonly correct: number;
  readonly images: number;
  readonly seconds: number;
}

/** How a training goes: means since the last line of metrics, and the speed, which says what is left. */
export class Pace {
  #window = { loss: 0, correct: 0, images: 0, seconds: 0 };
  #steps = 0;
  #seconds = 0;
  #looks = 0;
  /** What the last validation took. */
  validationSeconds = 0;

  add({ steps, loss, correct, images, seconds }: Look): void {
    this.#window.loss += loss;
    this.#window.correct += correct;
    this.#window.images += images;
    this.#window.seconds += seconds;
    // The first steps wait for shaders to be compiled.
    if (this.#looks++ === 0) return;
    this.#steps += steps;
    this.#seconds += seconds;
  }

  means(): Pick<StepRecord, "loss" | "accuracy" | "imagesPerSecond"> {
    const { loss, correct, images, seconds } = this.#window;
    return { loss: loss / images, accuracy: correct / images, imagesPerSecond: images / seconds };
  }

  /** Begin means anew. */
  begin(): void {
    this.#window = { loss: 0, correct: 0, images: 0, seconds: 0 };
  }

  /** For so many steps and validations; undefined until there was time to tell. */
  secondsFor(steps: number, validations: number): number | undefined {
    if (this.#steps === 0) return undefined;
    return (steps * this.#seconds) / this.#steps + validations * this.validationSeconds;
  }
}
