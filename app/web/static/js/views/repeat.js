/** How a task repeats: presets, any rule of RFC 5545, and always the next five dates and the rule as a sentence. */

import { DAY_CODES, dayOf, fullWords, today, userZone, weekday, weekdayName } from "../core/dates.js";
import { h, put } from "../core/dom.js";
import { language, t } from "../core/messages.js";
import { problemWords } from "../core/problems.js";
import { call, UnreachableError } from "../data/api.js";

/** @import { Context } from "./panel.js" */
/** @import { Recurrence, Task } from "../types" */

const SHOWN_DATES = 5;
const TYPING_MS = 250;

/**
 * A month without that day takes its last one (RFC 7529), as a person means it; a bare RRULE would leave it out.
 * @param {string} day the presets that fit it @returns {[rule: string, words: string][]} */
function presets(day) {
  return [
    ["", t("repeat.none")],
    ["FREQ=DAILY", t("repeat.daily")],
    ["FREQ=WEEKLY;BYDAY=MO,TU,WE,TH,FR", t("repeat.weekdays")],
    [`FREQ=WEEKLY;BYDAY=${DAY_CODES[weekday(day)]}`, t("repeat.weekly", { day: weekdayName(weekday(day)) })],
    ["FREQ=MONTHLY;SKIP=BACKWARD", t("repeat.monthly", { date: Number(day.slice(8)) })],
    ["FREQ=MONTHLY;BYMONTHDAY=-1", t("repeat.lastDay")],
    ["FREQ=YEARLY;SKIP=BACKWARD", t("repeat.yearly")],
    ["custom", t("repeat.custom")],
  ];
}

/**
 * The server says a rule in English; other languages have words of their own for all but the strangest ones.
 * @param {{rule: string, mode: string, missed: string}} recurrence @param {string} english
 */
async function sentenceOf({ rule, mode, missed }, english) {
  if (language !== "de") return english;
  const { ruleWords } = await import("../core/rules-de.js");
  return ruleWords(rule, mode, missed) || english;
}

/** @param {Context} context @returns {(task: Task) => void} */
export function repeatPart({ part, task, save }) {
  const [preset, rule, mode, missed] = [part("preset"), part("rule"), part("mode"), part("missed")];
  let custom = false;
  let drawn = "";
  /** @type {AbortController | undefined} */
  let asking;
  let timer = 0;

  /** @param {string} text */
  const choose = (text) => {
    const recurrence = text ? /** @type {Recurrence} */ ({ rule: text, mode: mode.value, missed: missed.value }) : null;
    save(recurrence && !task().dueDate ? { recurrence, dueDate: today() } : { recurrence });
  };
  preset.onchange = () => {
    custom = preset.value === "custom";
    if (!custom) return choose(preset.value);
    rule.value ||= "FREQ=MONTHLY;BYDAY=2TU";
    draw(task());
    rule.focus();
    later();
  };
  rule.oninput = later;
  rule.onchange = async () => (await preview(rule.value)) && choose(rule.value.trim());
  mode.onchange = missed.onchange = () => task().recurrence && choose(task().recurrence?.rule ?? "");
  part("repeat").addEventListener("toggle", () => part("repeat").open && preview());

  function later() {
    clearTimeout(timer);
    timer = window.setTimeout(() => preview(rule.value), TYPING_MS);
  }

  /** @param {string} [text] @returns {Promise<boolean>} whether the server understands the rule */
  async function preview(text = task().recurrence?.rule ?? "") {
    asking?.abort();
    asking = new AbortController();
    const { dueDate, timeZone } = task();
    if (!text) return false;
    const body = { rule: text, start: dueDate ?? today(), timeZone: timeZone ?? userZone(), mode: mode.value, missed: missed.value, count: SHOWN_DATES };
    try {
      const { ok, data, problem } = await call("POST", "/api/recurrence/preview", { body, signal: asking.signal });
      part("ruleError").textContent = ok ? "" : problemWords(problem);
      if (ok && data) show(await sentenceOf(body, data.text), data.occurrences);
      return ok;
    } catch (error) {
      if (!(error instanceof UnreachableError)) throw error;
      if (!navigator.onLine) part("preview").replaceChildren(h("p", { class: "hint" }, t("repeat.offline")));
      return !navigator.onLine;
    }
  }

  /** @param {string} sentence @param {string[]} dates */
  function show(sentence, dates) {
    put(part("repeatValue"), sentence);
    part("preview").replaceChildren(h("p", { class: "sentence" }, sentence), h("h2", {}, t("repeat.next")),
      h("ol", {}, dates.map((date) => h("li", {}, h("time", { datetime: date }, fullWords(date))))));
  }

  /** @param {Task} now */
  function draw({ recurrence, dueDate, timeZone }) {
    const day = dueDate ? dayOf(dueDate) : today();
    const known = presets(day);
    const current = recurrence?.rule ?? "";
    const found = known.find(([value]) => value === current && !custom);
    const state = JSON.stringify([recurrence, dueDate, timeZone, custom]);
    if (state === drawn) return;
    drawn = state;
    preset.replaceChildren(...known.map(([value, words]) => h("option", { value }, words)));
    preset.value = found ? current : "custom";
    if (document.activeElement !== rule && current) rule.value = current;
    part("ruleField").hidden = Boolean(found);
    part("modes").hidden = !recurrence;
    mode.value = recurrence?.mode ?? "schedule";
    missed.value = recurrence?.missed ?? "skip";
    put(part("repeatValue"), found ? found[1] : current);
    part("preview").hidden = !recurrence && !custom;
    if (recurrence && (!found || part("repeat").open)) void preview();
  }
  return draw;
}
