/** How English says when: "tomorrow at 9", "every other Friday", "in 3 weeks", "5 May". */

import { addDays, addMonths, nextWeek, nextWeekday } from "./dates.js";
import { clock, dateOf, onDate, onNth, plus, rule, word, WORKDAYS } from "./grammar.js";

const WEEKDAYS = ["su", "mo", "tu", "we", "th", "fr", "sa"];
const WEEKDAY = "sun(?:day)?|mon(?:day)?|tue(?:s(?:day)?)?|wed(?:nesday)?|thu(?:rs(?:day)?)?|fri(?:day)?|sat(?:urday)?";
const MONTHS = "janfebmaraprmayjunjulaugsepoctnovdec";
const MONTH = "(jan(?:uary)?|feb(?:ruary)?|mar(?:ch)?|apr(?:il)?|may|june?|july?|aug(?:ust)?|sept?(?:ember)?|oct(?:ober)?|nov(?:ember)?|dec(?:ember)?)";
const UNIT = "(day|week|month|year)s?";
const TH = "(?:st|nd|rd|th)";
const NTH = `first|second|third|fourth|last|[1-4]${TH}`;
const MONTHLY = "(?:every(?: (\\d{1,3}|other|second|third))? months?|monthly) on";
const OF_MONTH = " of (?:the|each|every) month";
const WORKDAY = `(weekday|workday)|(${WEEKDAY})`;

/** @type {Record<string, number>} */
const NUMBERS = { first: 1, second: 2, other: 2, third: 3, fourth: 4, last: -1 };
/** @type {Record<string, string>} */
const UNITS = { da: "DAILY", we: "WEEKLY", mo: "MONTHLY", ye: "YEARLY" };

/** @param {string | undefined} name its first two letters */
const short = (name = "") => name.slice(0, 2).toLowerCase();

/** @param {string | undefined} name of a unit */
const unit = (name) => UNITS[short(name)] ?? "";

/** @param {string | undefined} name */
const month = (name = "") => MONTHS.indexOf(name.slice(0, 3).toLowerCase()) / 3 + 1;

/** @param {string | undefined} text "3", "3rd" or a word; without it 1 */
const number = (text = "") => parseInt(text, 10) || (NUMBERS[text.toLowerCase()] ?? 1);

/** @param {string[]} m */
function ruleOf(m) {
  if (m[3]) return WORKDAYS;
  return m[4] ? rule("", number(m[1]), short(m[4]).toUpperCase()) : rule(unit(m[2] ?? m[5]), number(m[1]));
}

/** @param {string[]} m every so many months; which; the day itself, a workday or a weekday */
const nthOf = (m) => (m[3] ? onDate(number(m[1]), number(m[2])) : onNth(number(m[1]), number(m[2]), short(m[5]).toUpperCase()));

/** @param {string[]} m */
function timeOf(m) {
  if (m[7]) return "12:00";
  const hour = Number(m[1] ?? m[4] ?? m[6]);
  return clock(m[3] ? (hour % 12) + (m[3].toLowerCase() === "pm" ? 12 : 0) : hour, m[2] ?? m[5]);
}

/** @type {import("./grammar.js").Grammar} */
export const en = {
  every: [
    [word(`${MONTHLY} (?:the )?(${NTH}) (?:(day)|${WORKDAY})`), nthOf],
    [word(`every() (${NTH}) (?:(day)|${WORKDAY})${OF_MONTH}`), nthOf],
    [word(`every() (first|last)() (?:${WORKDAY})`), nthOf],
    [word(`${MONTHLY} (?:the (\\d{1,2})${TH}?|(\\d{1,2})${TH})`), (m) => onDate(number(m[1]), Number(m[2] ?? m[3]))],
    [word(`every (\\d{1,2})${TH}(?:${OF_MONTH})?(?! (?:${UNIT}|${WORKDAY})(?:$|\\s))`), (m) => onDate(1, Number(m[1]))],
    [word(`every(?: (\\d{1,3}${TH}?|other|second|third))? (?:${UNIT}|(weekday|workday)s?|(${WEEKDAY})s?)|(daily|weekly|monthly|yearly)`), ruleOf],
  ],
  days: [
    [word("(today|tod|tonight)|(tomorrow|tmr|tom)"), (m, now) => (m[1] ? now : addDays(now, 1))],
    [word("next (week|month)"), (m, now) => (short(m[1]) === "we" ? nextWeek(now) : `${addMonths(now, 1).slice(0, 8)}01`)],
    [word(`in (\\d{1,3}|an?) ${UNIT}`), (m, now) => plus(now, Number(m[1]) || 1, unit(m[2]))],
    [word(`(\\d{1,2})\\.? ${MONTH}|${MONTH} (\\d{1,2})(?:st|nd|rd|th)?`), (m, now) => dateOf(Number(m[1] ?? m[4]), month(m[2] ?? m[3]), now)],
    [word(`(?:on |next )?(${WEEKDAY})`), (m, now) => nextWeekday(now, WEEKDAYS.indexOf(short(m[1])))],
  ],
  times: [[word("(?:at )?(\\d{1,2})(?::(\\d\\d))? ?(am|pm)|(?:at )?(\\d{1,2}):(\\d\\d)|at (\\d{1,2})|at (noon)"), timeOf]],
  priorities: { low: "low", medium: "medium", high: "high", urgent: "urgent" },
};
