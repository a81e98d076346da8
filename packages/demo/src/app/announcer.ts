/** Milliseconds between two announcements of progress. */
const PAUSE = 5000;

/**
 * Text of a live region. Screen readers read each change of it: the begin and the end of a phase are announced at once, and
 * progress within it every few seconds.
 */
export class Announcer {
  #phase = "";
  #text = "";
  #at = 0;

  /** Text to show in the live region now: the latest, or the one that was announced before. */
  announce(phase: string, text: string, now = performance.now()): string {
    if (phase !== this.#phase || now - this.#at >= PAUSE) {
      this.#phase = phase;
      this.#text = text;
      this.#at = now;
    }
    return this.#text;
  }
}
