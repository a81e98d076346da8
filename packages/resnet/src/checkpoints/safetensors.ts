import { type ByteSource, openSafetensors } from "@shadegrad/tensor/formats";
import type { Checkpoint } from "./checkpoint-file.ts";
import { unsealed } from "./seal.ts";

/**
 * Open a safetensors file, whose numbers are compared with its seal when they are read, if it has one.
 *
 * @throws FormatError if it is damaged.
 */
export async function openSafetensorsCheckpoint(source: ByteSource): Promise<Checkpoint> {
  const file = await openSafetensors(source);
  return {
    format: "safetensors",
    layout: "torch",
    tensors: await unsealed(file.entries, file.metadata),
    metadata: file.metadata,
    close: () => source.close(),
  };
}
