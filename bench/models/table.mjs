import { laidOut } from "../columns.mjs";

/** @type {import("../columns.mjs").Column[]} in all 80 wide */
const COLUMNS = [
  ["model", -27],
  ["first", 6],
  ["warm", 7],
  ["±", 4],
  ["encode", 7],
  ["launches", 8],
  ["MiB", 6],
  ["of plan", 7],
];

export const modelHeading = () =>
  laidOut(
    COLUMNS,
    COLUMNS.map(([title]) => title),
  );

/** @param {import("./measure.mjs").ModelResult} result */
export const modelLine = ({ name, first, warm, spread, encode, launches, state, peak, plan }) =>
  laidOut(COLUMNS, [
    ...[name, first.toFixed(0), milliseconds(warm), `${(50 * spread).toFixed(0)} %`, milliseconds(encode)],
    ...[launches.toFixed(0), (peak / 2 ** 20).toFixed(1)],
    ...(plan ? [`${((peak - state) / (plan.bytes + plan.constantBytes)).toFixed(2)}×`] : []),
  ]);

const milliseconds = (/** @type {number} */ value) => value.toFixed(value < 10 ? 2 : value < 1000 ? 1 : 0);
