import { cacheFolder } from "./cache-folder.ts";

/** Store for the variants that were measured on an adapter. */
interface Store {
  /** Path or key, for messages. */
  readonly name: string;
  read(): string | undefined;
  write(text: string): void;
}

/** The variants that `tune` found on an adapter, in this process or one before: none where nothing can be read. */
export function keptVariants(adapter: string): Map<string, string> {
  try {
    return parse(storeFor(adapter)?.read() ?? "", adapter);
  } catch {
    return new Map();
  }
}

/** Keep variants for later processes, beside those of other kernels and shapes. → the store's name; undefined if that failed */
export function keepVariants(adapter: string, variants: ReadonlyMap<string, string>): string | undefined {
  try {
    const store = storeFor(adapter);
    if (!store) return undefined;
    const kernels = new Map([...variants.keys()].map((key) => [nameIn(key), checksumIn(key)]));
    // Measurements of a kernel's former shaders are useless.
    const isFormer = (key: string) => (kernels.get(nameIn(key)) ?? checksumIn(key)) !== checksumIn(key);
    const others = [...keptVariants(adapter)].filter(([key]) => !isFormer(key));
    const all = Object.fromEntries([...others, ...variants].sort(([a], [b]) => (a < b ? -1 : 1)));
    store.write(JSON.stringify({ format: FORMAT, adapter, variants: all }, undefined, 1));
    return store.name;
  } catch {
    return undefined; // it is a cache: what cannot be kept is measured again
  }
}

const FORMAT = 1;

/** `conv2d 1a2b3c4d f32 1,56,…` is of kernel conv2d, whose shaders have that checksum. */
const nameIn = (key: string) => key.split(" ")[0];
const checksumIn = (key: string) => key.split(" ")[1];

/** @throws if it is not what `keepVariants` wrote for this adapter. */
function parse(text: string, adapter: string): Map<string, string> {
  const { format, adapter: of, variants } = JSON.parse(text);
  const entries = Object.entries(variants);
  const isRight =
    format === FORMAT && of === adapter && entries.every(([, name]) => typeof name === "string");
  return new Map(isRight ? (entries as [string, string][]) : []);
}

interface Platform {
  process?: NodeJS.Process;
  localStorage?: Storage;
}

function storeFor(adapter: string): Store | undefined {
  const platform = globalThis as Platform;
  if (platform.process?.env?.SHADEGRAD_TUNED === "off") return undefined;
  const files = platform.process?.getBuiltinModule?.("node:fs");
  if (files) return fileFor(adapter, files);
  const { localStorage } = platform; // absent in workers
  const key = `shadegrad tuned ${adapter}`;
  return (
    localStorage && {
      name: `localStorage, ${JSON.stringify(key)}`,
      read: () => localStorage.getItem(key) ?? undefined,
      write: (text) => localStorage.setItem(key, text),
    }
  );
}

function fileFor(adapter: string, files: typeof import("node:fs")): Store {
  const name = `${cacheFolder()}/tuned/${adapter.replace(/[^\w.]+/g, "-")}.json`;
  return {
    name,
    read: () => files.readFileSync(name, "utf8"),
    write(text) {
      files.mkdirSync(name.slice(0, name.lastIndexOf("/")), { recursive: true });
      // A rename makes the file appear whole, though another process writes it too.
      const part = `${name}.${globalThis.process.pid}`;
      files.writeFileSync(part, text);
      files.renameSync(part, name);
    },
  };
}
