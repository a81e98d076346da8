import type { StepRecord } from "./records.ts";
import type { StepSums } from "./step-queue.ts";

/** Means since the last line of metrics, and the speed, from which the time left follows. */
export class Pace {
  #window = { loss: 0, correct: 0, images: 0, seconds: 0 };
  #steps = 0;
  #seconds = 0;
  #reads = 0;
  /** Duration of the last validation. */
  validationSeconds = 0;

  add({ steps, loss, correct, images, seconds }: StepSums): void {
    this.#window.loss += loss;
    this.#window.correct += correct;
    this.#window.images += images;
    this.#window.seconds += seconds;
    // The first steps wait for shaders to be compiled.
    if (this.#reads++ === 0) return;
    this.#steps += steps;
    this.#seconds += seconds;
  }

  means(): Pick<StepRecord, "loss" | "accuracy" | "imagesPerSecond"> {
    const { loss, correct, images, seconds } = this.#window;
    return { loss: loss / images, accuracy: correct / images, imagesPerSecond: images / seconds };
  }

  /** Start new means. */
  reset(): void {
    this.#window = { loss: 0, correct: 0, images: 0, seconds: 0 };
  }

  /** Seconds for so many steps and validations; undefined until two reads were made. */
  secondsFor(steps: number, validations: number): number | undefined {
    if (this.#steps === 0) return undefined;
    return (steps * this.#seconds) / this.#steps + validations * this.validationSeconds;
  }
}
