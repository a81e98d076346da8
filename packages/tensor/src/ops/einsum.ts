import { checkDevices } from "../core/run.ts";
import { scope } from "../core/scope.ts";
import { checkTensors, type Tensor } from "../core/tensor.ts";
import { ShapeError } from "../errors.ts";
import { mul } from "./arithmetic.ts";
import { matmul } from "./matmul.ts";
import { permute } from "./permute.ts";
import { sum } from "./reduce.ts";
import { reshape } from "./shape.ts";

/** A tensor, and a letter for each of its axes. */
interface Term {
  readonly x: Tensor;
  readonly axes: string;
}

/**
 * Einstein's summation: `einsum("bij,bjk->bik", a, b)`. Letters that the result lacks are summed over; without `->` it has
 * those that stand once, in alphabetical order. Operands are multiplied from the left to the right.
 *
 * @throws ShapeError if letters and axes do not fit, or a letter stands twice in one operand: take its `diag` first.
 */
export function einsum(equation: string, ...operands: readonly Tensor[]): Tensor {
  const named = Object.fromEntries(operands.map((x, i) => [`operand ${i}`, x]));
  checkTensors("einsum", named);
  checkDevices("einsum", named);
  const fail = (what: string) =>
    new ShapeError(
      `einsum: ${what}. The equation is "${equation}"; operands are ${operands.map(({ shape }) => `[${shape}]`).join(", ")}.`,
    );
  const { inputs, output } = parsed(equation, fail);
  if (inputs.length !== operands.length || operands.length === 0)
    throw fail(`it names ${inputs.length} operands, but there are ${operands.length}`);
  checkSides(inputs, output, operands, fail);

  return scope(() => contracted(operands, inputs, output));
}

function contracted(operands: readonly Tensor[], inputs: readonly string[], output: string): Tensor {
  let terms: Term[] = operands.map((x, i) => ({ x, axes: inputs[i]! }));
  while (terms.length > 1) {
    const [a, b, ...others] = terms as [Term, Term, ...Term[]];
    const wanted = new Set(output + others.map(({ axes }) => axes).join(""));
    terms = [product(a, b, wanted), ...others];
  }
  const { x, axes } = summed(terms[0]!, new Set(output));
  return permute(
    x,
    [...output].map((axis) => axes.indexOf(axis)),
  );
}

function parsed(equation: string, fail: (what: string) => Error): { inputs: string[]; output: string } {
  const [left = "", right, ...more] = equation.replaceAll(" ", "").split("->");
  const inputs = left.split(",");
  if (more.length > 0 || ![...inputs, right ?? ""].every((part) => /^[a-zA-Z]*$/.test(part)))
    throw fail("an equation is letters for axes, as in ij,jk->ik");
  const letters = inputs.join("");
  const once = [...new Set(letters)].filter((axis) => letters.split(axis).length === 2);
  return { inputs, output: right ?? once.sort().join("") };
}

function checkSides(
  inputs: readonly string[],
  output: string,
  operands: readonly Tensor[],
  fail: (what: string) => Error,
): void {
  const sides = new Map<string, number>();
  for (const [i, { shape }] of operands.entries()) {
    const axes = inputs[i]!;
    if (axes.length !== shape.length)
      throw fail(`operand ${i} has ${shape.length} axes but ${axes.length} letters, ${axes}`);
    for (const [axis, letter] of [...axes].entries()) {
      if (axes.indexOf(letter) !== axis)
        throw fail(`${letter} stands twice for operand ${i}; take its diag first`);
      const known = sides.get(letter) ?? shape[axis]!;
      if (known !== shape[axis])
        throw fail(`${letter} is ${known} elements and ${shape[axis]} in operand ${i}`);
      sides.set(letter, known);
    }
  }
  for (const [i, letter] of [...output].entries()) {
    if (!sides.has(letter)) throw fail(`${letter} of the result stands in no operand`);
    if (output.indexOf(letter) !== i) throw fail(`${letter} stands twice in the result`);
  }
}

/** A term without the axes that nothing needs. */
function summed({ x, axes }: Term, wanted: ReadonlySet<string>): Term {
  const gone = [...axes].flatMap((letter, axis) => (wanted.has(letter) ? [] : [axis]));
  if (gone.length === 0) return { x, axes };
  return { x: sum(x, gone), axes: [...axes].filter((letter) => wanted.has(letter)).join("") };
}

/** a · b, summed over the axes that both have and nothing else needs: batches of matrix products. */
function product(left: Term, right: Term, wanted: ReadonlySet<string>): Term {
  const a = summed(left, new Set([...wanted, ...right.axes]));
  const b = summed(right, new Set([...wanted, ...left.axes]));
  const shared = [...a.axes].filter((letter) => b.axes.includes(letter));
  const batch = shared.filter((letter) => wanted.has(letter));
  const inner = shared.filter((letter) => !wanted.has(letter));
  const [rows, columns] = [a, b].map(({ axes }) => [...axes].filter((letter) => !shared.includes(letter)));
  const axes = [...batch, ...rows!, ...columns!].join("");
  const side = (letter: string) =>
    a.axes.includes(letter) ? a.x.shape[a.axes.indexOf(letter)]! : b.x.shape[b.axes.indexOf(letter)]!;
  const size = (letters: readonly string[]) => letters.reduce((all, letter) => all * side(letter), 1);
  const laid = ({ x, axes: own }: Term, order: readonly string[], shape: readonly number[]) =>
    reshape(
      permute(
        x,
        order.map((letter) => own.indexOf(letter)),
      ),
      shape,
    );
  const [B, M, K, N] = [batch, rows!, inner, columns!].map(size) as [number, number, number, number];
  const shape = [...axes].map(side);
  if (inner.length === 0) {
    const y = mul(laid(a, [...batch, ...rows!], [B, M, 1]), laid(b, [...batch, ...columns!], [B, 1, N]));
    return { x: reshape(y, shape), axes };
  }
  const y = matmul(
    laid(a, [...batch, ...rows!, ...inner], [B, M, K]),
    laid(b, [...batch, ...inner, ...columns!], [B, K, N]),
  );
  return { x: reshape(y, shape), axes };
}
