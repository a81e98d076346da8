import index from "./fixtures/index.json";

/** PyTorch's answers to one case; scripts/fixtures/README.md says how they are made and named. */
export interface Fixture {
  readonly attrs: Record<string, unknown>;
  readonly tensors: ReadonlyMap<string, { shape: number[]; data: Float32Array | Int32Array }>;
}

export interface IndexRow {
  readonly file: string;
  readonly op: string;
  /** Largest relative L2 error allowed. */
  readonly tol: number;
}

const files = import.meta.glob<string>("./fixtures/**/*.safetensors", {
  query: "?url&inline",
  import: "default",
});

/** The cases of one folder of fixtures: `ops`, `optimizers`, `schedules`. */
export const fixturesOf = (folder: string): IndexRow[] =>
  index.filter(({ file }) => file.startsWith(`${folder}/`));

/** Read one case, in Node and in a page alike. */
export async function loadFixture(file: string): Promise<Fixture> {
  const load = files[`./fixtures/${file}`];
  if (!load) throw new Error(`no fixture ${file}`);
  return parseFixture(await (await fetch(await load())).arrayBuffer());
}

/** A reader of its own, in ten lines, so that the op tests do not lean on the format under test elsewhere. */
export function parseFixture(bytes: ArrayBuffer): Fixture {
  const start = 8 + Number(new DataView(bytes).getBigUint64(0, true));
  const header = JSON.parse(new TextDecoder().decode(new Uint8Array(bytes, 8, start - 8)));
  const { __metadata__: metadata, ...entries } = header as Record<string, Entry> & {
    __metadata__: { attrs: string };
  };
  const tensors = new Map(
    Object.entries(entries).map(
      ([
        name,
        {
          dtype,
          shape,
          data_offsets: [from, to],
        },
      ]) => {
        return [name, { shape, data: decode[dtype](bytes.slice(start + from, start + to)) }];
      },
    ),
  );
  return { attrs: JSON.parse(metadata.attrs), tensors };
}

const decode = {
  F32: (bytes: ArrayBuffer) => new Float32Array(bytes),
  I32: (bytes: ArrayBuffer) => new Int32Array(bytes),
  I64: (bytes: ArrayBuffer) => Int32Array.from(new BigInt64Array(bytes), Number),
};

interface Entry {
  dtype: keyof typeof decode;
  shape: number[];
  data_offsets: [number, number];
}
