import { type Fixture, type IndexRow, parseFixture } from "../../tensor/test/fixture.ts";
import index from "./fixtures/index.json";

const files = import.meta.glob<string>("./fixtures/**/*.safetensors", {
  query: "?url&inline",
  import: "default",
});

/** The cases of one folder of fixtures: `blocks`, `training`, `torchvision`. */
export const fixturesOf = (folder: string): IndexRow[] =>
  index.filter(({ file }) => file.startsWith(`${folder}/`));

/** PyTorch's answers to one case; scripts/fixtures/README.md says how they are made and named. */
export async function loadFixture(file: string): Promise<Fixture> {
  return parseFixture(await (await fetch(await files[`./fixtures/${file}`]!())).arrayBuffer());
}

/** A fixture's tensors under a prefix, as a state in PyTorch's layout. */
export function stateOf({ tensors }: Fixture, prefix: string) {
  return new Map(
    [...tensors]
      .filter(([name]) => name.startsWith(prefix))
      .map(([name, { shape, data }]) => {
        const dtype = data instanceof Int32Array ? "i32" : "f32";
        return [name.slice(prefix.length), { dtype, shape, data } as HostTensor] as const;
      }),
  );
}

type HostTensor = import("@shadegrad/tensor/formats").HostTensor;
