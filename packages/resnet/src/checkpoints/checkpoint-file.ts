import type { HostDType, HostTensor, SourceInput } from "@shadegrad/tensor/formats";

/** A tensor of an open checkpoint, read again at each call. */
export interface CheckpointTensor {
  readonly dtype: HostDType;
  readonly shape: readonly number[];
  /** Place in the file, compared to others: reading in this order is cheapest. If absent, the order of the names is. */
  readonly position?: number;
  /** Epsilon of the layer, if this is the variance of a batch norm; PyTorch's 1e-5 if absent. */
  readonly epsilon?: number | undefined;
  /** @throws FormatError if the file ends before the tensor does. */
  read(): Promise<HostTensor>;
}

/** An open checkpoint, of which names, types and shapes are in memory. */
export interface Checkpoint {
  /** Name of the format, such as "safetensors" or "PyTorch (legacy)". */
  readonly format: string;
  /** Axes of weights: `[O, C, R, S]` and `[out, in]` as in PyTorch, or `[R, S, C, O]` and `[in, out]` as in this engine. */
  readonly layout: "torch" | "engine";
  /** In the order in which the file names them. */
  readonly tensors: ReadonlyMap<string, CheckpointTensor>;
  readonly metadata: ReadonlyMap<string, string>;
  /** Close the file. */
  close(): Promise<void>;
}

/** Anything that a checkpoint can be read from: one file, or, of a TensorFlow.js model, `model.json` and its shards. */
export type CheckpointInput = SourceInput | readonly File[] | FileList;

/** A name from a file, quoted for a message. */
export const quote = (name: string): string =>
  JSON.stringify(name.length > 80 ? `${name.slice(0, 80)}…` : name);
