const MOST = 1e-3;

/**
 * @param {Map<string, ArrayLike<number>[]>} answers of each engine
 * @returns {number} the largest relative L2 distance from the first engine's
 * @throws {Error} if it is over 1e-3, or there is something that is no number
 */
export function checkAgreement(answers) {
  const [[reference, expected], ...others] = answers;
  let most = 0;
  for (const [name, given] of others) {
    for (const [i, values] of given.entries()) {
      const distance = relativeDistance(values, expected[i]);
      if (!(distance <= MOST)) {
        throw new Error(
          `${name} and ${reference} disagree in result ${i + 1} of ${given.length}: relative L2 ${distance.toExponential(1)}, ` +
            `${Array.from(values).slice(0, 4)} … against ${Array.from(expected[i]).slice(0, 4)} …`,
        );
      }
      most = Math.max(most, distance);
    }
  }
  return most;
}

/** @param {ArrayLike<number>} a @param {ArrayLike<number>} b */
function relativeDistance(a, b) {
  if (a.length !== b.length) return Number.NaN;
  let difference = 0;
  let size = 0;
  for (let i = 0; i < a.length; i++) {
    difference += (a[i] - b[i]) ** 2;
    size += b[i] ** 2;
  }
  return Math.sqrt(difference / size);
}
