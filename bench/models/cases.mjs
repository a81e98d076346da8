import { zoo } from "@shadegrad/resnet";

/**
 * A net and a batch of images, to predict with or to train on.
 *
 * @typedef {object} Case
 * @property {string} name
 * @property {"infer" | "train"} kind
 * @property {() => import("@shadegrad/resnet").ResNet} build
 * @property {number} batch
 * @property {number} side of the images
 *
 * @typedef {"eager" | "compiled"} Mode
 * @typedef {{ name: string, one: Case, mode: Mode }} Row
 */

/** @type {readonly Mode[]} */
const MODES = ["eager", "compiled"];

/**
 * Rows to measure. A software adapter gets batches that take it seconds.
 *
 * @param {boolean} software
 * @returns {Row[]}
 */
export const modelRows = (software) =>
  [
    ...cases("infer", "resnet18", 224, software ? [1, 8] : [1, 8, 32]),
    ...cases("infer", "resnet50", 224, software ? [1, 8] : [1, 8, 32]),
    ...cases("train", "resnet20", 32, software ? [32] : [32, 128]),
    ...cases("train", "resnet50", 224, software ? [8] : [8, 32]),
  ].flatMap((one) => MODES.map((mode) => ({ name: `${one.name} ${mode}`, one, mode })));

/** @type {(kind: Case["kind"], net: keyof typeof zoo, side: number, batches: number[]) => Case[]} */
const cases = (kind, net, side, batches) =>
  batches.map((batch) => ({ name: `${kind} ${net} ×${batch}`, kind, build: zoo[net], batch, side }));
