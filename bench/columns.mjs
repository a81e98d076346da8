/** @typedef {readonly [title: string, width: number]} Column to the left where the width is negative */

/**
 * A line of a table that is printed as it comes about, and so has widths before it has rows.
 *
 * @param {readonly Column[]} columns
 * @param {readonly string[]} row
 */
export const laidOut = (columns, row) =>
  row
    .map((cell, i) => {
      const width = columns[i]?.[1] ?? 0;
      return width < 0 ? cell.padEnd(-width) : cell.padStart(width);
    })
    .join(" ")
    .trimEnd();
