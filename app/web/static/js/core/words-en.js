/** How English says when: "tomorrow at 9", "every other Friday", "in 3 weeks", "5 May". */

import { addDays, nextWeekday } from "./dates.js";
import { clock, dateOf, dayOfMonth, daysIn, onDate, onNth, plus, real, rule, start, weekend, weekendAfter, word, WORKDAYS } from "./grammar.js";

const WEEKDAYS = ["su", "mo", "tu", "we", "th", "fr", "sa"];
const WEEKDAY = "sun(?:day)?|mon(?:day)?|tue(?:s(?:day)?)?|wed(?:nesday)?|thu(?:rs(?:day)?)?|fri(?:day)?|sat(?:urday)?";
const MONTHS = "janfebmaraprmayjunjulaugsepoctnovdec";
const MONTH = "(jan(?:uary)?|feb(?:ruary)?|mar(?:ch)?|apr(?:il)?|may|june?|july?|aug(?:ust)?|sept?(?:ember)?|oct(?:ober)?|nov(?:ember)?|dec(?:ember)?)";
const UNIT = "(day|week|month|year)s?";
const TH = "(?:st|nd|rd|th)";
const NTH = `first|second|third|fourth|last|[1-4]${TH}`;
const COUNT = "two|three|four|five|six|seven|eight|nine|ten|eleven|twelve";
const STEP = `\\d{1,3}${TH}?|other|second|third|${COUNT}`;
const MONTHLY = `(?:every(?: (${STEP}))? months?|monthly) on`;
const OF_MONTH = " of (?:the|each|every) month";
const WORKDAY = `(weekday|workday)|(${WEEKDAY})`;
const PART = "(?: (?:morning|afternoon|evening|night))?";
const LIST = `((?:${WEEKDAY})s?(?:(?:, ?(?:and )?| and | & |/)(?:${WEEKDAY})s?)*)${PART}`;
const BY = "(?:(?:on|by) )?";
const YEAR = "(?:,? (20\\d\\d))?";
const TIME = "(?:at )?\\d{1,2}(?:[:.]\\d\\d| ?[ap]m)(?!\\w)|at (?:\\d|noon)";
// "Sun", "sat" and the like are words of their own; as days they need something before them, or a time.
const PLAIN_DAY = `sunday|monday|wednesday|saturday|tue(?:s(?:day)?)?|thu(?:rs(?:day)?)?|fri(?:day)?|(?:sun|mon|wed|sat)(?= (?:${TIME}))`;
// What there can be five of, on a march.
const AMOUNT = "(?:kilo)?met(?:er|re)s?|km|k|m|miles?|steps|laps|rounds|blocks|times|seconds|minutes|hours|days|mins|hrs";
// "On the 5th floor" is no day.
const ALONE = `(?=[,.:;!?]|\\s*$| (?:${TIME}))`;
// "May 5" and "march 5" can be the beginning of a sentence.
const MONTH_FIRST = `(?:(?<=^\\s*)|(?:on|by) |(?!(?:may|march) \\d{1,2}(?!\\d|${TH}| *(?:$|[,.:;!?]|20\\d\\d|${TIME}))))${MONTH} (\\d{1,2})${TH}?${YEAR}(?! (?:${AMOUNT})(?!\\w))`;

/** @type {Record<string, number>} */
const NUMBERS = { first: 1, second: 2, other: 2, third: 3, fourth: 4, last: -1 };
for (const [index, name] of COUNT.split("|").entries()) NUMBERS[name] = index + 2;
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

/** @param {string} names */
const days = (names) => daysIn(names, (name) => WEEKDAYS.indexOf(short(name)));

/** @param {string[]} m every so many; a unit, a workday or weekdays */
function ruleOf(m) {
  if (m[3]) return WORKDAYS;
  return m[4] ? rule("", number(m[1]), days(m[4])) : rule(unit(m[2]), number(m[1]));
}

/** @param {string[]} m every so many months; which; the day itself, a workday or a weekday */
const nthOf = (m) => (m[3] ? onDate(number(m[1]), number(m[2])) : onNth(number(m[1]), number(m[2]), short(m[5]).toUpperCase()));

/** @param {string[]} m */
function timeOf(m) {
  if (m[8]) return "12:00";
  const hour = Number(m[1] ?? m[4] ?? m[6]);
  return clock(m[3] ? (hour % 12) + (m[3].toLowerCase() === "pm" ? 12 : 0) : hour, m[2] ?? m[5] ?? m[7]);
}

/** @type {import("./grammar.js").Grammar} */
export const en = {
  every: [
    [word(`${MONTHLY} (?:the )?(${NTH}) (?:(day)|${WORKDAY})`), nthOf],
    [word(`every() (${NTH}) (?:(day)|${WORKDAY})${OF_MONTH}`), nthOf],
    [word(`every() (first|last)() (?:${WORKDAY})`), nthOf],
    [word(`${MONTHLY} (?:the (\\d{1,2})${TH}?|(\\d{1,2})${TH})`), (m) => onDate(number(m[1]), Number(m[2] ?? m[3]))],
    [word(`every (\\d{1,2})${TH}(?:${OF_MONTH})?(?! (?:${UNIT}|${WORKDAY})(?:$|\\s))`), (m) => onDate(1, Number(m[1]))],
    [word(`(?:every(?: (${STEP}))? weeks?|weekly) on ${LIST}`), (m) => rule("", number(m[1]), days(m[2] ?? ""))],
    [word(`every(?: (${STEP}))? (?:${UNIT}|(weekday|workday)s?|${LIST})`), ruleOf],
    [word("every (?:morning|afternoon|evening|night)"), () => rule("DAILY", 1)],
    // Often part of a name: "weekly report every other Friday".
    [word("(daily|weekly|monthly|yearly)"), (m) => rule(unit(m[1]), 1)],
  ],
  days: [
    [word(`${BY}(\\d{4}-\\d\\d-\\d\\d)`), (m) => real(m[1] ?? "")],
    [word(`${BY}(?:the )?day after tomorrow${PART}`), (_, now) => addDays(now, 2)],
    [word(`${BY}(?:(today|tonight|this (?:morning|afternoon|evening))|(?:tomorrow|tmr)${PART})`), (m, now) => (m[1] ? now : addDays(now, 1))],
    [word(`${BY}next (week|month|year)`), (m, now) => start(unit(m[1]), now)],
    [word("(?:(?:on|at|by) the|by this|this) weekend"), (_, now) => weekend(now)],
    [word("(?:(?:on|at|by) (?:the )?)?next weekend"), (_, now) => weekendAfter(now)],
    [word(`in (\\d{1,3}|an?|one|${COUNT}) ${UNIT}`), (m, now) => plus(now, number(m[1]), unit(m[2]))],
    [word(`${BY}(?:the )?(\\d{1,2})${TH}?(?: of)? ${MONTH}${YEAR}`), (m, now) => dateOf(Number(m[1]), month(m[2]), now, m[3])],
    [word(MONTH_FIRST), (m, now) => dateOf(Number(m[2]), month(m[1]), now, m[3])],
    [word(`(?:on|by) the (\\d{1,2})${TH}${ALONE}`), (m, now) => dayOfMonth(Number(m[1]), now)],
    [word(`(?:(?:(?:on|by) )?next|on|by) (${WEEKDAY})${PART}|(?:(?:by )?this )?(${PLAIN_DAY})${PART}`), (m, now) => nextWeekday(now, WEEKDAYS.indexOf(short(m[1] ?? m[2])))],
  ],
  times: [
    [word("(?:(?:at |by )?(\\d{1,2})(?:[:.](\\d\\d))? ?(am|pm)|(?:at |by )?(\\d{1,2}):(\\d\\d)|at (\\d{1,2})(?:\\.(\\d\\d))?|at (noon))(?: in the (?:morning|afternoon|evening))?"), timeOf],
  ],
  late: /^(?!.*\d ?am(?!\p{L})).*(?:night|afternoon|evening)/iu,
  night: /night/iu,
  priorities: { low: "low", medium: "medium", high: "high", urgent: "urgent" },
};
