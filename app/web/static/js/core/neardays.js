/** Days that have a word: what one says when something is put off. */

import { addDays, addMonths, nextWeek, nextWeekday, today } from "./dates.js";

/** Message key and day, nearest first. */
export const NEAR_DAYS = /** @type {const} */ ([
  ["due.today", () => today()],
  ["due.tomorrow", () => addDays(today(), 1)],
  ["due.weekend", () => nextWeekday(today(), 6)],
  ["due.nextWeek", () => nextWeek(today())],
  ["due.nextMonth", () => addMonths(today(), 1)],
]);
