/** A minute as a line: the shape of a series in a box 24 high, the newest at the right. */

const HEIGHT = 24;
const WIDTH = 119;
/** Room for the stroke. */
const EDGE = 1.5;
/** A series that never went over this stays low: one message is not a mountain. */
const LEAST_TOP = 4;

/**
 * @param {number[]} series oldest first
 * @returns {{line: string, area: string}} path data
 */
export function spark(series) {
  const smooth = series.map((_, index) => mean(series.slice(Math.max(0, index - 3), index + 1)));
  const top = Math.max(LEAST_TOP, ...smooth);
  const first = WIDTH - smooth.length + 1;
  const points = smooth.map((value, index) => `${first + index} ${(HEIGHT - EDGE - (value / top) * (HEIGHT - 2 * EDGE)).toFixed(1)}`);
  if (points.length < 2) return { line: "", area: "" };
  const line = `M${points.join("L")}`;
  return { line, area: `${line}V${HEIGHT}H${first}Z` };
}

/** @param {number[]} values */
const mean = (values) => values.reduce((sum, value) => sum + value, 0) / values.length;
