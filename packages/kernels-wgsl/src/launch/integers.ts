/** Values by lists of integers, which are hashed and compared: as text they would take longer than what they find saves. */
export class IntegerTable<Value> {
  readonly #buckets = new Map<number, Entry<Value>[]>();
  #size = 0;

  get size(): number {
    return this.#size;
  }

  find(key: readonly number[]): Value | undefined {
    const bucket = this.#buckets.get(hash(key));
    if (bucket) for (const entry of bucket) if (areEqual(entry.key, key)) return entry.value;
    return undefined;
  }

  /** Remember a value of a key that is not there yet. The key is copied. */
  add(key: readonly number[], value: Value): void {
    const hashed = hash(key);
    const bucket = this.#buckets.get(hashed);
    const entry = { key: [...key], value };
    if (bucket) bucket.push(entry);
    else this.#buckets.set(hashed, [entry]);
    this.#size++;
  }

  clear(): void {
    this.#buckets.clear();
    this.#size = 0;
  }
}

interface Entry<Value> {
  readonly key: readonly number[];
  readonly value: Value;
}

function hash(key: readonly number[]): number {
  let hashed = key.length;
  for (const part of key) {
    hashed = Math.imul(hashed ^ part, 0x01000193);
    // Products carry upward only: offsets, multiples of 256, would meet in few buckets.
    hashed ^= hashed >>> 15;
  }
  return hashed;
}

function areEqual(a: readonly number[], b: readonly number[]): boolean {
  if (a.length !== b.length) return false;
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return false;
  return true;
}
