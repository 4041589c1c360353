/** Which tasks of the list are picked for an action on all of them. Knows ids and their order, no action. */

import { changed, rowId, taskOf } from "../data/store.js";

/** @import { Task } from "../types" */

/** @type {Set<string>} by the id of the row, which stays when the server gives the task another one */
const picked = new Set();
/** Where a range begins, and what it holds: the next range from the same place takes its room. */
let anchor = "";
/** @type {string[]} */
let range = [];

/** @param {string} id */
export const isPicked = (id) => picked.has(rowId(id));

/** How many are picked; those that have gone meanwhile are not. */
export function pickedTasks() {
  if (!picked.size) return [];
  for (const id of picked) if (!taskOf(id)) picked.delete(id);
  return [...picked].map((id) => /** @type {Task} */ (taskOf(id)));
}

/** @param {string} id @param {boolean} [on] the other way round when not given */
export function pick(id, on = !isPicked(id)) {
  const row = rowId(id);
  if (on) picked.add(row);
  else picked.delete(row);
  anchor = row;
  range = [];
  changed();
}

/**
 * Picks everything from the last picked one to this one.
 * @param {string} id
 * @param {Task[]} order as the list shows them
 */
export function pickRange(id, order) {
  const rows = order.map((task) => rowId(task.id));
  const to = rows.indexOf(rowId(id));
  const from = rows.includes(anchor) ? rows.indexOf(anchor) : to;
  for (const row of range) picked.delete(row);
  range = rows.slice(Math.min(from, to), Math.max(from, to) + 1);
  for (const row of range) picked.add(row);
  changed();
}

/** @param {Task[]} order */
export function pickAll(order) {
  for (const task of order) picked.add(rowId(task.id));
  changed();
}

/** @returns {boolean} whether there was anything to forget */
export function pickNone() {
  const had = picked.size > 0;
  picked.clear();
  if (had) changed();
  return had;
}
