import type { Holes } from "@shadegrad/kernels-wgsl";
import { makeAdjacent, spanOf } from "../core/adjacent.ts";
import { zerosLike } from "../core/create.ts";
import { choice, eachCall, recording } from "../core/recorder.ts";
import { keep } from "../core/scope.ts";
import type { Tensor } from "../core/tensor.ts";
import { checkAmount, checkOptions, ShapeError } from "../errors.ts";
import type { HostTensor } from "../formats/index.ts";
import { matchState, restore, type State } from "../nn/match-state.ts";
import { gathered } from "./gathered.ts";
import { decode, encode, numbersOf, type Option } from "./option-state.ts";
import {
  checkParameter,
  groupsOf,
  namedTensors,
  type ParameterGroup,
  type Parameters,
} from "./parameters.ts";
import { advance, type Slot, stretchesOf } from "./stretches.ts";

/** Options, which may be changed at any time, and the tensors that they are for. */
export type Group<O> = O & { readonly slots: readonly Slot[] };

/** Base of the optimizers: parameters in groups, and state that can be saved. */
export abstract class Optimizer<O extends { lr: number } & Record<keyof O, Option>> {
  readonly groups: readonly Group<O>[];
  readonly #kind: string;
  readonly #memory: (options: O) => readonly string[];

  /**
   * @param memory names of the tensors to remember for each parameter, zeros at first
   * @param check throws RangeError at options that make no sense
   */
  constructor(
    kind: string,
    params: Parameters | Iterable<ParameterGroup<O>>,
    defaults: Partial<O>,
    options: Partial<O>,
    memory: (options: O) => readonly string[],
    check: (options: O) => void,
  ) {
    const known = Object.keys({ lr: 0, ...defaults });
    checkOptions(kind, options, known);
    this.#kind = kind;
    this.#memory = memory;
    const seen = new Set<Tensor>();
    this.groups = groupsOf<O>(params).map(({ params: own, ...more }) => {
      checkOptions(kind, more, known);
      const filled = { ...defaults, ...defined(options), ...defined(more) } as O;
      check(filled);
      const slots = [...namedTensors(own)].map(([name, w], i): Slot => {
        const slot = name ?? String(seen.size);
        checkParameter(kind, name ?? i, w);
        if (seen.has(w)) throw new ShapeError(`${kind}: parameter ${slot} is there twice, ${w}.`);
        seen.add(w);
        return { name: slot, w, state: {}, steps: 0 };
      });
      makeAdjacent(slots.map(({ w }) => w));
      this.#remember(slots, filled);
      return { ...filled, slots };
    });
    if (seen.size === 0) {
      throw new ShapeError(
        `${kind}: there is no parameter to move. Give tensors that require a gradient, or a model that has some.`,
      );
    }
  }

  /**
   * Move a parameter along its gradient, times `unscale` if that is given; not at all where it is 0. Several that lie one
   * after the other come as one, flat, with the padding between them: each element goes its own way. Parameters of kernels
   * are functions, since options may change.
   */
  protected abstract update(slot: Slot, dw: Tensor, options: O, unscale: Tensor | undefined): void;

  /** The learning rate: of the first group when it is read, of all when it is set. */
  get lr(): number {
    return this.groups[0]!.lr;
  }

  set lr(lr: number) {
    checkAmount(this.#kind, "lr", lr);
    for (const group of this.groups) group.lr = lr;
  }

  /**
   * Move every parameter that has a gradient, in place.
   *
   * @param unscale `[]`, from a {@link LossScaler}, which takes the step: what gradients are multiplied by; where it
   *   is 0 nothing moves
   * @throws Error if a parameter was disposed.
   */
  step(unscale?: Tensor): void {
    for (const group of this.groups) {
      // Options that are numbers are read at each step; the others decide which launches a step has.
      choice(() =>
        [this.#memory(group), Object.values(group).filter((it) => typeof it === "boolean")].join(),
      );
      for (const slot of group.slots) {
        choice(() => slot.w.requiresGrad);
        if (slot.w.isDisposed) {
          throw new Error(
            `${this.#kind}: parameter ${slot.name} was disposed: by dispose(), or by the end of the scope that made it. Make it with parameter(tensor), or keep() it.`,
          );
        }
      }
      this.#remember(group.slots, group);
      const moved = group.slots.filter(({ w }) => w.grad);
      // Slots moved as often as the one before stay so, unless a step beside this one moves a part of them.
      choice(() =>
        stretchesOf(moved)
          .map(({ length }) => length)
          .join(),
      );
      for (const slots of stretchesOf(moved)) this.#move(slots, group, unscale);
    }
  }

  /** Move parameters that lie one after the other. */
  #move(slots: readonly Slot[], group: Group<O>, unscale: Tensor | undefined): void {
    eachCall(
      () => advance(slots, 1),
      () => advance(slots, -1),
    );
    const [first] = slots as readonly [Slot];
    const gradients = gathered(slots.map(({ w }) => w.grad!));
    let start = 0;
    for (const dw of gradients) {
      // All of them as a rule: a device may bind less at once.
      const count = gradients.length === 1 ? slots.length : 1;
      const some = slots.slice(start, (start += count));
      const w = spanOf(some.map((slot) => slot.w));
      const state = Object.fromEntries(
        Object.keys(first.state).map((part) => [part, spanOf(some.map((slot) => slot.state[part]!))]),
      );
      const flat: Slot = {
        ...{ name: first.name, w, state },
        get steps() {
          return first.steps;
        },
      };
      this.update(flat, dw, group, unscale);
      for (const span of [w, dw, ...Object.values(state)]) span.dispose();
    }
  }

  /** Forget the gradients of all parameters. */
  zeroGrad(): void {
    for (const { w } of this.#slots()) {
      w.grad?.dispose();
      w.grad = undefined;
    }
  }

  /**
   * All that is needed to go on where this optimizer is, bit by bit; for `writeSafetensors` as well.
   *
   * `<parameter>.<memory>` and `<parameter>.steps`, and `groups.<number>.<option>`.
   */
  stateDict(): Map<string, Tensor | HostTensor> {
    for (const group of this.groups) this.#remember(group.slots, group);
    const state = new Map<string, Tensor | HostTensor>();
    for (const { name, state: memory, steps } of this.#slots()) {
      for (const [part, tensor] of Object.entries(memory)) state.set(`${name}.${part}`, tensor);
      state.set(`${name}.steps`, { dtype: "i64", shape: [], data: BigInt64Array.of(BigInt(steps)) });
    }
    this.groups.forEach(({ slots: _, ...options }, i) => {
      for (const [option, value] of Object.entries(options)) {
        state.set(`groups.${i}.${option}`, encode(value as Option));
      }
    });
    return state;
  }

  /**
   * Go on where another optimizer was, of the same kind and over the same parameters.
   *
   * @throws FormatError with all missing, unexpected and misshapen names at once.
   */
  loadStateDict(state: State): void {
    const shapes = (of: State) => new Map([...of].map(([name, { shape }]) => [name, shape]));
    matchState(`${this.#kind}.loadStateDict`, shapes(this.stateDict()), shapes(state), {});
    for (const slot of this.#slots()) {
      for (const [part, tensor] of Object.entries(slot.state)) {
        const name = `${slot.name}.${part}`;
        restore(name, tensor, state.get(name)!);
      }
      slot.steps = numbersOf(state, `${slot.name}.steps`)[0]!;
    }
    this.groups.forEach((group, i) => {
      const options: Record<string, Option> = group as O;
      for (const [option, value] of Object.entries(options)) {
        if (option !== "slots") options[option] = decode(numbersOf(state, `groups.${i}.${option}`), value);
      }
    });
  }

  /** Free the optimizer's state; the parameters stay. */
  dispose(): void {
    for (const { state } of this.#slots()) for (const tensor of Object.values(state)) tensor.dispose();
  }

  [Symbol.dispose](): void {
    this.dispose();
  }

  #slots(): readonly Slot[] {
    return this.groups.flatMap(({ slots }) => slots);
  }

  /** Make the state tensors that the options need: they may need more than at first. */
  #remember(slots: readonly Slot[], options: O): void {
    for (const part of this.#memory(options)) {
      const without = slots.filter(({ state }) => !state[part]);
      if (without.length === 0) continue;
      // State outlives a compiled function, so that its making is not recorded.
      recording(undefined, () => {
        for (const { w, state } of without) state[part] = keep(zerosLike(w));
        makeAdjacent(without.map(({ state }) => state[part]!));
      });
    }
  }
}

/** Hole of an optimizer's kernel for the factor of the gradients. */
export const factorOf = (unscale: Tensor | undefined): Holes => (unscale ? { factor: "unscale[0]" } : {});

const defined = (options: object): object =>
  Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined));
