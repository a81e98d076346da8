import { FormatError } from "@shadegrad/tensor/formats";
import { quote } from "./checkpoint.ts";
import { PickleBytes } from "./pickle-bytes.ts";

export interface PickleRules {
  /** The only names that are known, as `module.name`, and what they stand for; functions may be called. */
  readonly known: ReadonlyMap<string, unknown>;
  /** What a persistent id stands for. */
  readonly persistent: (id: unknown) => unknown;
}

const MARK = Symbol("mark");

const REFUSED =
  "Only tensors, dicts, lists, numbers and strings are read, and nothing is executed; in PyTorch, save model.state_dict()";

/**
 * Read one pickle as data: dicts as Maps, lists and tuples as arrays, and of functions and classes only what the rules know.
 *
 * An interpreter of the opcodes that `torch.save` writes, pickle protocols 2 to 5
 * (https://github.com/python/cpython/blob/main/Lib/pickletools.py).
 *
 * @throws FormatError on any other opcode or name; TruncatedPickle where the bytes end too early.
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
  #copied = 0;

  constructor(input: PickleBytes, rules: PickleRules) {
    this.#in = input;
    this.#rules = rules;
  }

  run(): unknown {
    const start = this.#in.at;
    if (this.#in.u8() !== 0x80) throw this.#fail(`begins with ${this.#in.hex(start)}, not with a protocol`);
    const protocol = this.#in.u8();
    if (protocol < 2 || protocol > 5) throw this.#fail(`has protocol ${protocol}, not 2 to 5`);
    while (true) {
      const opcode = this.#in.u8();
      if (opcode === 0x2e) return this.#pop();
      if (!this.#constant(opcode) && !this.#container(opcode) && !this.#reference(opcode))
        throw this.#fail(
          `has opcode ${this.#in.hex(this.#in.at - 1)} at byte ${this.#in.at - 1}, which torch.save does not write`,
        );
    }
  }

  #constant(opcode: number): boolean {
    const push = (value: unknown) => {
      this.#stack.push(value);
      return true;
    };
    switch (opcode) {
      case 0x4e: // NONE
        return push(null);
      case 0x88: // NEWTRUE
        return push(true);
      case 0x89: // NEWFALSE
        return push(false);
      case 0x4b: // BININT1
        return push(this.#in.u8());
      case 0x4d: // BININT2
        return push(this.#in.u16());
      case 0x4a: // BININT
        return push(this.#in.u32() | 0);
      case 0x8a: // LONG1
        return push(this.#in.integer(this.#in.u8()));
      case 0x8b: // LONG4
        return push(this.#in.integer(this.#in.u32()));
      case 0x47: // BINFLOAT
        return push(this.#in.f64());
      case 0x55: // SHORT_BINSTRING
        return push(this.#in.text(this.#in.u8()));
      case 0x54: // BINSTRING
        return push(this.#in.text(this.#in.u32()));
      case 0x8c: // SHORT_BINUNICODE
        return push(this.#in.text(this.#in.u8()));
      case 0x58: // BINUNICODE
        return push(this.#in.text(this.#in.u32()));
      case 0x8d: // BINUNICODE8
        return push(this.#in.text(this.#in.u64()));
      default:
        return false;
    }
  }

  #container(opcode: number): boolean {
    const stack = this.#stack;
    switch (opcode) {
      case 0x28: // MARK
        stack.push(MARK);
        break;
      case 0x30: // POP
        this.#pop();
        break;
      case 0x29: // EMPTY_TUPLE
      case 0x5d: // EMPTY_LIST
        stack.push([]);
        break;
      case 0x7d: // EMPTY_DICT
        stack.push(new Map());
        break;
      case 0x74: // TUPLE
      case 0x6c: // LIST
        stack.push(this.#popToMark());
        break;
      case 0x85: // TUPLE1
      case 0x86: // TUPLE2
      case 0x87: {
        // TUPLE3
        const items = Array.from({ length: opcode - 0x84 }, () => this.#pop());
        stack.push(items.reverse());
        break;
      }
      case 0x61: // APPEND
        this.#append([this.#pop()]);
        break;
      case 0x65: // APPENDS
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
        this.#memo.set(this.#memo.size, this.#top());
        break;
      case 0x71: // BINPUT
        this.#memo.set(this.#in.u8(), this.#top());
        break;
      case 0x72: // LONG_BINPUT
        this.#memo.set(this.#in.u32(), this.#top());
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
        this.#stack.push(this.#rules.persistent(this.#pop()));
        break;
      case 0x52: // REDUCE
        this.#reduce();
        break;
      case 0x62: {
        // BUILD gives an object its attributes; those of a dict are notes that no tensor depends on.
        this.#pop();
        if (!(this.#top() instanceof Map)) throw this.#fail("sets attributes of what is no dict");
        break;
      }
      default:
        return false;
    }
    return true;
  }

  #reduce(): void {
    const args = this.#pop();
    const made = this.#pop();
    if (typeof made !== "function" || !Array.isArray(args)) throw this.#fail("calls what is no function");
    // Each call may copy its arguments; a pickle that calls again and again on the same long list is no checkpoint.
    this.#copied += args.reduce((length: number, arg) => length + (Array.isArray(arg) ? arg.length : 1), 0);
    if (this.#copied > this.#in.length) throw this.#fail("repeats itself beyond its own length");
    this.#stack.push(made(...args));
  }

  #global(module: unknown, name: unknown): void {
    const full = `${module}.${name}`;
    if (!this.#rules.known.has(full))
      throw new FormatError(`pickle: refuses ${full.slice(0, 120)}. ${REFUSED}.`);
    this.#stack.push(this.#rules.known.get(full));
  }

  #get(index: number): void {
    if (!this.#memo.has(index)) throw this.#fail(`asks for memo ${index}, which it has not stored`);
    this.#stack.push(this.#memo.get(index));
  }

  #append(items: readonly unknown[]): void {
    const list = this.#top();
    if (!Array.isArray(list)) throw this.#fail("appends to what is no list");
    for (const item of items) list.push(item);
  }

  #setItems(items: readonly unknown[]): void {
    const dict = this.#top();
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
    const mark = this.#stack.lastIndexOf(MARK);
    if (mark < 0) throw this.#fail("closes what it has not opened");
    const items = this.#stack.splice(mark);
    items.shift();
    return items;
  }

  #fail(what: string): FormatError {
    return new FormatError(`pickle: it ${what}. Fetch the file again, or save it with torch.save.`);
  }
}

/** What a value out of a pickle is, as a message says it. */
export function describe(value: unknown): string {
  if (value === null) return "None";
  if (value instanceof Map) return "a dict";
  if (Array.isArray(value)) return "a list";
  if (typeof value === "string") return `the string ${quote(value)}`;
  if (typeof value === "object") return "a tensor or storage";
  return typeof value === "function" ? "a function" : `the ${typeof value} ${value}`;
}
