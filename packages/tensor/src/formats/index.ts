export { fromBfloat16Bits, fromFloat16Bits, toBfloat16Bits, toFloat16Bits } from "../core/float16.ts";
export { FormatError } from "../errors.ts";
export type { ByteSource } from "./byte-source.ts";
export {
  bytesPerElement,
  type HostArray,
  type HostDType,
  type HostTensor,
  hostTensor,
  toBigInt64,
  toFloat32,
  toInt32,
  type Writable,
} from "./host-tensor.ts";
export type { NodeFile } from "./node-files.ts";
export { readNpy, writeNpy } from "./npy.ts";
export { openSafetensors, readSafetensors, type SafetensorsFile, type TensorEntry } from "./safetensors.ts";
export { save, toBytes } from "./sinks.ts";
export { openSource, type SourceInput } from "./source.ts";
export { type Named, writeSafetensors } from "./write-safetensors.ts";
