/** A script for `addInitScript`: it collects the worker's classifications in `globalThis.answers`. */
export function tellAnswers() {
  /** @type {unknown[]} */
  const answers = [];
  Object.assign(globalThis, { answers });
  const Original = Worker;
  globalThis.Worker = class extends Original {
    /** @param {ConstructorParameters<typeof Worker>} args */
    constructor(...args) {
      super(...args);
      this.addEventListener("message", ({ data }) => {
        if (data.answer?.top) answers.push(data.answer);
      });
    }
  };
}
