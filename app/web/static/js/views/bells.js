/** Reminders that rang, above the list until they are seen or put off. */

import { $, h, icon, reconcile } from "../core/dom.js";
import { dueWords } from "../core/dates.js";
import { t } from "../core/messages.js";
import { SNOOZES } from "../core/snoozing.js";
import { acknowledge, ringing, snooze } from "../data/bells.js";
import { rowId, taskOf } from "../data/store.js";

/** @import { Bell } from "../data/bells.js" */

/** @type {Map<string, HTMLElement>} */
const items = new Map();

export function drawBells() {
  const bells = ringing();
  for (const id of items.keys()) if (!bells.some((bell) => bell.id === id)) items.delete(id);
  const box = $("#bells");
  const focused = box.contains(document.activeElement);
  reconcile($("ul", box), bells.map(item));
  box.hidden = bells.length === 0;
  if (focused && !box.contains(document.activeElement)) ($("#bells a") ?? $("#heading")).focus();
}

/** @param {Bell} bell */
function item(bell) {
  const task = taskOf(bell.taskId);
  const title = task?.title ?? "";
  const words = title + (task?.dueDate ?? "");
  let element = items.get(bell.id);
  if (element?.dataset.words === words) return element;
  const { id, taskId } = bell;
  element = h("li", { class: "bell", "data-words": words }, icon("bell"),
    h("p", {}, h("a", { href: `/task/${rowId(taskId)}` }, title), task?.dueDate && h("small", {}, ` ${dueWords(task.dueDate)}`)),
    h("div", { class: "choices" }, answers(title, () => acknowledge(taskId, id), (until) => snooze(taskId, id, until))));
  items.set(id, element);
  return element;
}

/**
 * What one says to a reminder.
 * @param {string} title
 * @param {() => void} seen
 * @param {(until: string) => void} later
 */
export function answers(title, seen, later) {
  const put = SNOOZES.map(([words, until]) =>
    h("button", { type: "button", class: "choice-button", "aria-label": t("bell.snooze", { title, when: t(words) }), onclick: () => later(until()) }, t(words)));
  return [h("button", { type: "button", class: "choice-button strong", "aria-label": t("bell.seenLabel", { title }), onclick: seen }, icon("check"), t("bell.seen")), ...put];
}
