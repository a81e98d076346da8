import { type ByteSource, FormatError } from "@shadegrad/tensor/formats";
import { type Checkpoint, type CheckpointTensor, quote } from "./checkpoint-file.ts";
import { isRecord, shown } from "./json.ts";
import { shardPath } from "./shards.ts";

/** Shards of a checkpoint: none that was published has more. */
const MAX_SHARDS = 1000;

/**
 * Open a checkpoint in shards: a `….index.json` whose `weight_map` gives the file of each tensor, each file a checkpoint.
 *
 * Follows https://huggingface.co/docs/transformers/big_models#sharded-checkpoints.
 *
 * @throws FormatError if a shard is missing or damaged, or lacks a tensor that the index places there.
 */
export async function openSharded(
  source: ByteSource,
  { weight_map: map }: Record<string, unknown>,
  openShard: (path: string) => Promise<Checkpoint>,
): Promise<Checkpoint> {
  if (!isRecord(map)) throw damaged(`its weight_map is ${shown(map)}, not names and files`);
  const places = Object.entries(map);
  const paths = [...new Set(places.map(([, path]) => shardPath(path, damaged)))];
  if (paths.length > MAX_SHARDS) throw damaged(`it names ${paths.length} shards, more than ${MAX_SHARDS}`);
  const shards = new Map<string, Checkpoint>();
  const close = async () => {
    for (const shard of shards.values()) await shard.close();
    await source.close();
  };
  try {
    for (const path of paths) shards.set(path, await openShard(path));
    const tensors = new Map<string, CheckpointTensor>();
    const order = new Map(paths.map((path, i) => [path, i]));
    for (const [name, path] of places) {
      const tensor = shards.get(path as string)!.tensors.get(name);
      if (!tensor) throw damaged(`it places ${quote(name)} in ${quote(path as string)}, which lacks it`);
      tensors.set(name, at(tensor, order.get(path as string)!));
    }
    const [first] = shards.values();
    if (!first) throw damaged("its weight_map is empty");
    return { ...first, tensors, close };
  } catch (error) {
    await close();
    throw error;
  }
}

/** The tensor, after those of earlier shards. */
const at = (tensor: CheckpointTensor, shard: number): CheckpointTensor => ({
  dtype: tensor.dtype,
  shape: tensor.shape,
  position: shard * 2 ** 40 + (tensor.position ?? 0),
  read: () => tensor.read(),
});

const damaged = (what: string): FormatError =>
  new FormatError(`index.json: ${what}. Fetch the index and its shards again.`);
