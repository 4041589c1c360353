/** When a task is due: words first, then a date, a time and a zone. */

import { dueWords, isDay, momentOf, splitDue, timeWords, today, userZone } from "../core/dates.js";
import { h, put } from "../core/dom.js";
import { t } from "../core/messages.js";
import { NEAR_DAYS } from "../core/neardays.js";
import { onDay } from "./actions.js";
import { dueClass } from "./row.js";

/** @import { Context } from "./panel.js" */
/** @import { Task } from "../types" */
/** @import { Key } from "../core/messages.js" */

/** What is no year that somebody means: while one types 2026, it is the year 2. */
const MEANT = /^(?:19|[2-9]\d)\d\d-/u;

/** @param {Context} context @returns {{draw: (task: Task) => void, flush: () => void}} */
export function duePart({ part, task, save }) {
  const [date, time, zone] = /** @type {const} */ ([part("date"), part("time"), part("zone")]);
  const inputs = /** @type {HTMLInputElement[]} */ ([date, time, zone]);
  const [refuseDate, refuseZone] = [refusal(date, ".pair"), refusal(zone, ".field")];
  /** @type {Map<HTMLInputElement, string | undefined>} what was last drawn or saved; anything else was written by hand */
  const known = new Map();
  /** @param {string | null} name */
  const choose = (name) => {
    const { dueDate, timeZone } = task();
    refuseDate("");
    save({ dueDate: name && onDay(dueDate, name, timeZone) });
  };
  part("dueWords").append(
    ...NEAR_DAYS.map(([key, day]) => h("button", { type: "button", class: "choice-button", onclick: () => choose(day()) }, t(key))),
    h("button", { type: "button", class: "choice-button", onclick: () => choose(null) }, t("due.none")),
  );
  /** Saves what was written by hand and is whole. What is refused stays to be seen, and the task keeps what it has. */
  const flush = () => {
    if (inputs.some(({ validity }) => validity.badInput) || inputs.every((input) => input.value === known.get(input))) return;
    refuseDate(date.value && !MEANT.test(date.value) ? "refusal.out_of_range" : "");
    refuseZone(zone.value && !isZone(zone.value) ? "refusal.unknown_time_zone" : "");
    const saved = fieldsOf(task());
    const [day, clock, timeZone] = inputs.map((input, index) => (refused(input) ? saved[index] : input.value));
    for (const input of inputs) if (!refused(input)) known.set(input, input.value);
    if (String([day, clock, timeZone]) === String(saved)) return;
    const on = day || (clock && !saved[0] && today());
    // A time without a day is none: otherwise leaving it next would make it today's.
    if (!on) time.value = "";
    save({ dueDate: on ? (clock ? momentOf(on, clock, timeZone || undefined) : on) : null, timeZone: timeZone || null });
  };
  /** @param {Task} now what is being typed is not overwritten */
  const show = (now) => fieldsOf(now).forEach((value, index) => {
    const input = /** @type {HTMLInputElement} */ (inputs[index]);
    if (document.activeElement === input || refused(input)) return;
    known.set(input, value);
    if (input.value !== value || input.validity.badInput) input.value = value;
  });
  for (const input of inputs) {
    // A day that was picked with a mouse is meant, and a zone that was written; a date that is being typed, when it is left.
    let typing = false;
    input.addEventListener("keydown", ({ key }) => {
      typing = true;
      if (key === "Enter") flush();
    });
    input.addEventListener("change", () => (typing && input !== zone) || flush());
    input.addEventListener("blur", () => {
      typing = false;
      flush();
      show(task());
    });
  }
  zone.placeholder = t("due.floating", { zone: userZone() });
  zone.addEventListener("focus", () => part("due").querySelector("datalist").replaceChildren(...Intl.supportedValuesOf("timeZone").map((value) => h("option", { value }))), { once: true });

  /** @param {Task} now */
  const draw = (now) => {
    const { dueDate, timeZone } = now;
    show(now);
    const elsewhere = dueDate && !isDay(dueDate) && timeZone && timeZone !== userZone();
    const there = elsewhere ? ` (${t("due.in", { when: timeWords(dueDate, timeZone), zone: timeZone.replace("_", " ") })})` : "";
    put(part("dueValue"), dueDate ? dueWords(dueDate) + there : t("due.none"));
    part("dueValue").className = `value ${dueDate ? dueClass(now) : ""}`;
  };
  return { draw, flush };
}

/** Day, time and zone as they stand in the fields. @param {Task} task */
const fieldsOf = ({ dueDate, timeZone }) => [...(dueDate ? splitDue(dueDate, timeZone ?? undefined) : ["", ""]), timeZone ?? ""];

/** @param {HTMLInputElement} input */
const refused = (input) => input.hasAttribute("aria-invalid");

/**
 * Says at a field what is wrong with it.
 * @param {HTMLInputElement} input
 * @param {string} above what the words stand below
 */
export function refusal(input, above) {
  const error = h("p", { class: "error", id: `due-${input.dataset.part}-error` });
  input.closest(above)?.after(error);
  input.setAttribute("aria-describedby", error.id);
  return (/** @type {Key | ""} */ words) => {
    put(error, words && t(words));
    if (words) input.setAttribute("aria-invalid", "true");
    else input.removeAttribute("aria-invalid");
  };
}

/** Browsers know more names than they list: Asia/Kolkata is one of them. @param {string} timeZone */
function isZone(timeZone) {
  try {
    new Intl.DateTimeFormat("en", { timeZone });
    return !/^[+-]/u.test(timeZone);
  } catch {
    return false;
  }
}
