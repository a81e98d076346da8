import { Message } from "./protobuf.ts";

/** Integers are INT or INTS, `{ float }` is FLOAT. */
export type Attribute = number | readonly number[] | { readonly float: number };

/** Numbers of a tensor, which are read when the file is written. */
export interface Weights {
  readonly shape: readonly number[];
  values(): Promise<ArrayLike<number>>;
}

/** Axes with a name are free. */
export type Shape = readonly (number | string)[];

// Field numbers and types of https://github.com/onnx/onnx/blob/main/onnx/onnx.proto.
const FLOAT = 1;
const INT64 = 7;
const KIND = { float: 1, int: 2, ints: 7 } as const;
const IR_VERSION = 8;
/** Version of the operators, from ONNX 1.12 of June 2022 on. */
const OPSET = 17;

/** A graph of ONNX's operators in the making; each method names a value that the next may take. */
export class OnnxGraph {
  readonly #nodes: Message[] = [];
  readonly #initializers = new Map<string, Message>();
  readonly #counts = new Map<string, number>();

  /**
   * Add an operator and name its result, as PyTorch's exporter does: `/layer1/layer1.0/conv1/Conv_output_0`.
   *
   * @param scope path of its layer: `/layer1/layer1.0/conv1`
   */
  op(
    type: string,
    scope: string,
    inputs: readonly string[],
    attributes: Readonly<Record<string, Attribute>> = {},
    output?: string,
  ): string {
    const name = this.#numbered(`${scope}/${type}`);
    const node = new Message();
    for (const input of inputs) node.string(1, input);
    const value = output ?? `${name}_output_0`;
    node.string(2, value).string(3, name).string(4, type);
    for (const [key, attribute] of Object.entries(attributes)) node.message(5, encode(key, attribute));
    this.#nodes.push(node);
    return value;
  }

  /** A tensor of float32 under its name in the state dict. */
  weights(name: string, { shape, values }: Weights): string {
    const length = 4 * shape.reduce((size, side) => size * side, 1);
    const bytes = async () => littleEndian(await values());
    return this.#initializer(name, new Message().ints(1, shape).int(2, FLOAT), { length, bytes });
  }

  /** A vector of int64 that an operator takes as an input. */
  integers(name: string, values: readonly (number | bigint)[]): string {
    const bytes = new Uint8Array(8 * values.length);
    const view = new DataView(bytes.buffer);
    for (const [i, value] of values.entries()) view.setBigInt64(8 * i, BigInt(value), true);
    return this.#initializer(name, new Message().ints(1, [values.length]).int(2, INT64), bytes);
  }

  /** The whole model. */
  model(
    name: string,
    input: readonly [string, Shape],
    output: readonly [string, Shape],
    metadata: Readonly<Record<string, string>>,
  ): Message {
    const graph = new Message();
    for (const node of this.#nodes) graph.message(1, node);
    graph.string(2, name);
    for (const tensor of this.#initializers.values()) graph.message(5, tensor);
    graph.message(11, valueInfo(...input)).message(12, valueInfo(...output));
    const model = new Message().int(1, IR_VERSION).string(2, "shadegrad").message(7, graph);
    model.message(8, new Message().string(1, "").int(2, OPSET));
    for (const [key, value] of Object.entries(metadata))
      model.message(14, new Message().string(1, key).string(2, value));
    return model;
  }

  #initializer(name: string, tensor: Message, data: Parameters<Message["bytes"]>[1]): string {
    if (!this.#initializers.has(name)) this.#initializers.set(name, tensor.string(8, name).bytes(9, data));
    return name;
  }

  /** The name, and a number after it from the second time on. */
  #numbered(name: string): string {
    const count = this.#counts.get(name) ?? 0;
    this.#counts.set(name, count + 1);
    return count === 0 ? name : `${name}_${count}`;
  }
}

function encode(name: string, attribute: Attribute): Message {
  const message = new Message().string(1, name);
  if (typeof attribute === "number") return message.int(3, attribute).int(20, KIND.int);
  if ("float" in attribute) return message.float(2, attribute.float).int(20, KIND.float);
  return message.ints(8, attribute).int(20, KIND.ints);
}

function valueInfo(name: string, shape: Shape): Message {
  const dims = new Message();
  for (const side of shape) {
    dims.message(1, typeof side === "number" ? new Message().int(1, side) : new Message().string(2, side));
  }
  const type = new Message().message(1, new Message().int(1, FLOAT).message(2, dims));
  return new Message().string(1, name).message(2, type);
}

/** Bytes of floats, little-endian as every WebGPU host is. */
function littleEndian(values: ArrayLike<number>): Uint8Array {
  const { buffer, byteOffset, byteLength } =
    values instanceof Float32Array ? values : Float32Array.from(values);
  return new Uint8Array(buffer, byteOffset, byteLength);
}
