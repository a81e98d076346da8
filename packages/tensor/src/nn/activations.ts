import type { Tensor } from "../core/tensor.ts";
import { gelu, sigmoid, silu, tanh } from "../ops/activation.ts";
import { softmax } from "../ops/softmax.ts";
import type { Layer } from "./module.ts";

/** x · Φ(x), see `gelu`. `[…]` → `[…]` */
export class GELU implements Layer {
  forward(x: Tensor): Tensor {
    return gelu(x);
  }
}

/** x · sigmoid(x). `[…]` → `[…]` */
export class SiLU implements Layer {
  forward(x: Tensor): Tensor {
    return silu(x);
  }
}

/** 1 / (1 + e^−x). `[…]` → `[…]` */
export class Sigmoid implements Layer {
  forward(x: Tensor): Tensor {
    return sigmoid(x);
  }
}

/** Hyperbolic tangent. `[…]` → `[…]` */
export class Tanh implements Layer {
  forward(x: Tensor): Tensor {
    return tanh(x);
  }
}

/** e^x / Σ e^x along an axis, the last unless given. `[…]` → `[…]` */
export class Softmax implements Layer {
  readonly axis: number;

  constructor(axis = -1) {
    this.axis = axis;
  }

  forward(x: Tensor): Tensor {
    return softmax(x, this.axis);
  }
}
