/** Moves tasks by one step with the keyboard: a day, or a priority where the list is ordered by that. */

import { addDays, dayOf, today } from "../core/dates.js";
import { route } from "../core/router.js";
import { prioritizeMany, scheduleMany } from "./many.js";

/** @import { Priority, Task } from "../types" */

const LEVELS = /** @type {Priority[]} */ (["urgent", "high", "medium", "low"]);

/** @param {Task[]} tasks @param {number} by 1 is down the list: later, or less urgent */
export function nudge(tasks, by) {
  const [first] = tasks;
  if (!first) return;
  if (route().lens.sort === "priority") {
    const level = LEVELS[LEVELS.indexOf(first.priority) + by];
    if (level) prioritizeMany(tasks, level);
  } else scheduleMany(tasks, dayBeside(first.dueDate, by));
}

/** Nothing is moved into the past. @param {string | null} due @param {number} by @returns {string} */
function dayBeside(due, by) {
  const now = today();
  const day = due ? addDays(dayOf(due), by) : now;
  return day < now ? now : day;
}
