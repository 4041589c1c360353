/** Understands simple words in a new task: "call mum tomorrow at 9 #home !high every week". */

import { addDays, addMonths, dueWords, momentOf, nextWeekday, today, weekday } from "./dates.js";
import { t } from "./messages.js";

/** @import { Priority, TaskFields } from "../types" */
/** @typedef {{kind: string, text: string, label: string}} Chip one thing understood, and the words that said it */

const WEEKDAYS = ["su", "mo", "tu", "we", "th", "fr", "sa"];
const WEEKDAY = "sun(?:day)?|mon(?:day)?|tue(?:s(?:day)?)?|wed(?:nesday)?|thu(?:rs(?:day)?)?|fri(?:day)?|sat(?:urday)?";
const MONTHS = "janfebmaraprmayjunjulaugsepoctnovdec";
const MONTH = "(jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)[a-z]*";
const UNIT = "(day|week|month|year)s?";

/** @param {string} body @param {string} [flags] */
const word = (body, flags = "iu") => new RegExp(`(?<=^|\\s)(?:${body})(?=$|[\\s,.!?])`, flags);

const EVERY = word(`every(?: (\\d{1,3}|other))? (?:${UNIT}|(weekday|workday)s?|(${WEEKDAY})s?)|(daily|weekly|monthly|yearly)`);
const TIME = word("(?:at )?(\\d{1,2})(?::(\\d\\d))? ?(am|pm)|(?:at )?(\\d{1,2}):(\\d\\d)|at (\\d{1,2})|at (noon)");
const TAG = /(?<=^|\s)#([\p{L}\p{N}][\p{L}\p{N}_/-]*)/iu;
const PRIORITY = word("!(low|medium|high|urgent)|p([1-4])");
const IN = word(`in (\\d{1,3}|an?) ${UNIT}`);
const NEXT = word("next (week|month)");
const ON = word(`(?:on |next )?(${WEEKDAY})`);
const NEAR = word("(today|tod|tonight)|(tomorrow|tmr|tom)");
const ISO = word("(\\d{4}-\\d\\d-\\d\\d)");
const DATE = word(`(\\d{1,2})\\.? ${MONTH}|${MONTH} (\\d{1,2})(?:st|nd|rd|th)?`);

/** @type {Priority[]} */
const LEVELS = ["urgent", "high", "medium", "low"];

/** @param {string} day a day that exists, otherwise empty */
const real = (day) => (new Date(day).toString() !== "Invalid Date" && addDays(day, 0) === day ? day : "");

/** @type {[RegExp, (match: string[], now: string) => string][]} */
const DAYS = [
  [NEAR, (m, now) => (m[1] ? now : addDays(now, 1))],
  [NEXT, (m, now) => (m[1]?.toLowerCase() === "week" ? nextWeekday(now, 1) : `${addMonths(now, 1).slice(0, 8)}01`)],
  [IN, (m, now) => plus(now, Number(m[1]) || 1, m[2] ?? "")],
  [ISO, (m) => real(m[1] ?? "")],
  [DATE, (m, now) => dateOf(Number(m[1] ?? m[4]), m[2] ?? m[3] ?? "", now)],
  [ON, (m, now) => nextWeekday(now, WEEKDAYS.indexOf(short(m[1])))],
];

/** @param {string | undefined} name */
const short = (name = "") => name.slice(0, 2).toLowerCase();

/** @param {string} day @param {number} count @param {string} unit */
function plus(day, count, unit) {
  const [kind] = unit.toLowerCase();
  if (kind === "d" || kind === "w") return addDays(day, kind === "w" ? count * 7 : count);
  return addMonths(day, kind === "y" ? count * 12 : count);
}

/** @param {number} date @param {string} month @param {string} now */
function dateOf(date, month, now) {
  const number = MONTHS.indexOf(month.slice(0, 3).toLowerCase()) / 3 + 1;
  const tail = `-${String(number).padStart(2, "0")}-${String(date).padStart(2, "0")}`;
  const day = now.slice(0, 4) + tail;
  return real(day < now ? Number(now.slice(0, 4)) + 1 + tail : day);
}

/** @param {string[]} m groups of TIME */
function timeOf(m) {
  if (m[7]) return "12:00";
  let hour = Number(m[1] ?? m[4] ?? m[6]);
  if (m[3]) hour = (hour % 12) + (m[3].toLowerCase() === "pm" ? 12 : 0);
  const minute = m[2] ?? m[5] ?? "00";
  return hour < 24 && Number(minute) < 60 ? `${String(hour).padStart(2, "0")}:${minute}` : "";
}

/** @param {string[]} m groups of EVERY */
function ruleOf(m) {
  const step = m[1] === "other" ? 2 : Number(m[1] ?? 1);
  const every = step > 1 ? `;INTERVAL=${step}` : "";
  if (m[3]) return "FREQ=WEEKLY;BYDAY=MO,TU,WE,TH,FR";
  if (m[4]) return `FREQ=WEEKLY${every};BYDAY=${short(m[4]).toUpperCase()}`;
  const unit = (m[2] ?? m[5] ?? "").toLowerCase();
  return `FREQ=${unit.startsWith("da") ? "DAILY" : `${unit.replace(/ly$/, "").toUpperCase()}LY`}${every}`;
}

/**
 * @param {string} text as typed
 * @param {Set<string>} [dismissed] words the user wants taken as plain text, lower case
 * @returns {{fields: TaskFields & {title: string}, chips: Chip[]}}
 */
export function parse(text, dismissed = new Set()) {
  let rest = text;
  /** @type {Chip[]} */
  const chips = [];
  /** @type {TaskFields & {title: string}} */
  const fields = { title: "" };
  const now = today();

  /** @param {RegExp} pattern @param {string} kind @param {(m: string[]) => string} read what it means, or empty */
  const take = (pattern, kind, read) => {
    for (const match of rest.matchAll(new RegExp(pattern, "giu"))) {
      const found = dismissed.has(match[0].toLowerCase()) ? "" : read(match);
      if (!found) continue;
      rest = `${rest.slice(0, match.index)} ${rest.slice(match.index + match[0].length)}`;
      chips.push({ kind, text: match[0], label: found });
      return found;
    }
    return "";
  };

  /** @type {string[]} */
  const tags = [];
  for (let tag; (tag = take(TAG, "tag", (m) => m[1] ?? "")); ) tags.push(tag);
  if (tags.length) fields.tags = tags;
  const level = take(PRIORITY, "priority", (m) => m[1]?.toLowerCase() ?? LEVELS[Number(m[2]) - 1] ?? "");
  if (level) fields.priority = /** @type {Priority} */ (level);
  const rule = take(EVERY, "repeat", ruleOf);
  if (rule) fields.recurrence = { rule, mode: "schedule", missed: "skip" };
  let day = "";
  for (const [pattern, read] of DAYS) day ||= take(pattern, "due", (m) => read(m, now));
  const time = take(TIME, "due", timeOf);
  if (rule && !day) day = firstDay(rule, now);
  if (time && !day) day = Date.parse(momentOf(now, time)) > Date.now() ? now : addDays(now, 1);
  if (day) fields.dueDate = time ? momentOf(day, time) : day;
  fields.title = rest.replace(/\s+/gu, " ").trim();
  return { fields, chips: labelled(chips, fields) };
}

/** @param {string} rule @param {string} now the first day on or after it that fits the weekday of the rule */
function firstDay(rule, now) {
  const named = (/BYDAY=([A-Z,]+)/.exec(rule)?.[1] ?? "").toLowerCase();
  for (let day = now; named; day = addDays(day, 1)) if (named.includes(WEEKDAYS[weekday(day)] ?? "")) return day;
  return now;
}

/** @param {Chip[]} chips @param {TaskFields} fields */
function labelled(chips, fields) {
  const seen = new Set();
  return chips.flatMap((chip) => {
    if (chip.kind === "due" && seen.has("due")) return [];
    seen.add(chip.kind);
    const text = chips.filter((other) => other.kind === "due" && chip.kind === "due").map((other) => other.text);
    if (chip.kind === "due") return [{ ...chip, text: text.join("\n"), label: dueWords(fields.dueDate ?? "") }];
    if (chip.kind === "priority") return [{ ...chip, label: t(`priority.${/** @type {Priority} */ (chip.label)}`) }];
    if (chip.kind === "repeat") return [{ ...chip, label: chip.text.toLowerCase() }];
    return [{ ...chip, label: `#${chip.label}` }];
  });
}
