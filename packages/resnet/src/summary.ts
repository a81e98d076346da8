import { noGrad, type Shape, scope, Tensor, zeros } from "@shadegrad/tensor";
import { inMode, type Layer, stateDict } from "@shadegrad/tensor/nn";
import { type Located, listening } from "./listen.ts";

export interface SummaryRow {
  /** Name of the layer in the model: `base.blocks.3.shortcut.conv`. */
  readonly name: string;
  /** Class of the layer: `Conv2d`. */
  readonly type: string;
  /** Shape of its output. */
  readonly shape: Shape;
  /** Number of trained numbers. */
  readonly parameters: number;
  /** Multiplications, each with the addition that follows it, for the whole input. */
  readonly multiplyAdds: number;
  /** Bytes of its output. */
  readonly bytes: number;
}

export interface Summary {
  readonly inputShape: Shape;
  /** In the order in which they run. */
  readonly rows: readonly SummaryRow[];
  readonly parameters: number;
  readonly multiplyAdds: number;
  /** Bytes of parameters and batch norms' statistics. */
  readonly stateBytes: number;
  /** Bytes of all layers' outputs, which training keeps for the gradients. */
  readonly activationBytes: number;
  /** A table, 80 columns wide. */
  toString(): string;
}

/**
 * Layers of a model with their costs, from one run on zeros.
 *
 * Multiply-adds are those of convolutions and linear layers. A shape without a batch, `[H, W, C]`, is one image.
 */
export function summary(model: Layer, inputShape: Shape): Summary {
  const shape = inputShape.length === 3 ? [1, ...inputShape] : inputShape;
  const rows: SummaryRow[] = [];
  const after = ({ name, layer, isLeaf }: Located, y: Tensor) => {
    if (isLeaf) rows.push(summaryRow(name, layer, y));
  };
  const forward = () => noGrad(() => scope(() => void model.forward(zeros(shape))));
  inMode(model, false, () => listening(model, { after }, forward));
  const state = [...stateDict(model).values()];
  const total = {
    inputShape: shape,
    rows,
    parameters: sum(state.filter(({ requiresGrad }) => requiresGrad).map(({ size }) => size)),
    multiplyAdds: sum(rows.map(({ multiplyAdds }) => multiplyAdds)),
    stateBytes: sum(state.map(bytesOf)),
    activationBytes: sum(rows.map(({ bytes }) => bytes)),
  };
  return { ...total, toString: () => table(total) };
}

/** Cost of a layer with output `y`. */
export function summaryRow(name: string, layer: Layer, y: Tensor): SummaryRow {
  const tensors = Object.values(layer).filter((value) => value instanceof Tensor);
  const { weight } = layer as { weight?: unknown };
  // Each number that goes out is a sum over the weights of its channel.
  const terms = weight instanceof Tensor && weight.shape.length > 1 ? weight.size / weight.shape.at(-1)! : 0;
  return {
    name,
    type: layer.constructor.name,
    shape: y.shape,
    parameters: sum(tensors.filter(({ requiresGrad }) => requiresGrad).map(({ size }) => size)),
    multiplyAdds: y.size * terms,
    bytes: bytesOf(y),
  };
}

const COLUMNS = [30, 18, 12, 10, 10];

function table(total: Omit<Summary, "toString">): string {
  const line = (cells: readonly string[]) =>
    cells
      .map((cell, i) => (i === 0 ? cell.slice(-COLUMNS[0]!).padEnd(COLUMNS[0]!) : cell.padStart(COLUMNS[i]!)))
      .join("");
  const { inputShape, rows, parameters, multiplyAdds, stateBytes, activationBytes } = total;
  return [
    line(["layer", "output", "parameters", "mult-adds", "memory"]),
    line(["input", inputShape.join("×"), "", "", ""]),
    ...rows.map((row) =>
      line([
        row.name,
        row.shape.join("×"),
        row.parameters ? row.parameters.toLocaleString("en") : "",
        row.multiplyAdds ? short(row.multiplyAdds) : "",
        memory(row.bytes),
      ]),
    ),
    "─".repeat(sum(COLUMNS)),
    line(["all", "", parameters.toLocaleString("en"), short(multiplyAdds), memory(activationBytes)]),
    `${memory(stateBytes)} of weights; ${memory(activationBytes)} of outputs, which training keeps.`,
  ].join("\n");
}

/** Three digits and a prefix: 1.81 G. */
function short(count: number): string {
  const power = Math.min(Math.floor(Math.log10(count) / 3), 4);
  return power === 0 ? String(count) : `${(count / 1000 ** power).toPrecision(3)} ${" kMGT"[power]}`;
}

function memory(bytes: number): string {
  return bytes < 2 ** 20 ? `${Math.ceil(bytes / 1024)} KiB` : `${(bytes / 2 ** 20).toFixed(1)} MiB`;
}

const bytesOf = ({ size, dtype }: Tensor): number => size * (dtype === "f16" ? 2 : 4);

const sum = (values: readonly number[]): number => values.reduce((total, value) => total + value, 0);
