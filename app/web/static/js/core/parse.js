/**
 * Understands simple words in a new task: "call mum tomorrow at 9 #home !high every week". The words themselves are in
 * `words-en.js`, and in a file like it for each other language, which is tried first where it is spoken.
 */

import { addDays, dueWords, momentOf, today } from "./dates.js";
import { firstDay, real, word } from "./grammar.js";
import { language, t } from "./messages.js";
import { en } from "./words-en.js";

/** @import { Priority, TaskFields } from "../types" */
/** @import { Grammar } from "./grammar.js" */
/** @typedef {{kind: string, text: string, label: string}} Chip one thing understood, and the words that said it */

/** @type {Grammar[]} */
const grammars = language === "de" ? [(await import("./words-de.js")).de, en] : [en];
const never = grammars[0]?.never;

const TAG = /(?<=^|\s)#([\p{L}\p{N}][\p{L}\p{N}_/-]*)/giu;
const ISO = word("(\\d{4}-\\d\\d-\\d\\d)");
/** @type {Record<string, Priority>} */
const PRIORITIES = Object.assign({}, ...grammars.map((each) => each.priorities));
const PRIORITY = word(`!(${Object.keys(PRIORITIES).join("|")})|p([1-4])`);
/** @type {Priority[]} */
const LEVELS = ["urgent", "high", "medium", "low"];

/** @type {Grammar["days"]} */
const DAYS = [[ISO, (m) => real(m[1] ?? "")], ...grammars.flatMap((each) => each.days)];
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
      rest = `${rest.slice(0, match.index)} ${rest.slice(match.index + match[0].length)}`;
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
  const time = first("due", TIMES);
  if (rule && !day) day = firstDay(rule, now);
  if (time && !day) day = Date.parse(momentOf(now, time)) > Date.now() ? now : addDays(now, 1);
  if (day) fields.dueDate = time ? momentOf(day, time) : day;
  fields.title = rest.replace(/\s+/gu, " ").trim();
  return { fields, chips: labelled(chips, fields) };
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
