import { assign, type Generator, keep, Tensor, zerosLike } from "@shadegrad/tensor";
import type { HostTensor } from "@shadegrad/tensor/formats";
import { loadStateDict, type State, stateDict } from "@shadegrad/tensor/nn";
import type { Trained } from "./step.ts";

/** A copy on the GPU of all that a step changes. */
export class Snapshot {
  readonly #trained: Trained;
  readonly #generator: Generator;
  readonly #copies = {
    model: new Map<string, Tensor | HostTensor>(),
    optimizer: new Map<string, Tensor | HostTensor>(),
    scaler: new Map<string, Tensor | HostTensor>(),
    lookahead: new Map<string, Tensor | HostTensor>(),
  };
  #offset = 0;

  constructor(trained: Trained, generator: Generator) {
    this.#trained = trained;
    this.#generator = generator;
    this.take();
  }

  /** Copy the current state. */
  take(): void {
    this.#offset = this.#generator.offset;
    const { model, optimizer, scaler, lookahead } = this.#trained;
    this.#copy("model", stateDict(model));
    this.#copy("optimizer", optimizer.stateDict());
    if (scaler) this.#copy("scaler", scaler.stateDict());
    if (lookahead) this.#copy("lookahead", lookahead.stateDict());
  }

  /** Restore the copied state. */
  restore(): void {
    this.#generator.offset = this.#offset;
    const { model, optimizer, scaler, lookahead } = this.#trained;
    loadStateDict(model, this.#copies.model);
    optimizer.loadStateDict(this.#copies.optimizer);
    scaler?.loadStateDict(this.#copies.scaler);
    lookahead?.loadStateDict(this.#copies.lookahead);
  }

  dispose(): void {
    for (const copies of Object.values(this.#copies)) {
      for (const value of copies.values()) if (value instanceof Tensor) value.dispose();
    }
  }

  #copy(part: keyof Trained, state: State): void {
    const copies = this.#copies[part];
    for (const [name, value] of state) {
      if (!(value instanceof Tensor)) {
        copies.set(name, value);
        continue;
      }
      const before = copies.get(name);
      const copy = before instanceof Tensor ? before : keep(zerosLike(value));
      assign(copy, value);
      copies.set(name, copy);
    }
  }
}
