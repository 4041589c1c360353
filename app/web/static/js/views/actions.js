/** What a person can do to tasks: each is shown at once, can be undone, and is sent by the outbox. */

import { fullWords, isDay, momentOf, splitDue, today } from "../core/dates.js";
import { t, tOr } from "../core/messages.js";
import { keep } from "../data/db.js";
import { enqueue, hooks, UNDO_MS, withdraw } from "../data/outbox.js";
import { changed, confirmedOf, lingering, ops, refresh, serverId, taskOf } from "../data/store.js";
import { toast } from "./toast.js";

/** @import { Task, TaskFields } from "../types" */

/** How long the ring fills and the line draws through before the row leaves. */
const MOMENT_MS = 650;

hooks.refused = async (op, problem, title) => {
  const { problemWords } = await import("../core/problems.js");
  if (problem.status === 404) toast(t("toast.gone", { title }), { tone: "error" });
  else toast(t("toast.refused", { title, reason: problemWords(problem) }), { tone: "error" });
  if (op.kind === "create") void keep("draft", title);
};

/** @param {TaskFields & {title: string}} fields @returns {string} id until the server gives one */
export function add(fields) {
  return enqueue("create", `local-${Date.now()}-${Math.random()}`, fields).id;
}

/**
 * @param {string} id
 * @param {TaskFields} fields
 * @param {Task} [base] the task as it was when the change was begun
 */
export function change(id, fields, base = taskOf(id)) {
  if (!base) return;
  const known = confirmedOf(serverId(id));
  const before = pick(base, Object.keys(fields));
  // What else changed since the change was begun does not matter; whether these fields did, does.
  const untouched = known && JSON.stringify(pick(known, Object.keys(fields))) === JSON.stringify(before);
  enqueue("patch", id, fields, { version: untouched ? known.version : base.version, before });
}

/** @param {Task} task @param {string[]} names @returns {TaskFields} */
const pick = (task, names) => Object.fromEntries(names.map((name) => [name, Reflect.get(task, name)]));

/** @param {string} id completes an open task and reopens a completed one, with a way back */
export function toggle(id) {
  const task = taskOf(id);
  if (!task) return;
  const { title } = task;
  if (task.completed) reopen(id);
  else complete(id);
  toast(t(task.completed ? "toast.reopened" : "toast.completed", { title }), {
    undo: () => (task.completed ? complete(id) : reopen(id)),
  });
}

/** @param {string} id without a word or a way back */
export function complete(id) {
  const real = serverId(id);
  lingering.add(real);
  setTimeout(() => {
    lingering.delete(real);
    changed();
  }, MOMENT_MS);
  opposite(real, "reopen", "complete");
}

/** @param {string} id */
export function reopen(id) {
  lingering.delete(serverId(id));
  opposite(serverId(id), "complete", "reopen");
}

/**
 * @param {string} id
 * @param {"complete" | "reopen"} waiting if this has not been sent, it is taken back instead
 * @param {"complete" | "reopen"} kind
 */
function opposite(id, waiting, kind) {
  const unsent = ops.findLast((op) => op.id === id && op.kind === waiting);
  if (!unsent || !withdraw(unsent)) enqueue(kind, id);
}

/** @param {string} id it leaves at once and is deleted when the toast has gone */
export function remove(id) {
  const task = taskOf(id);
  if (!task) return;
  const op = enqueue("delete", id, undefined, { notBefore: Date.now() + UNDO_MS });
  const { title } = task;
  toast(t("toast.deleted", { title }), { undo: () => void (withdraw(op) && refresh(op.id)) });
}

/** @param {Task[]} tasks keeps the time of day where there is one */
export function moveToToday(tasks) {
  const before = tasks.map(({ id, dueDate }) => ({ id, dueDate }));
  for (const { id, dueDate, timeZone } of tasks) change(id, { dueDate: onDay(dueDate, today(), timeZone) });
  toast(t("list.moved", { n: tasks.length }), {
    undo: () => before.forEach(({ id, dueDate }) => change(id, { dueDate })),
  });
}

/**
 * @param {string | null} due
 * @param {string} day
 * @param {string | null} zone
 */
export function onDay(due, day, zone) {
  if (!due || isDay(due)) return day;
  return momentOf(day, splitDue(due, zone ?? undefined)[1], zone ?? undefined);
}

/** @param {string} name of a field @param {unknown} value @returns {string} in words, for histories and conflicts */
export function valueWords(name, value) {
  if (value === null || value === undefined || value === "") return t("history.nothing");
  if (typeof value === "boolean") return t(value ? "history.yes" : "history.no");
  if (typeof value === "string" && /^\d{4}-\d\d-\d\d(T|$)/u.test(value)) return fullWords(value);
  if (name === "priority") return tOr("priority.", String(value));
  if (Array.isArray(value)) return value.map((each) => (typeof each === "object" ? reminderWords(each) : each)).join(", ") || t("history.nothing");
  if (typeof value === "object") return String(Reflect.get(value, "rule") ?? JSON.stringify(value));
  return String(value);
}

/** @param {{remindAt?: string | null, before?: string | null}} reminder */
const reminderWords = (reminder) => reminder.before ? tOr("remind.", reminder.before) : fullWords(reminder.remindAt ?? "");
