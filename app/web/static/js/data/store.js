/**
 * The one store: tasks as the server confirmed them, the changes that wait on top, and what the page shows of both.
 * Views read it and are told when it changed; they never keep a task of their own.
 */

import { writeTasks } from "./db.js";

/** @import { Connection, Op, Task, User } from "../types" */

/** How long confirmed tasks gather before they are written to IndexedDB. */
const WRITE_AFTER_MS = 200;
/** How long a highlight stays on a row that was changed elsewhere. */
const MARK_MS = 6000;

/**
 * @typedef {{user: User | null, connection: Connection, loaded: boolean, failed: boolean, degraded: boolean, away: boolean,
 *   expired: boolean, position: number}} State
 * @type {State}
 */
export const state = {
  user: null,
  connection: "connecting",
  loaded: false,
  failed: false,
  degraded: false,
  away: false,
  expired: false,
  position: 0,
};

/** @type {Map<string, Task>} what the server said */
const confirmed = new Map();
/** @type {Map<string, Task>} what is shown: confirmed with the waiting changes applied */
const shown = new Map();
/** @type {Op[]} waiting changes, oldest first */
export const ops = [];
/** @type {Map<string, string>} who changed a task elsewhere a moment ago */
export const marks = new Map();
/** @type {Set<string>} completed a moment ago: they stay in place until their moment is over */
export const lingering = new Set();
/** @type {Map<string, string>} server id → the id a task was first shown under, so that its row stays the same */
const firstIds = new Map();
/** @type {Map<string, Task | undefined>} confirmed but not yet in IndexedDB */
const unwritten = new Map();

/** @type {Set<string>} */
const deleted = new Set();

/** @type {Set<() => void>} */
const listeners = new Set();
let scheduled = false;
let writing = 0;
/** @type {Task[] | null} */
let sorted = null;

/** @param {() => void} listener called once per frame at most, after something changed */
export function subscribe(listener) {
  listeners.add(listener);
}

/** Tells the views, in the next frame; hidden pages draw no frames, so they are told by a timer. */
export function changed() {
  if (scheduled) return;
  scheduled = true;
  const run = () => {
    scheduled = false;
    for (const listener of listeners) listener();
  };
  if (document.hidden) setTimeout(run, 50);
  else requestAnimationFrame(run);
}

/** @param {Partial<State>} values */
export function set(values) {
  Object.assign(state, values);
  changed();
}

/**
 * What the server has not made yet (version 0) is the newest, whatever the clocks of the two say: it must not jump when
 * its answer comes. Ids made in the same moment decide.
 * @param {Task} a @param {Task} b
 */
export function newestFirst(a, b) {
  if ((a.version === 0) !== (b.version === 0)) return a.version === 0 ? -1 : 1;
  return a.createdAt === b.createdAt ? (a.id < b.id ? 1 : -1) : a.createdAt < b.createdAt ? 1 : -1;
}

/** All tasks as shown, newest first; completed ones too. */
export function allTasks() {
  sorted ??= [...shown.values()].sort(newestFirst);
  return sorted;
}

/** @param {string} id */
export const taskOf = (id) => shown.get(id) ?? shown.get(serverId(id));

/** @param {string} id */
export const confirmedOf = (id) => confirmed.get(id);

/** @param {string} id what the row of a task is known by, for as long as the page lives */
export const rowId = (id) => firstIds.get(id) ?? id;

/** @param {string} id the id the server knows, for one given here */
export function serverId(id) {
  for (const [real, first] of firstIds) if (first === id) return real;
  return id;
}

/** @param {string} id */
export const opsOf = (id) => ops.filter((op) => op.id === id);

/** @param {string} id shows the task anew from what is confirmed and what waits */
export function refresh(id) {
  let task = confirmed.get(id);
  for (const op of opsOf(id)) task = applied(op, task);
  if (task) shown.set(id, task);
  else shown.delete(id);
  sorted = null;
  changed();
}

/**
 * @param {Op} op
 * @param {Task | undefined} task
 * @returns {Task | undefined}
 */
function applied(op, task) {
  if (op.kind === "create") return { ...blank(op), ...op.body };
  if (!task || op.kind === "delete") return undefined;
  if (op.kind === "patch") return { ...task, ...op.body };
  if (op.kind === "complete") return { ...task, completed: true, completedAt: new Date(op.at).toISOString() };
  if (op.kind === "reopen") return { ...task, completed: false, completedAt: null };
  // Whether a reminder was seen is nothing that the task says.
  if (op.kind === "acknowledge" || op.kind === "snooze") return task;
  if (op.kind === "unremind") return { ...task, reminders: task.reminders.filter((each) => each.id !== op.body?.id) };
  const reminder = { id: op.key, remindAt: null, before: null, channels: [], state: "pending", ...op.body };
  return { ...task, reminders: [...(task.reminders ?? []), reminder] };
}

/** @param {Op} op @returns {Task} */
function blank(op) {
  const at = new Date(op.at).toISOString();
  return {
    id: op.id, title: "", description: "", completed: false, completedAt: null, priority: "medium", tags: [],
    dueDate: null, timeZone: null, recurrence: null, reminders: [], version: 0, createdAt: at, updatedAt: at,
  };
}

/**
 * Takes what the server said; an older version than the known one is ignored, so order does not matter.
 * @param {Task | null | undefined} task
 * @param {boolean} [live] from the event stream; an answer that was overtaken by a deletion brings nothing back
 */
export function confirm(task, live = false) {
  if (!task || (confirmed.get(task.id)?.version ?? 0) > task.version || (deleted.has(task.id) && !live)) return;
  deleted.delete(task.id);
  confirmed.set(task.id, task);
  later(task.id, task);
  refresh(task.id);
}

/** @param {string} id */
export function gone(id) {
  deleted.add(id);
  confirmed.delete(id);
  later(id, undefined);
  refresh(id);
}

/** @param {string} local @param {string} real */
export function rename(local, real) {
  firstIds.set(real, local);
  for (const op of opsOf(local)) op.id = real;
  shown.delete(local);
  refresh(real);
}

/** @param {Iterable<Task>} tasks read back from IndexedDB: known already, need no writing */
export function recall(tasks) {
  for (const task of tasks) {
    confirmed.set(task.id, task);
    refresh(task.id);
  }
}

/** Ids of what the server has confirmed so far. */
export const confirmedIds = () => [...confirmed.keys()];

/** @param {Iterable<string>} ids known before a full load @param {Set<string>} seen in it: what it did not name is gone */
export function retain(ids, seen) {
  for (const id of ids) if (!seen.has(id)) gone(id);
}

/** @param {string} id @param {string} words */
export function mark(id, words) {
  marks.set(id, words);
  setTimeout(() => {
    marks.delete(id);
    changed();
  }, MARK_MS);
  changed();
}

/** @param {string} id @param {Task | undefined} task */
function later(id, task) {
  unwritten.set(id, task);
  writing ||= window.setTimeout(flush, WRITE_AFTER_MS);
}

/** Writes what is confirmed, and the position, to IndexedDB. */
export async function flush() {
  clearTimeout(writing);
  writing = 0;
  const batch = [...unwritten];
  unwritten.clear();
  await writeTasks(batch, state.position);
}
