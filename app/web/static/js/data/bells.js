/**
 * Reminders that have fired and that nobody has seen: learned from the event stream, kept over reloads. A task does not
 * say this of itself, since firing is no change of it.
 */

import { keep, read } from "./db.js";
import { enqueue } from "./outbox.js";
import { changed, opsOf, taskOf } from "./store.js";

/** @import { Frame, Reminder } from "../types" */
/** @typedef {Reminder & {taskId: string}} Bell */

/** @type {Map<string, Bell>} by the reminder's id */
let bells = new Map();
let heard = 0;

/** Reads back what rang before. */
export async function recallBells() {
  bells = new Map((await read("kv", "bells")) ?? []);
}

/** Grows whenever something happens to any reminder. */
export const bellsHeard = () => heard;

/** Those that still matter: of open tasks, the latest first. */
export const ringing = () => [...bells.values()].filter((bell) => taskOf(bell.taskId)?.completed === false && !isLeaving(bell)).reverse();

/** Whether it was taken away here, which may still be undone. @param {Bell} bell */
const isLeaving = ({ id, taskId }) => opsOf(taskId).some(({ kind, body }) => kind === "unremind" && body?.id === id);

/** @param {Frame} frame about a reminder */
export function hear({ type, taskId, reminder }) {
  heard += 1;
  if (!reminder || !taskId) return;
  bells.delete(reminder.id);
  if (type === "reminder.fired") bells.set(reminder.id, { ...reminder, taskId });
  store();
}

/** Says that it was seen. @param {string} taskId @param {string} id of the reminder */
export function acknowledge(taskId, id) {
  enqueue("acknowledge", taskId, { id });
  hush(id);
}

/** Lets it ring again. @param {string} taskId @param {string} id of the reminder @param {string} until a moment */
export function snooze(taskId, id, until) {
  enqueue("snooze", taskId, { id, until });
  hush(id);
}

/** @param {string} id */
function hush(id) {
  bells.delete(id);
  store();
}

function store() {
  void keep("bells", [...bells]);
  changed();
}
