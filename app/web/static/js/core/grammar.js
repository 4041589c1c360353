/** What the words of all languages are made of: patterns and the days, times and rules they mean. */

import { addDays, addMonths, DAY_CODES, nextWeek, nextWeekday, weekday } from "./dates.js";

/**
 * How one language says when: patterns with what they mean, empty when it makes no sense after all. The first pattern
 * that fits wins.
 * @typedef {{
 *   every: [RegExp, (match: string[]) => string][],
 *   days: [RegExp, (match: string[], now: string) => string][],
 *   times: [RegExp, (match: string[]) => string][],
 *   priorities: Record<string, import("../types").Priority>,
 *   late: RegExp,
 *   night: RegExp,
 *   never?: RegExp,
 * }} Grammar `every` gives rules of RFC 5545, `days` days, `times` clock times like `09:00`; `late` fits words after which
 *   8 o'clock is 20:00, `night` those after which 1 o'clock is on the next day; `never` fits what is left alone although
 *   another language would understand it
 */

/** @param {string} body of whole words */
export const word = (body) => new RegExp(`(?<=^|\\s)(?:${body})(?=[,.:;!?]*(?:$|\\s))`, "giu");

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
  const first = Number(now.slice(0, 4));
  // 29 February is at most eight years away.
  const days = Array.from({ length: 9 }, (_, later) => real(first + later + tail));
  return days.find((day) => day >= now) ?? "";
}

/** The next such day of a month that has it. @param {number} date @param {string} now */
export function dayOfMonth(date, now) {
  const first = `${now.slice(0, 8)}01`;
  // No two months in a row lack a day, so it is at most two months away.
  const days = [0, 1, 2].map((later) => real(addMonths(first, later).slice(0, 8) + String(date).padStart(2, "0")));
  return days.find((day) => day >= now) ?? "";
}

/** @param {string} period as for `plus` @param {string} now the first day of the next one */
export function start(period, now) {
  if (period === "WEEKLY") return nextWeek(now);
  return period === "YEARLY" ? `${Number(now.slice(0, 4)) + 1}-01-01` : `${addMonths(now, 1).slice(0, 8)}01`;
}

/** @param {string} now the Saturday that comes, or today if the weekend has begun */
export const weekend = (now) => (weekday(now) % 6 ? nextWeekday(now, 6) : now);

/** @param {string} now the Saturday after `weekend` */
export const weekendAfter = (now) => nextWeekday(weekend(now), 6);

/** @param {number} hour @param {string} [minute] */
export const clock = (hour, minute = "00") =>
  hour >= 0 && hour < 24 && Number(minute) < 60 ? `${String(hour).padStart(2, "0")}:${minute}` : "";

const WORKING_DAYS = "MO,TU,WE,TH,FR";

export const WORKDAYS = `FREQ=WEEKLY;BYDAY=${WORKING_DAYS}`;

/** @param {number} step every so many */
const interval = (step) => (step > 1 ? `;INTERVAL=${step}` : "");

// A month without that day takes its last one (RFC 7529), as a person means it; a bare RRULE would leave it out.
const LAST_INSTEAD = ";SKIP=BACKWARD";

/**
 * One or more days as a rule names them, Monday first.
 * @param {string} names as typed @param {(name: string) => number} index of such a day, 0 is Sunday; -1 for other words
 */
export function daysIn(names, index) {
  const named = new Set((names.match(/\p{L}+/gu) ?? []).map(index));
  return [1, 2, 3, 4, 5, 6, 0].filter((each) => named.has(each)).map((each) => DAY_CODES[each]).join(",");
}

/** @param {string} unit as for `plus` @param {number} step @param {string} [day] `MO` to `SU`, or several with commas */
export function rule(unit, step, day = "") {
  if (day) return `FREQ=WEEKLY${interval(step)};BYDAY=${day}`;
  return `FREQ=${unit}${interval(step)}${unit === "MONTHLY" || unit === "YEARLY" ? LAST_INSTEAD : ""}`;
}

/** @param {number} step @param {number} date of the month; -1 is its last @returns {string} empty when no month has it */
export function onDate(step, date) {
  if (date === 0 || date > 31) return "";
  return `FREQ=MONTHLY${interval(step)};BYMONTHDAY=${date}${date > 28 ? LAST_INSTEAD : ""}`;
}

/** @param {number} step @param {number} nth of the month; -1 is its last @param {string} day `MO` to `SU`, empty for a workday */
export const onNth = (step, nth, day) =>
  `FREQ=MONTHLY${interval(step)};BYDAY=${day ? nth + day : `${WORKING_DAYS};BYSETPOS=${nth}`}`;

/** @param {string} made by the functions above @param {string} now @returns {string} the first day from then on that it means */
export function firstDay(made, now) {
  let day = now;
  while (!means(made, day)) day = addDays(day, 1);
  return day;
}

/** @param {string} made @param {string} day */
function means(made, day) {
  const first = `${day.slice(0, 8)}01`;
  const length = Number(addDays(addMonths(first, 1), -1).slice(8));
  const date = Number(/BYMONTHDAY=(-?\d+)/u.exec(made)?.[1]);
  if (date) return Number(day.slice(8)) === (date < 0 ? length + 1 + date : Math.min(date, length));
  const [, number, names = ""] = /BYDAY=(-?\d)?([A-Z,]+)/u.exec(made) ?? [];
  const nth = Number(number ?? /BYSETPOS=(-?\d)/u.exec(made)?.[1]);
  if (!names) return true;
  const named = (/** @type {string} */ each) => names.includes(DAY_CODES[weekday(each)] ?? "");
  if (!nth) return named(day);
  return Array.from({ length }, (_, index) => addDays(first, index)).filter(named).at(nth < 0 ? nth : nth - 1) === day;
}
