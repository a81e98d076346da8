/**
 * ResNets as data, under the names of our own zoo, so that every engine builds the same one.
 *
 * @typedef {{ name: string, C: number, O: number, R: number, stride: number, padding: number, norm: string }} Conv
 * a convolution without bias, and the batch norm after it
 * @typedef {{ stride: number, before: number, after: number }} Pad every `stride`-th pixel, and channels of zeros
 * @typedef {{ layers: Conv[], shortcut: Conv | Pad | undefined }} Block
 * @typedef {{
 *   name: string, image: [side: number, side: number, channels: number], classes: number,
 *   stem: Conv, pool: boolean, blocks: Block[], head: { name: string, inputs: number, outputs: number },
 * }} Net
 */

/** @type {Record<string, () => Net>} */
export const NETS = {
  resnet18: () => imageNet("resnet18", [2, 2, 2, 2], plain),
  resnet50: () => imageNet("resnet50", [3, 4, 6, 3], bottleneck),
  resnet20,
};

/**
 * The net's logits, by an engine's own operations.
 *
 * @template X
 * @param {Net} net
 * @param {{
 *   conv(x: X, conv: Conv): X, norm(x: X, name: string): X, relu(x: X): X, add(a: X, b: X): X,
 *   maxPool(x: X): X, pad(x: X, pad: Pad): X, mean(x: X): X, linear(x: X, name: string): X,
 * }} ops `maxPool` is 3×3 of stride 2 with a border of 1, `mean` is over the image
 * @param {X} x
 * @returns {X}
 */
export function forward(net, ops, x) {
  /**
   * @param {X} x
   * @param {Conv} conv
   */
  const layer = (x, conv) => ops.norm(ops.conv(x, conv), conv.norm);
  let y = ops.relu(layer(x, net.stem));
  if (net.pool) y = ops.maxPool(y);
  for (const { layers, shortcut } of net.blocks) {
    let branch = y;
    for (const [i, conv] of layers.entries()) branch = layer(i > 0 ? ops.relu(branch) : branch, conv);
    const direct = !shortcut ? y : "norm" in shortcut ? layer(y, shortcut) : ops.pad(y, shortcut);
    y = ops.relu(ops.add(branch, direct));
  }
  return ops.linear(ops.mean(y), net.head.name);
}

/** @param {Net} net @returns {Conv[]} */
export const convsOf = ({ stem, blocks }) => [
  stem,
  ...blocks.flatMap(({ layers, shortcut }) => [
    ...layers,
    ...(shortcut && "norm" in shortcut ? [shortcut] : []),
  ]),
];

/**
 * He et al. 2015, table 1.
 *
 * @param {string} name
 * @param {number[]} counts
 * @param {typeof plain} block
 * @returns {Net}
 */
function imageNet(name, counts, block) {
  let channels = 64;
  const blocks = counts.flatMap((count, stage) =>
    Array.from({ length: count }, (_, i) => {
      const made = block(channels, 64 << stage, stage > 0 && i === 0 ? 2 : 1);
      channels = made.outputs;
      return made;
    }),
  );
  return {
    name,
    ...{ image: [224, 224, 3], classes: 1000, pool: true },
    stem: conv("base.conv", "base.bn", [3, 64, 7, 2]),
    blocks: blocks.map(({ layers, shortcut }, i) => named(`base.blocks.${i}`, layers, shortcut)),
    head: { name: "fc", inputs: channels, outputs: 1000 },
  };
}

/** @returns {Net} */
function resnet20() {
  let channels = 16;
  const blocks = [16, 32, 64].flatMap((width, stage) =>
    Array.from({ length: 3 }, (_, i) => {
      const missing = width - channels;
      const { layers } = plain(channels, width, stage > 0 && i === 0 ? 2 : 1);
      channels = width;
      const shortcut = missing ? { stride: 2, before: missing / 2, after: missing / 2 } : undefined;
      return named(`base.blocks.${3 * stage + i}`, layers, shortcut);
    }),
  );
  return {
    ...{ name: "resnet20", image: [32, 32, 3], classes: 10, pool: false },
    stem: conv("base.conv", "base.bn", [3, 16, 3, 1]),
    blocks,
    head: { name: "fc", inputs: channels, outputs: 10 },
  };
}

/** @typedef {[C: number, O: number, R: number, stride: number]} Shape */

/**
 * @param {number} inputs
 * @param {number} width
 * @param {number} stride
 * @returns {{ layers: Shape[], shortcut: Shape | undefined, outputs: number }}
 */
function plain(inputs, width, stride) {
  const layers = /** @type {Shape[]} */ ([
    [inputs, width, 3, stride],
    [width, width, 3, 1],
  ]);
  return { layers, shortcut: projection(inputs, width, stride), outputs: width };
}

/** @type {typeof plain} */
function bottleneck(inputs, width, stride) {
  const outputs = 4 * width;
  const layers = /** @type {Shape[]} */ ([
    [inputs, width, 1, 1],
    [width, width, 3, stride],
    [width, outputs, 1, 1],
  ]);
  return { layers, shortcut: projection(inputs, outputs, stride), outputs };
}

/** @type {(inputs: number, outputs: number, stride: number) => Shape | undefined} */
const projection = (inputs, outputs, stride) =>
  inputs === outputs && stride === 1 ? undefined : [inputs, outputs, 1, stride];

/**
 * @param {string} prefix
 * @param {Shape[]} layers
 * @param {Shape | Pad | undefined} shortcut
 * @returns {Block}
 */
const named = (prefix, layers, shortcut) => ({
  layers: layers.map((shape, i) => conv(`${prefix}.conv${i + 1}`, `${prefix}.bn${i + 1}`, shape)),
  shortcut: Array.isArray(shortcut)
    ? conv(`${prefix}.shortcut.conv`, `${prefix}.shortcut.bn`, shortcut)
    : shortcut,
});

/**
 * @param {string} name
 * @param {string} norm
 * @param {Shape} shape
 * @returns {Conv}
 */
const conv = (name, norm, [C, O, R, stride]) => ({ name, norm, C, O, R, stride, padding: R >> 1 });
