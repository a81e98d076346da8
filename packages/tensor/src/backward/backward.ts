import { noGrad, versionsOf } from "../core/autograd.ts";
import { onesLike, zerosLike } from "../core/create.ts";
import { isInteger } from "../core/dtype.ts";
import { copied, elementwise } from "../core/map.ts";
import { observer } from "../core/observe.ts";
import { recorder } from "../core/recorder.ts";
import { keep } from "../core/scope.ts";
import { isSame } from "../core/shape.ts";
import { checkTensors, type History, type Tensor } from "../core/tensor.ts";
import { ShapeError } from "../errors.ts";
import { installBackwardOps } from "../ops/backward-ops.ts";
import { batchNormGradients } from "./batchNorm.ts";
import { conv2dInputGrad, conv2dWeightGrad } from "./conv2d.ts";
import { avgPool2dGrad, maxPool2dGrad } from "./pool.ts";
import { tiledBatchNorm } from "./tiled-batch-norm.ts";

installBackwardOps({
  conv2dInputGrad,
  conv2dWeightGrad,
  batchNormGradients,
  tiledBatchNorm,
  maxPool2dGrad,
  avgPool2dGrad,
});

/**
 * Add d(loss)/d(leaf) to `leaf.grad`, for every leaf that `loss` was made from; each op is visited
 * once, outputs before inputs, and what it saved is freed as soon as it has been used.
 *
 * `loss` has one element, unless `dy`, of its shape, says what to multiply its Jacobian by.
 *
 * @throws ShapeError if `loss` has several elements and no `dy`, has no history, or was used before; or
 *   if `dy` has another shape or type.
 */
export function backward(loss: Tensor, dy?: Tensor): void {
  checkTensors("backward", dy ? { loss, dy } : { loss });
  if (!dy && loss.size !== 1) {
    throw new ShapeError(
      `backward: a loss has one element, not ${loss.size}; take its mean or sum, or give dy. It is [${loss.shape}].`,
    );
  }
  if (dy && !isSame(dy.shape, loss.shape)) {
    throw new ShapeError(`backward: dy is [${dy.shape}] but the tensor is [${loss.shape}].`);
  }
  if (dy && isInteger(dy.dtype)) {
    throw new ShapeError(
      `backward: dy is ${dy.dtype} but has to be floats; cast(dy, "${loss.dtype}") converts. It is [${dy.shape}].`,
    );
  }
  if (dy && dy.dtype !== loss.dtype) {
    throw new ShapeError(
      `backward: dy is ${dy.dtype} but the tensor is ${loss.dtype}; cast(dy, "${loss.dtype}") converts. It is [${dy.shape}].`,
    );
  }
  if (loss.usedUp) throw usedUp(loss.usedUp);
  if (!loss.requiresGrad) {
    throw new ShapeError(
      "backward: this tensor does not depend on anything that requires a gradient. Set requiresGrad on the leaves, and make it outside noGrad.",
    );
  }
  noGrad(() => propagate(loss, dy ? dy.view() : onesLike(loss)));
}

function propagate(loss: Tensor, seed: Tensor): void {
  const gradients = new Map<Tensor, Tensor>([[loss, seed]]);
  for (const y of topological(loss)) {
    const dy = gradients.get(y);
    if (!dy) continue; // no gradient reached y
    gradients.delete(y);
    const { history } = y;
    if (!history || y.retainsGrad) accumulate(y, history ? dy.view() : dy);
    if (!history) {
      if (y.ownedByGraph && y.uses === 0) y.dispose();
      continue;
    }
    checkUnchanged(y, history);
    observer()?.wentBack(history.op);
    const thunks = history.of(dy);
    history.inputs.forEach((x, i) => {
      if (!x.requiresGrad) return;
      const dx = thunks[i]!();
      if (!dx) return;
      if (!isSame(dx.shape, x.shape)) {
        throw new ShapeError(
          `${history.op}: its gradient for input ${i} is [${dx.shape}] but the input is [${x.shape}].`,
        );
      }
      // `dy` itself may be the gradient, of several inputs even; each gets a handle of its own.
      const own = dx === dy ? dy.view() : dx;
      const sum = gradients.get(x);
      gradients.set(x, sum ? add(sum, own) : own);
    });
    y.usedUp = history.op;
    // An input that has a gradient has its own step to come, and is freed after it.
    for (const x of y.forget()) if (!gradients.has(x)) x.dispose();
    dy.dispose();
    if (y.ownedByGraph && y.uses === 0) y.dispose();
  }
  observer()?.wentBack(undefined);
}

/** The sum of two gradients, which are not needed after it. */
function add(a: Tensor, b: Tensor): Tensor {
  const sum = elementwise((a, b) => `${a} + ${b}`, [a, b], { dtype: a.dtype });
  a.dispose();
  b.dispose();
  return sum;
}

function accumulate(leaf: Tensor, dy: Tensor): void {
  // A gradient belongs to its leaf, whatever scope it was computed in.
  const grad = keep(leaf.grad ? add(leaf.grad, dy) : unshared(dy));
  leaf.grad = grad;
  recorder()?.onUndo(() => {
    if (leaf.grad === grad) leaf.grad = undefined;
  });
}

/** `dy` in memory of its own: gradients are changed in place, by clipping say, and no other one with them. */
function unshared(dy: Tensor): Tensor {
  if (!dy.storage.isShared) return dy;
  const copy = copied(dy);
  dy.dispose();
  return copy;
}

function checkUnchanged(y: Tensor, { op, inputs, versions }: History): void {
  const found = versionsOf(y, inputs);
  const i = found.findIndex((version, i) => version !== versions[i]);
  if (i < 0) return;
  const what = i === 0 ? `the result of ${op}` : `input ${i - 1} of ${op}`;
  throw new ShapeError(
    `backward: ${what} was changed in place after ${op} ran (version ${found[i]}, then ${versions[i]}): call backward before the optimizer's step. It is [${(i === 0 ? y : inputs[i - 1]!).shape}].`,
  );
}

/** `root` and everything it was made from that needs a gradient, each before its own inputs. */
function topological(root: Tensor): Tensor[] {
  const order: Tensor[] = [];
  const seen = new Set<Tensor>([root]);
  // Depth first without recursion: networks can be deeper than the call stack.
  const path: { y: Tensor; next: number }[] = [{ y: root, next: 0 }];
  for (let top = path.at(-1); top; top = path.at(-1)) {
    const x = top.y.history?.inputs[top.next++];
    if (!x) {
      order.push(top.y);
      path.pop();
    } else if (x.requiresGrad && !seen.has(x)) {
      if (x.usedUp) throw usedUp(x.usedUp);
      seen.add(x);
      path.push({ y: x, next: 0 });
    }
  }
  return order.reverse();
}

const usedUp = (op: string) =>
  new ShapeError(
    `backward: the graph through ${op} was used by an earlier backward, which freed it. Compute the loss again, or add the losses and go back once.`,
  );

/** Arguments to take gradients with respect to: the index of one, or a list of indices. */
export type ArgNums = number | readonly number[];

/** One gradient for a number, as many as it names for a list. */
export type Gradients<I extends ArgNums> = I extends readonly number[]
  ? { -readonly [K in keyof I]: Tensor }
  : Tensor;

/**
 * JAX's way: a function that returns the loss and its gradient with respect to the first argument, or
 * to those that `argnums` names.
 *
 * `const [loss, [dw, db]] = valueAndGrad(f, [0, 1])(w, b)`; the arguments need not require a gradient. That
 * of whole numbers, such as labels, is 0.
 *
 * @throws RangeError if there is no such argument.
 */
export function valueAndGrad<A extends readonly Tensor[], const I extends ArgNums = 0>(
  f: (...args: A) => Tensor,
  argnums: I = 0 as I,
): (...args: A) => [Tensor, Gradients<I>] {
  const wanted: readonly number[] = typeof argnums === "number" ? [argnums] : argnums;
  return (...args) => {
    const missing = wanted.find((i) => !(i in args));
    if (missing !== undefined) {
      throw new RangeError(
        `grad: argnums asks for argument ${missing} of ${args.length}; they count from 0.`,
      );
    }
    const leaves = args.map((x, i) => {
      const leaf = x.detach();
      leaf.requiresGrad = wanted.includes(i) && !isInteger(x.dtype);
      return leaf;
    });
    const loss = f(...(leaves as unknown as A));
    backward(loss);
    const gradients = wanted.map((i) => leaves[i]!.grad?.view() ?? zerosLike(leaves[i]!));
    for (const leaf of leaves) {
      leaf.grad?.dispose();
      leaf.grad = undefined;
      if (leaf !== loss) leaf.dispose();
    }
    return [loss, (typeof argnums === "number" ? gradients[0] : gradients) as Gradients<I>];
  };
}

/** JAX's `grad`: a function that returns the gradient alone, or a list of them where `argnums` is one. */
export function grad<A extends readonly Tensor[], const I extends ArgNums = 0>(
  f: (...args: A) => Tensor,
  argnums: I = 0 as I,
): (...args: A) => Gradients<I> {
  const both = valueAndGrad(f, argnums);
  return (...args) => {
    const [loss, gradients] = both(...args);
    loss.dispose();
    return gradients;
  };
}
