/** For how long a reminder is put off. */

import { addDays, momentOf, today } from "./dates.js";

const MORNING = "09:00";

/** @param {number} minutes */
const inMinutes = (minutes) => new Date(Date.now() + minutes * 60_000).toISOString();

/** Message key and moment. */
export const SNOOZES = /** @type {const} */ ([
  ["bell.minutes", () => inMinutes(10)],
  ["bell.hour", () => inMinutes(60)],
  ["bell.tomorrow", () => momentOf(addDays(today(), 1), MORNING)],
]);
