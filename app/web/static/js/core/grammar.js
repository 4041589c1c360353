/** What the words of all languages are made of: patterns and the days, times and rules they mean. */

import { addDays, addMonths } from "./dates.js";

/**
 * How one language says when: patterns with what they mean, empty when it makes no sense after all. The first pattern
 * that fits wins.
 * @typedef {{
 *   every: [RegExp, (match: string[]) => string][],
 *   days: [RegExp, (match: string[], now: string) => string][],
 *   times: [RegExp, (match: string[]) => string][],
 *   priorities: Record<string, import("../types").Priority>,
 *   never?: RegExp,
 * }} Grammar `every` gives rules of RFC 5545, `days` days, `times` clock times like `09:00`; `never` fits what is left
 *   alone although another language would understand it
 */

/** @param {string} body of whole words */
export const word = (body) => new RegExp(`(?<=^|\\s)(?:${body})(?=$|[\\s,.!?])`, "giu");

/** @param {string} day a day that exists, otherwise empty */
export const real = (day) => (new Date(day).toString() !== "Invalid Date" && addDays(day, 0) === day ? day : "");

/** @param {string} day @param {number} count @param {string} unit `DAILY`, `WEEKLY`, `MONTHLY` or `YEARLY` */
export function plus(day, count, unit) {
  if (unit === "DAILY" || unit === "WEEKLY") return addDays(day, unit === "WEEKLY" ? count * 7 : count);
  return addMonths(day, unit === "YEARLY" ? count * 12 : count);
}

/**
 * The next such day; in a year, if one is named.
 * @param {number} date @param {number} month 1 is January @param {string} now @param {string} [year]
 */
export function dateOf(date, month, now, year = "") {
  const tail = `-${String(month).padStart(2, "0")}-${String(date).padStart(2, "0")}`;
  if (year) return real((year.length === 2 ? `20${year}` : year) + tail);
  const day = now.slice(0, 4) + tail;
  return real(day < now ? Number(now.slice(0, 4)) + 1 + tail : day);
}

/** @param {number} hour @param {string} [minute] */
export const clock = (hour, minute = "00") =>
  hour >= 0 && hour < 24 && Number(minute) < 60 ? `${String(hour).padStart(2, "0")}:${minute}` : "";

export const WORKDAYS = "FREQ=WEEKLY;BYDAY=MO,TU,WE,TH,FR";

/** @param {string} unit as for `plus` @param {number} step @param {string} [day] `MO` to `SU` */
export const rule = (unit, step, day = "") =>
  `FREQ=${day ? "WEEKLY" : unit}${step > 1 ? `;INTERVAL=${step}` : ""}${day ? `;BYDAY=${day}` : ""}`;
