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
      if (constant) this.#stack.push(constant(this.#in));
      else if (!this.#container(opcode) && !this.#reference(opcode))
        throw this.#fail(
          `has opcode ${this.#in.hex(this.#in.at - 1)} at byte ${this.#in.at - 1}, which torch.save does not write`,
        );
    }
  }

  #container(opcode: number): boolean {
    const stack = this.#stack;
    switch (opcode) {
      case 0x28: // MARK
        this.#marks.push(stack.length);
        stack.push(MARK);
        break;
      case 0x30: // POP
        this.#pop();
        break;
      case 0x31: // POP_MARK
        this.#popToMark();
        break;
      case 0x32: // DUP
        stack.push(this.#top());
        break;
      case 0x29: // EMPTY_TUPLE
      case 0x5d: // EMPTY_LIST
      case 0x8f: // EMPTY_SET
        this.#spend(LIST_BYTES);
        stack.push([]);
        break;
      case 0x7d: // EMPTY_DICT
        this.#spend(MAP_BYTES);
        stack.push(new Map());
        break;
      case 0x74: // TUPLE
      case 0x6c: // LIST
      case 0x91: // FROZENSET
        this.#spend(LIST_BYTES);
        stack.push(this.#popToMark());
        break;
      case 0x64: {
        // DICT
        const items = this.#popToMark();
        this.#spend(MAP_BYTES);
        stack.push(new Map());
        this.#setItems(items);
        break;
      }
      case 0x85: // TUPLE1
      case 0x86: // TUPLE2
      case 0x87: {
        // TUPLE3
        const items = Array.from({ length: opcode - 0x84 }, () => this.#pop());
        this.#spend(LIST_BYTES);
        stack.push(items.reverse());
        break;
      }
      case 0x61: // APPEND
        this.#append([this.#pop()]);
        break;
      case 0x65: // APPENDS
      case 0x90: // ADDITEMS
        this.#append(this.#popToMark());
        break;
      case 0x73: {
        // SETITEM
        const value = this.#pop();
        this.#setItems([this.#pop(), value]);
        break;
      }
      case 0x75: // SETITEMS
        this.#setItems(this.#popToMark());
        break;
      default:
        return false;
    }
    return true;
  }

  #reference(opcode: number): boolean {
    switch (opcode) {
      case 0x95: // FRAME
        this.#in.skip(8);
        break;
      case 0x94: // MEMOIZE
        this.#put(this.#memo.size, this.#top());
        break;
      case 0x71: // BINPUT
        this.#put(this.#in.u8(), this.#top());
        break;
      case 0x72: // LONG_BINPUT
        this.#put(this.#in.u32(), this.#top());
        break;
      case 0x68: // BINGET
        this.#get(this.#in.u8());
        break;
      case 0x6a: // LONG_BINGET
        this.#get(this.#in.u32());
        break;
      case 0x63: // GLOBAL
        this.#global(this.#in.line(), this.#in.line());
        break;
      case 0x93: {
        // STACK_GLOBAL
        const name = this.#pop();
        this.#global(this.#pop(), name);
        break;
      }
      case 0x51: // BINPERSID
        this.#spend(OBJECT_BYTES);
        this.#stack.push(this.#rules.persistent(this.#pop()));
        break;
      case 0x52: // REDUCE
        this.#reduce();
        break;
      case 0x92: // NEWOBJ_EX
        this.#pop(); // arguments by name
        this.#reduce();
        break;
      case 0x81: // NEWOBJ
        this.#reduce();
        break;
      case 0x62: // BUILD
        this.#build(this.#pop());
        break;
      default:
        return false;
    }
    return true;
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
