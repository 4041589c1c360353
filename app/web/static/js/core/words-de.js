/** Wie Deutsch sagt, wann: „morgen um 9“, „jeden zweiten Freitag“, „in 3 Wochen“, „24.12.“. Fetched for German only. */

import { addDays, DAY_CODES, nextWeekday } from "./dates.js";
import { clock, dateOf, dayOfMonth, daysIn, onDate, onNth, plus, real, rule, start, weekend, weekendAfter, word, WORKDAYS } from "./grammar.js";

const WEEKDAYS = ["so", "mo", "di", "mi", "do", "fr", "sa"];
const WEEKDAY = "montag|dienstag|mittwoch|donnerstag|freitag|samstag|sonnabend|sonntag";
// "So" and "do" are words of their own; as days they need something before them.
const ABBREVIATED = "mo|di|mi|do|fr|sa|so";
const SHORT = `${WEEKDAY}|${ABBREVIATED}`;
const PART = "(?:abend|nacht|nachmittag|mittag|vormittag|früh)";
const WITH_PART = `(?: ?(?:${PART}|morgen))?`;
const OF_DAY = "(?: (?:morgens|früh|vormittags|nachmittags|abends))?";
const AND = "(?:, ?(?:und )?| und | & |/)";
// "Jeden Montag, so oft es geht" and "montags und so" name one day.
const NEXT = ABBREVIATED.replace("|so", "");
const LIST = `((?:${WEEKDAY})(?:${AND}(?:${WEEKDAY}|${NEXT}))*|(?:${ABBREVIATED})(?:${AND}(?:${SHORT}))*)${WITH_PART}`;
const DAYS = `(?:${WEEKDAY})s(?:${AND}(?:(?:${WEEKDAY})s|${NEXT}))*`;
// "Am 5. Mast" is no day.
const ALONE = "(?=[,:;!?]|\\s*$| (?:um|mittags|halb|\\d{1,2}(?::\\d\\d|(?:\\.\\d\\d)? ?uhr))(?!\\p{L}))";
const BY = "(?:am |bis (?:zum )?)?";
const MONTHS = ["jan", "feb", "mär", "apr", "mai", "jun", "jul", "aug", "sep", "okt", "nov", "dez"];
const MONTH = "(jan(?:uar)?|jänner|feb(?:ruar)?|märz|mär|mrz|apr(?:il)?|mai|juni?|juli?|aug(?:ust)?|sept?(?:ember)?|okt(?:ober)?|nov(?:ember)?|dez(?:ember)?)";
const NUMBERS = ["", "ein", "zwei", "drei", "vier", "fünf", "sechs", "sieben", "acht", "neun", "zehn", "elf", "zwölf"];
const NUMBER = `\\d{1,3}|${NUMBERS.slice(2).join("|")}`;
const ORDINAL = "(\\d{1,3})\\.|(andere|zweite|dritte|vierte)[nrs]?";
const ORDINALS = ["", "", "zweite", "dritte", "vierte"];
const WORKDAY = "(werktag|arbeitstag)";
const UNIT = "(tag|woche|monat|jahr)(?:en|e|n|s)?";
const NTH = ["ersten", "zweiten", "dritten", "vierten"];
const WHICH = `(${NTH.join("|")}|letzten|[1-4]\\.) (?:(tag)|${WORKDAY}|(${WEEKDAY}))`;
const MONTHLY = `(?:jeden(?: (?:${ORDINAL}))? monat|alle (${NUMBER}) monate|monatlich) am`;
const OF_MONTH = " (?:im monat|des monats)";
const OF_EVERY_MONTH = " jede[ns] monats";

/** @type {Record<string, string>} */
const UNITS = { t: "DAILY", w: "WEEKLY", m: "MONTHLY", j: "YEARLY" };

/** @param {string | undefined} name of a unit */
const unit = (name = "") => UNITS[name.charAt(0).toLowerCase()] ?? "";

/** @param {string | undefined} text a number in digits or words */
const number = (text = "") => Number(text) || Math.max(1, NUMBERS.findIndex((each) => each !== "" && text.toLowerCase().startsWith(each)));

/** @param {string | undefined} name 0 is Sunday */
function day(name = "") {
  const folded = name.toLowerCase();
  return folded.startsWith("sonna") ? 6 : WEEKDAYS.indexOf(folded.slice(0, 2));
}

/** @param {string | undefined} name 1 is January */
function month(name = "") {
  const folded = name.toLowerCase().replace("mrz", "mär").replace("jän", "jan");
  return MONTHS.findIndex((each) => folded.startsWith(each)) + 1;
}

/** @param {string[]} m the parts of `ORDINAL`; without them 1 */
function steps(m) {
  const word = m[2]?.toLowerCase() ?? "";
  return word === "andere" ? 2 : word ? ORDINALS.indexOf(word) : Number(m[1] ?? 1);
}

/** @param {string} names of days */
const days = (names = "") => daysIn(names, day);

/** @param {string[]} m a number or an ordinal, then a unit or weekdays */
function ruleOf(m) {
  return m[5] ? rule("", steps(m), days(m[5])) : m[4] ? WORKDAYS : rule(unit(m[3]), steps(m));
}

/** @param {string[]} m an ordinal or a number, as in `MONTHLY` */
const months = (m) => (m[3] ? number(m[3]) : steps(m));

/** @param {string[]} m which; the day itself, a workday or a weekday @param {number} step */
function nthOf([which = "", tag, workday, weekday], step) {
  const nth = which.toLowerCase() === "letzten" ? -1 : parseInt(which, 10) || NTH.indexOf(which.toLowerCase()) + 1;
  return tag ? onDate(step, nth) : onNth(step, nth, workday ? "" : (DAY_CODES[day(weekday)] ?? ""));
}

/** @type {import("./grammar.js").Grammar} */
export const de = {
  every: [
    [word(`${MONTHLY} ${WHICH}`), (m) => nthOf(m.slice(4), months(m))],
    [word(`jeden ${WHICH}${OF_MONTH}`), (m) => nthOf(m.slice(1), 1)],
    [word(`am ${WHICH}${OF_EVERY_MONTH}`), (m) => nthOf(m.slice(1), 1)],
    [word(`jeden (ersten|letzten)() (?:${WORKDAY}|(${WEEKDAY}))`), (m) => nthOf(m.slice(1), 1)],
    [word(`${MONTHLY} (\\d{1,2})(?:\\.(?!\\d)|(?![.\\d]))`), (m) => onDate(months(m), Number(m[4]))],
    [word(`am (\\d{1,2})\\.${OF_EVERY_MONTH}|jeden (\\d{1,2})\\.(?:${OF_MONTH})?(?! (?:${UNIT}|${WORKDAY}|${SHORT})(?:$|\\s))`), (m) => onDate(1, Number(m[1] ?? m[2]))],
    [word(`(?:jede(?: (?:${ORDINAL}))? woche|alle (${NUMBER}) wochen|wöchentlich) (?:am ${LIST}|(${DAYS}))`), (m) => rule("", months(m), days(m[4] ?? m[5]))],
    [word(`jede[nsr]?(?: (?:${ORDINAL}))? (?:${UNIT}|${WORKDAY}|${LIST})`), ruleOf],
    [word(`jede[ns]? (?:${PART}|morgen)`), () => rule("DAILY", 1)],
    [word(`alle (${NUMBER}) ${UNIT}`), (m) => rule(unit(m[2]), number(m[1]))],
    [word("(täglich)|(wöchentlich)|(monatlich)|(jährlich)"), (m) => rule(unit(m[1] ? "t" : m[2] ? "w" : m[3] ? "m" : "j"), 1)],
    [word(`werktags|(${DAYS})`), (m) => (m[1] ? rule("", 1, days(m[1])) : WORKDAYS)],
  ],
  days: [
    [word(`${BY}(\\d{4}-\\d\\d-\\d\\d)`), (m) => real(m[1] ?? "")],
    [word(`(?:bis )?heute(?: ${PART})?`), (_, now) => now],
    [word(`(?:bis )?übermorgen(?: ${PART})?`), (_, now) => addDays(now, 2)],
    // "Am Morgen" and "Montag Morgen" are times of day, "guten Morgen" a greeting.
    [word(`(?<!am |guten |tag |woch |abend )(?:bis )?morgen(?: ${PART})?`), (_, now) => addDays(now, 1)],
    [word("(?:bis )?(?:nächste|kommende)[nrs]? (woche|monat|jahr)"), (m, now) => start(unit(m[1]), now)],
    [word(`in (${NUMBER}|eine[mr]) ${UNIT}`), (m, now) => plus(now, number(m[1]), unit(m[2]))],
    [word(`${BY}(\\d{1,2})(?:\\. ?| )${MONTH}\\.?(?: (\\d{4}))?`), (m, now) => dateOf(Number(m[1]), month(m[2]), now, m[3])],
    [word(`${BY}(\\d{1,2})\\.(\\d{1,2})\\.(\\d{4}|\\d\\d)?|(?:am|bis(?: zum)?) (\\d{1,2})\\.(\\d{1,2})`), (m, now) => dateOf(Number(m[1] ?? m[4]), Number(m[2] ?? m[5]), now, m[3])],
    [word("(?:(?:am|bis zum)(?: kommenden)?|(?:bis )?(?:dieses|kommendes)) wochenende"), (_, now) => weekend(now)],
    [word("(?:am |bis (?:zum )?)?nächste[ns] wochenende"), (_, now) => weekendAfter(now)],
    [word(`(?:am|bis zum) (\\d{1,2})\\.${ALONE}`), (m, now) => dayOfMonth(Number(m[1]), now)],
    [word(`(?:am |bis (?:zum )?)?(?:nächste[nr]?|kommende[nr]?|diese[nr]?) (${SHORT})${WITH_PART}|(?:am|bis(?: zum)?) (${SHORT})${WITH_PART}|(${WEEKDAY})${WITH_PART}`), (m, now) => nextWeekday(now, day(m[1] ?? m[2] ?? m[3]))],
  ],
  times: [
    [word(`(?:um )?halb (\\d{1,2})${OF_DAY}`), (m) => clock(Number(m[1]) === 1 ? 12 : Number(m[1]) - 1, "30")],
    [word(`(?:(?:um )?(\\d{1,2})(?:[:.](\\d\\d))? ?uhr(?: (\\d\\d))?|(?:um )?(\\d{1,2}):(\\d\\d)|um (\\d{1,2})(?:\\.(\\d\\d))?)${OF_DAY}`), (m) => clock(Number(m[1] ?? m[4] ?? m[6]), m[2] ?? m[3] ?? m[5] ?? m[7])],
    [word("mittags"), () => "12:00"],
  ],
  late: /(?<!sonn)abend|nachmittag|nacht/iu,
  night: /nacht/iu,
  priorities: { niedrig: "low", mittel: "medium", hoch: "high", dringend: "urgent" },
  never: /^(?:tue|.*\d am)$/iu,
};
