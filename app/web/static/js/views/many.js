/** Actions on several tasks, each with one message and one undo. One task is a special case of several. */

import { dayWords, isDay } from "../core/dates.js";
import { t } from "../core/messages.js";
import { enqueue, UNDO_MS, withdraw } from "../data/outbox.js";
import { refresh } from "../data/store.js";
import { change, complete, onDay, reopen } from "./actions.js";
import { toast } from "./toast.js";

/** @import { Priority, Task, TaskFields } from "../types" */
/** @import { Key } from "../core/messages.js" */

/** @param {Task[]} tasks open ones are completed; when there are none, the completed ones are reopened */
export function completeMany(tasks) {
  const open = tasks.filter((task) => !task.completed);
  const [some, doing, undoing] = open.length ? [open, complete, reopen] : [tasks, reopen, complete];
  for (const { id } of some) doing(id);
  say(open.length ? "many.completed" : "many.reopened", some, () => some.forEach(({ id }) => undoing(id)));
}

/** @param {Task[]} tasks they leave at once and are deleted when the toast has gone */
export function removeMany(tasks) {
  const notBefore = Date.now() + UNDO_MS;
  const ops = tasks.map(({ id }) => enqueue("delete", id, undefined, { notBefore }));
  say("many.deleted", tasks, () => ops.forEach((op) => withdraw(op) && refresh(op.id)));
}

/** @param {Task[]} tasks @param {string | null} day a time of day stays */
export const scheduleMany = (tasks, day) =>
  changeMany(tasks, ({ dueDate, timeZone }) => ({ dueDate: day && onDay(dueDate, day, timeZone) }), day ? "many.scheduled" : "many.unscheduled", day ?? "");

/** @param {Task[]} tasks @param {Priority} priority */
export const prioritizeMany = (tasks, priority) =>
  changeMany(tasks, () => ({ priority }), "many.prioritized", t(`priority.${priority}`));

/** @param {Task[]} tasks @param {string} tag */
export const tagMany = (tasks, tag) =>
  changeMany(tasks, ({ tags }) => ({ tags: has(tags, tag) ? tags : [...tags, tag] }), "many.tagged", `#${tag}`);

/** @param {Task[]} tasks @param {string} tag */
export const untagMany = (tasks, tag) =>
  changeMany(tasks, ({ tags }) => ({ tags: tags.filter((own) => !same(own, tag)) }), "many.untagged", `#${tag}`);

/** @param {string[]} tags @param {string} tag */
const has = (tags, tag) => tags.some((own) => same(own, tag));

/** @param {string} a @param {string} b */
const same = (a, b) => a.toLowerCase() === b.toLowerCase();

/**
 * @param {Task[]} tasks
 * @param {(task: Task) => TaskFields} fieldsOf
 * @param {Key} words
 * @param {string} value
 */
function changeMany(tasks, fieldsOf, words, value) {
  const before = tasks.flatMap((task) => {
    const fields = fieldsOf(task);
    const was = Object.fromEntries(Object.keys(fields).map((name) => [name, Reflect.get(task, name)]));
    return JSON.stringify(was) === JSON.stringify(fields) ? [] : [{ id: task.id, fields, was }];
  });
  for (const { id, fields } of before) change(id, fields);
  if (before.length) say(words, tasks, () => before.forEach(({ id, was }) => change(id, was)), value);
}

/**
 * @param {Key} words
 * @param {Task[]} tasks
 * @param {() => void} undo
 * @param {string} [value]
 */
function say(words, tasks, undo, value = "") {
  const title = tasks.length === 1 ? t("many.one", { title: tasks[0]?.title ?? "" }) : t("many.tasks", { n: tasks.length });
  toast(t(words, { title, value: isDay(value) ? dayWords(value) : value }), { undo });
}
