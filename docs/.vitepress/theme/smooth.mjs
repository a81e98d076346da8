/**
 * Means of each point and the four before it, of curves that are means of few images.
 *
 * @param {readonly { step: number, error: number }[]} points
 */
export function smooth(points) {
  return points.map(({ step }, i) => {
    const near = points.slice(Math.max(0, i - 4), i + 1);
    return { step, error: near.reduce((sum, { error }) => sum + error, 0) / near.length };
  });
}
