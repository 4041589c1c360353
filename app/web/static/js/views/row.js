/** One task in a list. A row is built once and refilled only when its task, or what is waiting for it, changed. */

import { dayOf, dueWords, isOverdue, today } from "../core/dates.js";
import { clone, h, icon, put, refill, unseen } from "../core/dom.js";
import { t } from "../core/messages.js";
import { route } from "../core/router.js";
import { marks, opsOf, rowId } from "../data/store.js";
import { toggle } from "./actions.js";
import { isPicked } from "./selection.js";

/** @import { Task } from "../types" */

/** @typedef {{root: HTMLElement, fill: (task: Task) => void}} Row */

/** @type {Map<string, Row>} */
const rows = new Map();

/** @param {Task} task @returns {HTMLElement} */
export function rowFor(task) {
  const key = rowId(task.id);
  let row = rows.get(key);
  if (!row) rows.set(key, (row = build()));
  row.fill(task);
  return row.root;
}

/** @returns {Row} */
function build() {
  const { root, part } = clone("row");
  const [ring, title, meta, box] = [part("ring"), part("title"), part("meta"), part("pick")];
  ring.addEventListener("click", () => toggle(root.dataset.id ?? ""));
  let last = "";
  /** @type {Task | null} */
  let drawn = null;

  /** @param {Task} task */
  const fill = (task) => {
    const waiting = opsOf(task.id);
    const conflict = waiting.some((op) => op.conflict);
    const by = marks.get(task.id) ?? "";
    const picked = isPicked(task.id);
    const open = rowId(route().task ?? "") === rowId(task.id);
    const state = `${waiting.length > 0}${conflict}${picked}${open}${by}${today()}${task.dueDate ? isOverdue(task.dueDate) : ""}`;
    if (task === drawn && state === last) return;
    [drawn, last] = [task, state];
    root.dataset.id = task.id;
    root.dataset.priority = task.priority;
    root.classList.toggle("done", task.completed);
    root.classList.toggle("marked", by !== "");
    root.classList.toggle("picked", picked);
    root.classList.toggle("current", open);
    box.setAttribute("aria-checked", String(picked));
    box.setAttribute("aria-label", t("row.pick", { title: task.title }));
    drawRing(ring, task);
    put(title, task.title);
    title.href = `/task/${task.id}`;
    if (open) title.setAttribute("aria-current", "true");
    else title.removeAttribute("aria-current");
    refill(meta, metaOf(task, by, waiting.length > 0, conflict));
  };
  return { root, fill };
}

/** @param {HTMLElement} ring @param {Task} task */
export function drawRing(ring, task) {
  ring.dataset.priority = task.priority;
  ring.setAttribute("aria-checked", String(task.completed));
  ring.setAttribute("aria-label", t(task.completed ? "row.reopen" : "row.complete", { title: task.title }));
}

/**
 * @param {Task} task
 * @param {string} by who changed it elsewhere just now
 * @param {boolean} unsent
 * @param {boolean} conflict
 */
function metaOf(task, by, unsent, conflict) {
  const marksOf = /** @type {const} */ ([
    [task.recurrence, "repeat", "row.repeats"],
    [task.reminders?.length, "bell", "row.reminds"],
    [task.description, "note", "row.described"],
    [unsent && !conflict, "cloud", "row.unsent"],
  ]);
  const parts = [
    conflict && h("span", { class: "conflict" }, icon("alert"), t("row.conflict")),
    task.dueDate && h("span", { class: dueClass(task) }, dueWords(task.dueDate)),
    ...marksOf.map(([shown, name, words]) => shown && h("span", { class: "mark", title: t(words) }, icon(name), unseen(t(words)))),
    task.priority !== "medium" && unseen(`${t("field.priority")}: ${t(`priority.${task.priority}`)}`),
    ...task.tags.map((tag) => h("a", { class: "tag", href: `/tag/${encodeURIComponent(tag)}` }, `#${tag}`)),
    by && h("span", { class: "by" }, by),
  ];
  return /** @type {HTMLElement[]} */ (parts.filter(Boolean));
}

/** @param {Task} task */
export function dueClass({ completed, dueDate }) {
  if (completed || !dueDate) return "due";
  return isOverdue(dueDate) ? "due overdue" : dayOf(dueDate) === today() ? "due is-today" : "due";
}

/** The row of a task, if one was drawn. @param {string} id */
export const rowRoot = (id) => rows.get(rowId(id))?.root;
