/** Days and moments in the user's time zone. A day is the text `2026-11-23`; a moment is RFC 3339 in UTC. */

import { locale } from "./messages.js";

const DAY_MS = 86_400_000;

let zone = Intl.DateTimeFormat().resolvedOptions().timeZone;
/** @type {Map<string, string>} moment → day; formatting is slow and the same moments come again and again */
const days = new Map();
/** @type {Map<string, Intl.DateTimeFormat>} */
const formats = new Map();

/** The zone of the signed-in user, IANA. */
export const userZone = () => zone;

/** @param {string} name IANA; an unknown one is ignored and the browser's stays */
export function useZone(name) {
  try {
    new Intl.DateTimeFormat("en", { timeZone: name });
  } catch {
    return;
  }
  zone = name;
  todayUntil = 0;
  days.clear();
}

/**
 * @param {Intl.DateTimeFormatOptions} options
 * @param {string} [language]
 */
function format(options, language = locale()) {
  const key = language + JSON.stringify(options);
  let found = formats.get(key);
  if (!found) formats.set(key, (found = new Intl.DateTimeFormat(language, options)));
  return found;
}

/**
 * Wall clock of a moment as `2026-11-23 09:00:00`; Swedish writes ISO.
 * @param {number} ms
 * @param {string} timeZone
 */
const wall = (ms, timeZone) => format({ timeZone, dateStyle: "short", timeStyle: "medium" }, "sv").format(ms);

/** @param {string} due a day or a moment */
export const isDay = (due) => due.length === 10;

/**
 * The day on which something falls for the user.
 * @param {string} due a day or a moment
 */
export function dayOf(due) {
  if (isDay(due)) return due;
  let day = days.get(due);
  if (!day) days.set(due, (day = wall(Date.parse(due), zone).slice(0, 10)));
  return day;
}

let todayText = "";
let todayUntil = 0;

/** The current day; asked for thousands of times per drawing, so it is worked out once a second. */
export function today() {
  const now = Date.now();
  if (now > todayUntil) [todayText, todayUntil] = [wall(now, zone).slice(0, 10), now + 1000];
  return todayText;
}

/**
 * @param {string} day
 * @param {number} count of days, may be negative
 */
export const addDays = (day, count) => new Date(Date.parse(day) + count * DAY_MS).toISOString().slice(0, 10);

/**
 * @param {string} day
 * @param {number} count of months; the 31st becomes the last day of a shorter month
 */
export function addMonths(day, count) {
  const [year = 0, month = 1, date = 1] = day.split("-").map(Number);
  const last = new Date(Date.UTC(year, month + count, 0)).getUTCDate();
  return new Date(Date.UTC(year, month - 1 + count, Math.min(date, last))).toISOString().slice(0, 10);
}

/** The days of the week in RFC 5545, in the order of `weekday`. */
export const DAY_CODES = ["SU", "MO", "TU", "WE", "TH", "FR", "SA"];

/**
 * 0 is Sunday.
 * @param {string} day
 */
export const weekday = (day) => new Date(Date.parse(day)).getUTCDay();

/**
 * The next such weekday after `day`.
 * @param {string} day
 * @param {number} wanted 0 is Sunday
 */
export const nextWeekday = (day, wanted) => addDays(day, (wanted - weekday(day) + 6) % 7 + 1);

let weekStart = 1;

/** @param {string} [name] of the day on which weeks begin for the user, as the API says it */
export function useWeekStart(name = "") {
  const index = ["sunday", "monday", "tuesday", "wednesday", "thursday", "friday", "saturday"].indexOf(name);
  if (index >= 0) weekStart = index;
}

/** The first day of the next week. @param {string} day */
export const nextWeek = (day) => nextWeekday(day, weekStart);

/**
 * Days from `from` until `to`.
 * @param {string} from
 * @param {string} to
 */
export const daysBetween = (from, to) => Math.round((Date.parse(to) - Date.parse(from)) / DAY_MS);

/**
 * The moment at which clocks in a zone show this; in a gap, with the offset before it.
 * @param {string} day
 * @param {string} time `09:00`
 * @param {string} [timeZone]
 */
export function momentOf(day, time, timeZone = zone) {
  const naive = Date.parse(`${day}T${time}:00Z`);
  /** @param {number} ms */
  const offset = (ms) => Date.parse(`${wall(ms, timeZone).replace(" ", "T")}Z`) - ms;
  const first = naive - offset(naive - DAY_MS);
  const second = naive - offset(first);
  const fits = offset(second) === naive - second;
  return new Date(fits ? second : first).toISOString().replace(".000Z", "Z");
}

/**
 * @param {string} due
 * @param {string} [timeZone]
 * @returns {[day: string, time: string]} time is empty for a day
 */
export function splitDue(due, timeZone = zone) {
  if (isDay(due)) return [due, ""];
  const text = wall(Date.parse(due), timeZone);
  return [text.slice(0, 10), text.slice(11, 16)];
}

/** @param {string} due whether it is past: a day when the day is over, a moment when it has come */
export const isOverdue = (due) => (isDay(due) ? due < today() : Date.parse(due) < Date.now());

/** @param {string} day */
export function dayWords(day) {
  const distance = daysBetween(today(), day);
  const relative = new Intl.RelativeTimeFormat(locale(), { numeric: "auto" });
  if (Math.abs(distance) <= 1 || (distance < 0 && distance > -7)) return capital(relative.format(distance, "day"));
  if (distance > 0 && distance < 7) return format({ weekday: "short", timeZone: "UTC" }).format(Date.parse(day));
  if (distance >= 14 && distance < 31) return capital(relative.format(Math.floor(distance / 7), "week"));
  return shortDay(day);
}

/** @param {string} text */
const capital = (text) => text.charAt(0).toLocaleUpperCase(locale()) + text.slice(1);

/** @param {string} day */
function shortDay(day) {
  const sameYear = day.slice(0, 4) === today().slice(0, 4);
  /** @type {Intl.DateTimeFormatOptions} */
  const options = { day: "numeric", month: "short", timeZone: "UTC" };
  return format(sameYear ? options : { ...options, year: "numeric" }).format(Date.parse(day));
}

/**
 * "Today 09:00", "Fri", "In 3 weeks".
 * @param {string} due
 */
export const dueWords = (due) => (isDay(due) ? dayWords(due) : `${dayWords(dayOf(due))} ${timeWords(due)}`);

/**
 * @param {string} moment
 * @param {string} [timeZone]
 */
export const timeWords = (moment, timeZone = zone) => format({ timeStyle: "short", timeZone }).format(Date.parse(moment));

/**
 * "Monday, 23 November", the heading of a day; of another year with that.
 * @param {string} day
 */
export function longDay(day) {
  /** @type {Intl.DateTimeFormatOptions} */
  const options = { weekday: "long", day: "numeric", month: "long", timeZone: "UTC" };
  return format(day.slice(0, 4) === today().slice(0, 4) ? options : { ...options, year: "numeric" }).format(Date.parse(day));
}

/**
 * "Mon, 23 Nov 2026" or with the time; for lists of dates.
 * @param {string} due
 */
export function fullWords(due) {
  /** @type {Intl.DateTimeFormatOptions} */
  const options = { weekday: "short", day: "numeric", month: "short", year: "numeric" };
  if (isDay(due)) return format({ ...options, timeZone: "UTC" }).format(Date.parse(due));
  return format({ ...options, hour: "numeric", minute: "2-digit", timeZone: zone }).format(Date.parse(due));
}

/**
 * The weekday's name.
 * @param {number} index 0 is Sunday
 */
export const weekdayName = (index) =>
  format({ weekday: "long", timeZone: "UTC" }).format(Date.UTC(2026, 10, 22 + index));
