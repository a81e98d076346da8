import { FormatError } from "@shadegrad/tensor/formats";
import { describe, Opaque, OpaqueClass } from "./opaque.ts";
import { CONSTANTS, PickleBytes } from "./pickle-bytes.ts";

export interface PickleRules {
  /** Names that are known, as `module.name`, with their values; functions are called with a list of arguments. */
  readonly known: ReadonlyMap<string, unknown>;
  /** The value of a persistent id. */
  readonly persistent: (id: unknown) => unknown;
  /** Size of the file that the pickle is in; its own if absent. */
  readonly fileBytes?: number;
}

const MARK = Symbol("mark");

/** Bytes of memory that things take: a value on the stack, a memo, an array, a Map, an object with some closures. */
const SLOT_BYTES = 8;
const MEMO_BYTES = 48;
const LIST_BYTES = 64;
const MAP_BYTES = 200;
const OBJECT_BYTES = 400;

/** Memory that a pickle may take, beside three times its file. */
const FREE_BYTES = 1 << 25;

/**
 * Read one pickle as data: dicts as Maps, lists, tuples and sets as arrays. Nothing is executed: of functions and classes only
 * those that the rules know are called, and any other gives an `Opaque`.
 *
 * An interpreter of the opcodes of pickle protocols 2 to 5
 * (https://github.com/python/cpython/blob/main/Lib/pickletools.py).
 *
 * @throws FormatError on any other opcode; TruncatedPickle where the bytes end too early.
 */
export function readPickle(
  bytes: Uint8Array,
  at: number,
  rules: PickleRules,
): { value: unknown; end: number } {
  const input = new PickleBytes(bytes, at);
  return { value: new Machine(input, rules).run(), end: input.at };
}

class Machine {
  /** Every instruction that torch.save writes, except constants. */
  static readonly #INSTRUCTIONS: ReadonlyMap<number, (machine: Machine) => void> = new Map<
    number,
    (machine: Machine) => void
  >([
    [0x28, (it) => it.#mark()], // MARK
    [0x30, (it) => it.#pop()], // POP
    [0x31, (it) => it.#popToMark()], // POP_MARK
    [0x32, (it) => it.#stack.push(it.#top())], // DUP
    [0x29, (it) => it.#pushList([])], // EMPTY_TUPLE
    [0x5d, (it) => it.#pushList([])], // EMPTY_LIST
    [0x8f, (it) => it.#pushList([])], // EMPTY_SET
    [0x74, (it) => it.#pushList(it.#popToMark())], // TUPLE
    [0x6c, (it) => it.#pushList(it.#popToMark())], // LIST
    [0x91, (it) => it.#pushList(it.#popToMark())], // FROZENSET
    [0x85, (it) => it.#pushList(it.#popSeveral(1))], // TUPLE1
    [0x86, (it) => it.#pushList(it.#popSeveral(2))], // TUPLE2
    [0x87, (it) => it.#pushList(it.#popSeveral(3))], // TUPLE3
    [0x7d, (it) => it.#pushDict([])], // EMPTY_DICT
    [0x64, (it) => it.#pushDict(it.#popToMark())], // DICT
    [0x61, (it) => it.#append(it.#popSeveral(1))], // APPEND
    [0x65, (it) => it.#append(it.#popToMark())], // APPENDS
    [0x90, (it) => it.#append(it.#popToMark())], // ADDITEMS
    [0x73, (it) => it.#setItems(it.#popSeveral(2))], // SETITEM
    [0x75, (it) => it.#setItems(it.#popToMark())], // SETITEMS
    [0x95, (it) => it.#in.skip(8)], // FRAME
    [0x94, (it) => it.#put(it.#memo.size, it.#top())], // MEMOIZE
    [0x71, (it) => it.#put(it.#in.u8(), it.#top())], // BINPUT
    [0x72, (it) => it.#put(it.#in.u32(), it.#top())], // LONG_BINPUT
    [0x68, (it) => it.#get(it.#in.u8())], // BINGET
    [0x6a, (it) => it.#get(it.#in.u32())], // LONG_BINGET
    [0x63, (it) => it.#global(it.#in.line(), it.#in.line())], // GLOBAL
    [0x93, (it) => it.#global(...(it.#popSeveral(2) as [unknown, unknown]))], // STACK_GLOBAL
    [0x51, (it) => it.#load(it.#pop())], // BINPERSID
    [0x52, (it) => it.#reduce()], // REDUCE
    [0x81, (it) => it.#reduce()], // NEWOBJ
    [0x92, (it) => it.#reduceNamed()], // NEWOBJ_EX
    [0x62, (it) => it.#build(it.#pop())], // BUILD
  ]);
  readonly #in: PickleBytes;
  readonly #rules: PickleRules;
  readonly #stack: unknown[] = [];
  readonly #memo = new Map<number, unknown>();
  /** Places of the marks on the stack. */
  readonly #marks: number[] = [];
  #copied = 0;
  #free: number;

  constructor(input: PickleBytes, rules: PickleRules) {
    this.#in = input;
    this.#rules = rules;
    this.#free = FREE_BYTES + 3 * (rules.fileBytes ?? input.length);
  }

  run(): unknown {
    const start = this.#in.at;
    if (this.#in.u8() !== 0x80) throw this.#fail(`begins with ${this.#in.hex(start)}, not with a protocol`);
    const protocol = this.#in.u8();
    if (protocol < 2 || protocol > 5) throw this.#fail(`has protocol ${protocol}, not 2 to 5`);
    while (true) {
      const opcode = this.#in.u8();
      if (opcode === 0x2e) return this.#pop();
      this.#spend(SLOT_BYTES);
      const constant = CONSTANTS.get(opcode);
      const instruction = Machine.#INSTRUCTIONS.get(opcode);
      if (constant) this.#stack.push(constant(this.#in));
      else if (instruction) instruction(this);
      else
        throw this.#fail(
          `has opcode ${this.#in.hex(this.#in.at - 1)} at byte ${this.#in.at - 1}, which torch.save does not write`,
        );
    }
  }

  #mark(): void {
    this.#marks.push(this.#stack.length);
    this.#stack.push(MARK);
  }

  #pushList(items: unknown[]): void {
    this.#spend(LIST_BYTES);
    this.#stack.push(items);
  }

  #pushDict(items: readonly unknown[]): void {
    this.#spend(MAP_BYTES);
    this.#stack.push(new Map());
    this.#setItems(items);
  }

  /** Push the value of a persistent id, such as a storage's. */
  #load(id: unknown): void {
    this.#spend(OBJECT_BYTES);
    this.#stack.push(this.#rules.persistent(id));
  }

  /** Call the function below its arguments on the stack. */
  #reduce(): void {
    const args = this.#pop();
    const made = this.#pop();
    if (!Array.isArray(args)) throw this.#fail(`calls with ${describe(args)} for arguments`);
    // Each call may copy its arguments; a pickle that calls again and again on the same long list is no checkpoint.
    this.#copied += args.reduce((length: number, arg) => length + (Array.isArray(arg) ? arg.length : 1), 0);
    if (this.#copied > this.#in.length) throw this.#fail("repeats itself beyond its own length");
    this.#spend(OBJECT_BYTES);
    if (typeof made === "function") this.#stack.push(made(args));
    else this.#stack.push(this.#opaque(made, args));
  }

  /** The same, without the arguments by name, which are on top. */
  #reduceNamed(): void {
    this.#pop();
    this.#reduce();
  }

  /** An object of a class that is not known: the dict among its arguments, as of a Counter, is its items. */
  #opaque(made: unknown, args: readonly unknown[]): Opaque {
    if (!(made instanceof Opaque || made instanceof OpaqueClass))
      throw this.#fail(`calls ${describe(made)}, which is no function`);
    const object = new Opaque(made.name);
    const [first] = args;
    if (first instanceof Map) object.items.set("", first);
    return object;
  }

  /** Give an object its attributes. Those of a dict are notes that no tensor depends on. */
  #build(state: unknown): void {
    const object = this.#top();
    if (object instanceof Opaque) object.items.set("", state);
    else if (!(object instanceof Map) && !isObject(object))
      throw this.#fail(`sets attributes of ${describe(object)}`);
  }

  #spend(bytes: number): void {
    this.#free -= bytes;
    if (this.#free < 0) throw this.#fail("makes more objects than a checkpoint of its size has");
  }

  #global(module: unknown, name: unknown): void {
    // Names come from the stack: a tuple of tuples would be as long as it likes, once it is joined.
    if (typeof module !== "string" || typeof name !== "string")
      throw this.#fail(`names ${describe(module)} and ${describe(name)}, not a module and a name`);
    this.#spend(LIST_BYTES);
    const full = `${module}.${name}`;
    this.#stack.push(this.#rules.known.has(full) ? this.#rules.known.get(full) : new OpaqueClass(full));
  }

  #put(index: number, value: unknown): void {
    this.#spend(MEMO_BYTES);
    this.#memo.set(index, value);
  }

  #get(index: number): void {
    if (!this.#memo.has(index)) throw this.#fail(`asks for memo ${index}, which it has not stored`);
    this.#stack.push(this.#memo.get(index));
  }

  #append(items: readonly unknown[]): void {
    const list = this.#top();
    if (list instanceof Opaque) return;
    if (!Array.isArray(list)) throw this.#fail("appends to what is no list");
    for (const item of items) list.push(item);
  }

  #setItems(items: readonly unknown[]): void {
    const top = this.#top();
    const dict = top instanceof Opaque ? top.items : top;
    if (!(dict instanceof Map)) throw this.#fail("sets an item of what is no dict");
    if (items.length % 2 === 1) throw this.#fail("has a key without a value");
    for (let i = 0; i < items.length; i += 2) dict.set(items[i], items[i + 1]);
  }

  #top(): unknown {
    const top = this.#stack.at(-1);
    if (top === undefined || top === MARK) throw this.#fail("takes from an empty stack");
    return top;
  }

  #pop(): unknown {
    const top = this.#top();
    this.#stack.pop();
    return top;
  }

  /** The last `count` values, in the order in which they were pushed. */
  #popSeveral(count: number): unknown[] {
    return Array.from({ length: count }, () => this.#pop()).reverse();
  }

  #popToMark(): unknown[] {
    const mark = this.#marks.pop();
    if (mark === undefined) throw this.#fail("closes what it has not opened");
    const items = this.#stack.splice(mark);
    items.shift();
    return items;
  }

  #fail(what: string): FormatError {
    return new FormatError(`pickle: it ${what}. Fetch the file again, or save it with torch.save.`);
  }
}

/** A tensor, or whatever else the rules made. */
const isObject = (value: unknown): boolean =>
  typeof value === "object" && value !== null && !Array.isArray(value);
