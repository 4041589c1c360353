/** Sagt eine Regel auf Deutsch: „alle 2 Wochen am Montag und Freitag, 10-mal“. As the server does in English. */

import { fullWords } from "./dates.js";

/** @typedef {Record<string, string>} Rule parts of an RRULE by their names */

const DAYS = /** @type {Record<string, string>} */ ({ MO: "Montag", TU: "Dienstag", WE: "Mittwoch", TH: "Donnerstag", FR: "Freitag", SA: "Samstag", SU: "Sonntag" });
const MONTHS = ["Januar", "Februar", "März", "April", "Mai", "Juni", "Juli", "August", "September", "Oktober", "November", "Dezember"];
/** @type {Record<string, [one: string, many: string, every: string, nominative: string]>} */
const UNITS = {
  DAILY: ["Tag", "Tage", "jeden Tag", "ein Tag"],
  WEEKLY: ["Woche", "Wochen", "jede Woche", "eine Woche"],
  MONTHLY: ["Monat", "Monate", "jeden Monat", "ein Monat"],
  YEARLY: ["Jahr", "Jahre", "jedes Jahr", "ein Jahr"],
};
/** What can be said here. A rule with anything else keeps the server's words. */
const KNOWN = new Set(["FREQ", "INTERVAL", "BYDAY", "BYMONTHDAY", "BYMONTH", "BYSETPOS", "COUNT", "UNTIL", "SKIP", "RSCALE", "WKST"]);
const LAST = ["", "letzten", "vorletzten", "drittletzten", "viertletzten"];

/** @param {string} text */
const list = (text = "") => text.split(",").filter(Boolean);

/** @param {string[]} words */
const listed = (words) => new Intl.ListFormat("de", { type: "conjunction" }).format(words);

/** "2." or "letzten". @param {number} number */
const ordinal = (number) => (number > 0 ? `${number}.` : (LAST[-number] ?? `${-number}.-letzten`));

/**
 * @param {string} text an RRULE
 * @param {string} mode
 * @param {string} missed
 * @returns {string} empty when it cannot be said
 */
export function ruleWords(text, mode, missed) {
  const pairs = text.toUpperCase().replace(/^RRULE:/u, "").split(";").map((part) => part.split("="));
  const rule = /** @type {Rule} */ (Object.fromEntries(pairs));
  if (!UNITS[rule.FREQ ?? ""] || Object.keys(rule).some((name) => !KNOWN.has(name)) || isRare(rule)) return "";
  const plain = !Object.keys(rule).some((name) => name.startsWith("BY"));
  const after = mode === "afterCompletion";
  const head = after && plain ? quantity(rule) : clauses(rule);
  if (!head) return "";
  const said = [head, after && !plain && "gezählt ab dem Erledigen", !(after && plain) && shorter(rule), rule.COUNT && `${rule.COUNT}-mal`,
    rule.UNTIL && `bis ${until(rule.UNTIL)}`, missed === "keep" && !after && "verpasste bleiben"];
  return said.filter(Boolean).join(", ");
}

/** Weeks that begin on another day, and days of every month in a yearly rule. @param {Rule} rule */
const isRare = ({ FREQ, WKST = "MO", BYMONTH, BYMONTHDAY }) => WKST !== "MO" || (FREQ === "YEARLY" && Boolean(BYMONTHDAY) && !BYMONTH);

/** @param {Rule} rule */
function quantity({ FREQ = "", INTERVAL = "1" }) {
  const [, many, , one] = UNITS[FREQ] ?? ["", "", "", ""];
  return `${INTERVAL === "1" ? one : `${INTERVAL} ${many}`} nach dem Erledigen`;
}

/** @param {Rule} rule */
function clauses(rule) {
  const { FREQ = "", INTERVAL = "1", BYDAY = "" } = rule;
  const [, many, every] = UNITS[FREQ] ?? ["", "", ""];
  const workdays = list(BYDAY).sort().join() === "FR,MO,TH,TU,WE";
  if (FREQ === "WEEKLY" && INTERVAL === "1" && workdays && !rule.BYSETPOS && !rule.BYMONTH) return "jeden Werktag (Montag bis Freitag)";
  const days = daysOf(rule, workdays);
  if (days === undefined) return "";
  const months = list(rule.BYMONTH).map((month) => MONTHS[Number(month) - 1] ?? "");
  const inMonths = !months.length ? "" : FREQ === "YEARLY" ? (days.endsWith(".") ? listed(months) : `im ${listed(months)}`) : `nur im ${listed(months)}`;
  return [INTERVAL === "1" ? every : `alle ${INTERVAL} ${many}`, days, inMonths].filter(Boolean).join(" ");
}

/** @param {Rule} rule @param {boolean} workdays @returns {string | undefined} undefined when it cannot be said */
function daysOf({ FREQ, BYDAY = "", BYMONTHDAY = "", BYSETPOS = "" }, workdays) {
  const days = list(BYDAY).map((day) => ({ number: Number(day.slice(0, -2)), name: DAYS[day.slice(-2)] ?? "" }));
  const [numbered, every] = [days.filter(({ number }) => number), days.filter(({ number }) => !number).map(({ name }) => name)];
  if (BYMONTHDAY) return BYDAY || BYSETPOS ? undefined : numberedDays(BYMONTHDAY);
  if (BYSETPOS) return FREQ === "MONTHLY" ? chosen(BYSETPOS, workdays ? ["Werktag"] : days.map(({ number, name }) => (number ? "" : name))) : undefined;
  if (!days.length) return "";
  if (FREQ === "WEEKLY" || FREQ === "DAILY") return numbered.length ? undefined : `${FREQ === "DAILY" ? "nur " : ""}am ${listed(every)}`;
  return listed([...(every.length ? [`an jedem ${listed(every)}`] : []), ...numbered.map(({ number, name }) => `am ${ordinal(number)} ${name}`)]);
}

/** @param {string} days */
const numberedDays = (days) => `am ${listed(list(days).map((day) => (Number(day) > 0 ? `${day}.` : `${ordinal(Number(day))} Tag`)))}`;

/** "am letzten Werktag" @param {string} positions @param {string[]} names */
const chosen = (positions, names) =>
  names.length === 1 && names[0] ? `am ${listed(list(positions).map((each) => ordinal(Number(each))))} ${names[0]}` : undefined;

/** What becomes of a day that a month does not have. @param {Rule} rule */
function shorter({ FREQ, SKIP = "OMIT", BYMONTHDAY = "", BYDAY = "" }) {
  if ((FREQ !== "MONTHLY" && FREQ !== "YEARLY") || (BYDAY && !BYMONTHDAY)) return "";
  const late = list(BYMONTHDAY).some((day) => Math.abs(Number(day)) > 28);
  if (SKIP === "OMIT") return late ? "Monate ohne diesen Tag fallen aus" : "";
  if (BYMONTHDAY && !late) return "";
  return SKIP === "BACKWARD" ? "in kürzeren Monaten am letzten Tag" : "nach kürzeren Monaten am ersten Tag des nächsten";
}

/** @param {string} text `20261224` or `20261224T090000Z` */
function until(text) {
  const day = text.replace(/^(\d{4})(\d\d)(\d\d).*/u, "$1-$2-$3");
  const time = /T(\d\d)(\d\d)(\d\d)Z$/u.exec(text);
  return fullWords(time ? `${day}T${time[1]}:${time[2]}:${time[3]}Z` : day);
}
