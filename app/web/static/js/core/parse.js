/**
 * Understands simple words in a new task: "call mum tomorrow at 9 #home !high every week". The words themselves are in
 * `words-en.js`, and in a file like it for each other language, which is tried first where it is spoken.
 */

import { addDays, dueWords, momentOf, today } from "./dates.js";
import { clock, firstDay, word } from "./grammar.js";
import { language, t } from "./messages.js";
import { en } from "./words-en.js";

/** @import { Priority, TaskFields } from "../types" */
/** @import { Grammar } from "./grammar.js" */
/** @typedef {{kind: string, text: string, label: string}} Chip one thing understood, and the words that said it */

/** @type {Grammar[]} */
const grammars = language === "de" ? [(await import("./words-de.js")).de, en] : [en];
const never = grammars[0]?.never;

const TAG = /(?<=^|\s)#([\p{L}\p{N}][\p{L}\p{N}_/-]*)/giu;
/** @type {Record<string, Priority>} */
const PRIORITIES = Object.assign({}, ...grammars.map((each) => each.priorities));
const PRIORITY = word(`!(${Object.keys(PRIORITIES).join("|")})|p([1-4])`);
/** @type {Priority[]} */
const LEVELS = ["urgent", "high", "medium", "low"];

const DAYS = grammars.flatMap((each) => each.days);
const EVERY = grammars.flatMap((each) => each.every);
const TIMES = grammars.flatMap((each) => each.times);

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

  /** @param {RegExp} pattern @param {string} kind @param {(m: string[], now: string) => string} read what it means, or empty */
  const take = (pattern, kind, read) => {
    for (const match of rest.matchAll(pattern)) {
      const plain = dismissed.has(match[0].toLowerCase()) || never?.test(match[0]);
      const found = plain ? "" : read(match, now);
      if (!found) continue;
      rest = joined(rest.slice(0, match.index), rest.slice(match.index + match[0].length));
      chips.push({ kind, text: match[0], label: found });
      return found;
    }
    return "";
  };
  /** @param {string} kind @param {[RegExp, (m: string[], now: string) => string][]} patterns @returns {string} what the first one that fits means */
  const first = (kind, patterns) => {
    let found = "";
    for (const [pattern, read] of patterns) found ||= take(pattern, kind, read);
    return found;
  };

  /** @type {string[]} */
  const tags = [];
  for (let tag; (tag = take(TAG, "tag", (m) => m[1] ?? "")); ) tags.push(tag);
  if (tags.length) fields.tags = tags;
  const level = take(PRIORITY, "priority", (m) => PRIORITIES[m[1]?.toLowerCase() ?? ""] ?? LEVELS[Number(m[2]) - 1] ?? "");
  if (level) fields.priority = /** @type {Priority} */ (level);
  const rule = first("repeat", EVERY);
  if (rule) fields.recurrence = { rule, mode: "schedule", missed: "skip" };
  let day = first("due", DAYS);
  const [time, later] = halfDay(first("due", TIMES), chips);
  const past = (/** @type {string} */ each) => time && Date.parse(momentOf(each, time)) <= Date.now();
  // Nothing begins overdue.
  if (rule && !day) day = [firstDay(rule, now)].find((each) => !past(each)) ?? firstDay(rule, addDays(now, 1));
  else if (later && !rule) day = addDays(day || now, 1);
  else if (time && !day) day = past(now) ? addDays(now, 1) : now;
  if (day) fields.dueDate = time ? momentOf(day, time) : day;
  fields.title = rest.replace(/\s+/gu, " ").trim();
  return { fields, chips: labelled(chips, fields) };
}

/** What is left around words that were understood, with what stood between them and the rest. @param {string} before @param {string} after */
function joined(before, after) {
  if (!before.trim()) return after.replace(/^[\s,.:;]+(?=\s)/u, "");
  if (!after.trim()) return before.replace(/[\s,:;]+$/u, "");
  return /^[,.:;!?]/u.test(after) ? before.trimEnd() + after : `${before} ${after}`;
}

/**
 * "Tonight at 8" is 20:00, "tonight at 1" is tomorrow.
 * @param {string} time @param {Chip[]} chips @returns {[time: string, later: boolean]}
 */
function halfDay(time, chips) {
  const said = chips.filter((each) => each.kind === "due" || each.kind === "repeat").map((each) => each.text).join(" ");
  const hour = Number(time.slice(0, 2));
  if (!time || hour > 12) return [time, false];
  if ((hour < 4 || hour === 12) && grammars.some((each) => each.night.test(said))) return [clock(hour % 12, time.slice(3)), true];
  return [hour < 12 && grammars.some((each) => each.late.test(said)) ? clock(hour + 12, time.slice(3)) : time, false];
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
