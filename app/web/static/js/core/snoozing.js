/** For how long a reminder is put off, and when one is offered to be set. */

import { addDays, momentOf, splitDue, today } from "./dates.js";

const MORNING = "09:00";

/** @param {number} minutes */
const inMinutes = (minutes) => new Date(Date.now() + minutes * 60_000).toISOString();

/** Message key and moment. */
export const SNOOZES = /** @type {const} */ ([
  ["bell.minutes", () => inMinutes(10)],
  ["bell.hour", () => inMinutes(60)],
  ["bell.tomorrow", () => momentOf(addDays(today(), 1), MORNING)],
]);

/** @param {string} moment */
export const isPast = (moment) => Date.parse(moment) <= Date.now();

/**
 * When a task might remind: when it is due, as long as that lies ahead; else at the next full hour that is half an hour away.
 * @param {string | null} due
 * @returns {[day: string, time: string]}
 */
export function goodMoment(due) {
  const [day, time] = due ? splitDue(due) : ["", ""];
  if (day && !isPast(momentOf(day, time || MORNING))) return [day, time || MORNING];
  const [soonDay, soon] = splitDue(inMinutes(90));
  return [soonDay, soon.replace(/\d\d$/u, "00")];
}
