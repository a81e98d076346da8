/** The parts of a file handle that `save` uses. */
interface Handle {
  writeFile(chunks: AsyncIterable<Uint8Array>): Promise<unknown>;
  sync(): Promise<unknown>;
}

type Operation = (...args: unknown[]) => Promise<unknown>;

/** All operations of `node:fs/promises` that change something. */
const CHANGING = ["mkdir", "writeFile", "appendFile", "rename", "rm", "link"] as const;

/** Node's files, with a kill at a chosen operation or a disk that is full. Nothing happens after a kill. */
export class FaultyFiles {
  // The very object that the sources ask the process for.
  readonly #files = process.getBuiltinModule("node:fs/promises") as unknown as Record<string, Operation>;
  readonly #real = { ...this.#files };
  #count = 0;
  #dead = false;

  /** Count operations, without a fault. */
  watch(): void {
    this.#patch(() => false);
  }

  /** Kill at the operation with this number, from 1. */
  killAt(number: number): void {
    this.#patch(() => this.#count === number);
  }

  /** Kill at the first operation for which this is true. */
  killWhen(isFatal: (operation: string, path: string) => boolean): void {
    this.#patch(isFatal);
  }

  /** Fail to write into paths for which this is true. */
  fillAt(isFull: (path: string) => boolean): void {
    const full = () =>
      Object.assign(new Error("ENOSPC: no space left on device, write"), {
        code: "ENOSPC",
        syscall: "write",
      });
    const { open, appendFile } = this.#real;
    this.#files.open = async (...args) => {
      const handle = (await open!(...args)) as Handle;
      if (isFull(String(args[0]))) handle.writeFile = () => Promise.reject(full());
      return handle;
    };
    this.#files.appendFile = (...args) =>
      isFull(String(args[0])) ? Promise.reject(full()) : appendFile!(...args);
  }

  /** Give the real files back. → the number of operations since they were replaced. */
  restore(): number {
    Object.assign(this.#files, this.#real);
    const count = this.#count;
    this.#count = 0;
    this.#dead = false;
    return count;
  }

  #patch(isFatal: (operation: string, path: string) => boolean): void {
    const step = async (
      name: string,
      path: string,
      half: () => Promise<unknown>,
      whole: () => Promise<unknown>,
    ) => {
      if (this.#dead) throw new Error("killed");
      this.#count++;
      if (!isFatal(name, path)) return whole();
      this.#dead = true;
      await half();
      throw new Error("killed");
    };
    for (const name of CHANGING) {
      const real = this.#real[name]!;
      const halves = name === "writeFile" || name === "appendFile";
      this.#files[name] = (path, content, ...rest) => {
        const half = String(content).slice(0, String(content).length / 2);
        const written = async () => halves && real(path, half, ...rest);
        return step(name, String(path), written, () => real(path, content, ...rest));
      };
    }
    this.#files.open = async (path, flags) => {
      if (flags !== "wx") return this.#real.open!(path, flags);
      const handle = (await step(
        "open",
        String(path),
        async () => {},
        () => this.#real.open!(path, flags),
      )) as Handle;
      const real = { writeFile: handle.writeFile.bind(handle), sync: handle.sync.bind(handle) };
      handle.writeFile = async (chunks) => {
        async function* first() {
          for await (const chunk of chunks) {
            yield chunk.subarray(0, Math.ceil(chunk.length / 2));
            return;
          }
        }
        return step(
          "write",
          String(path),
          () => real.writeFile(first()),
          () => real.writeFile(chunks),
        );
      };
      handle.sync = () => step("sync", String(path), async () => {}, real.sync);
      return handle;
    };
  }
}
