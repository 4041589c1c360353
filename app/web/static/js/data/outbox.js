/**
 * Changes made here: shown at once, kept in IndexedDB, sent in order per task, taken back with a reason when refused.
 * Every window shows all waiting changes of the browser; a lock per change lets only one window send it.
 */

import { call, UnreachableError, uuid } from "./api.js";
import { differing, isPointless, same } from "./comparing.js";
import { readAll, removeOp, writeOp } from "./db.js";
import { madeHere } from "./own.js";
import { lanesOf, OF_REMINDERS, request } from "./requests.js";
import { confirm, confirmedOf, gone, ops, opsOf, refresh, rename, serverId, set, state, taskOf } from "./store.js";

/** @import { Op, OpKind, Problem, Task } from "../types" */
/** @import { Answer } from "./api.js" */

/** How long a deletion, of a task or a reminder, waits so that it can be undone: as long as its toast is shown. */
export const UNDO_MS = 8000;
const FIRST_RETRY_MS = 1000;
const MAX_RETRY_MS = 30_000;
/** Changes of different tasks on their way at once. */
const PARALLEL = 4;

/** What the page does when something happens to a change; set by the views. */
export const hooks = {
  /** @param {Op} _op @param {Problem} _problem @param {string} _title */
  refused(_op, _problem, _title) {},
  /** @param {string} _local @param {string} _real */
  created(_local, _real) {},
};

const windows = "BroadcastChannel" in globalThis ? new BroadcastChannel("rondo") : null;
/** @type {Set<string>} keys on their way */
const sending = new Set();
let retryMs = 0;
let timer = 0;

// Another window made a change, or it is done with one: then every window lets it become the task it turned into.
windows?.addEventListener("message", ({ data: { key, done, task } }) => {
  const op = ops.find((each) => each.key === key);
  if (!key) void reload();
  else if (op && done) settle(op, task);
  else if (op) drop(op);
  else settled.add(key);
  pumpSoon();
});

/** Reads the waiting changes back, after a reload or when another window changed them. */
export async function reload() {
  const kept = new Map((await readAll("ops")).map((op) => [op.key, /** @type {Op} */ (op)]));
  const touched = new Set([...ops, ...kept.values()].map((op) => op.id));
  // What was changed here while they were read is newer than what was read.
  for (const op of ops) if ((kept.get(op.key)?.edition ?? -1) < (op.edition ?? 0)) kept.set(op.key, op);
  const waiting = [...kept.values()].filter((op) => !settled.has(op.key)).sort((a, b) => a.at - b.at);
  for (const op of waiting) op.id = serverId(op.id);
  ops.splice(0, ops.length, ...waiting);
  for (const id of [...touched].flatMap((each) => [each, serverId(each)])) refresh(id);
  pump();
}

/** @type {Set<string>} keys that are done; a slow read of IndexedDB must not bring them back */
const settled = new Set();

/**
 * @param {OpKind} kind
 * @param {string} id
 * @param {Record<string, any>} [body]
 * @param {Partial<Op>} [extra]
 * @returns {Op}
 */
export function enqueue(kind, id, body, extra = {}) {
  const real = serverId(id);
  const last = opsOf(real).at(-1);
  /** @type {Op} */
  const op = { key: uuid(), kind, id: real, at: Math.max(Date.now(), (ops.at(-1)?.at ?? 0) + 1), body, ...extra };
  if (kind === "patch" && last && last.kind === "patch" && !sending.has(last.key) && !last.conflict) {
    last.body = { ...last.body, ...body };
    last.before = { ...op.before, ...last.before };
    last.edition = (last.edition ?? 0) + 1;
    store(last);
    return last;
  }
  madeHere(op.key);
  ops.push(op);
  store(op);
  return op;
}

/** @param {Op} op */
function store(op) {
  refresh(op.id);
  const batch = writeOp(op);
  if (batch !== written) void batch.then(() => windows?.postMessage({}));
  written = batch;
  pumpSoon();
}

/** @type {Promise<unknown> | undefined} of the changes made last: other windows are told once of all of them */
let written;
let pumping = false;

/** Once for all changes that are made together: each look goes through everything that waits. */
function pumpSoon() {
  if (pumping) return;
  pumping = true;
  queueMicrotask(() => {
    pumping = false;
    pump();
  });
}

/** Takes a change back that has not been sent. @param {Op} op @returns {boolean} whether it was still here */
export function withdraw(op) {
  if (sending.has(op.key) || !ops.includes(op)) return false;
  drop(op);
  pumpSoon();
  return true;
}

/** @param {Op} op @param {boolean} [done] it became this task @param {Task | null} [task] */
function drop(op, done = false, task = null) {
  const index = ops.findIndex((each) => each.key === op.key);
  if (index >= 0) ops.splice(index, 1);
  settled.add(op.key);
  refresh(op.id);
  void removeOp(op.key).then(() => windows?.postMessage({ key: op.key, done, task }));
}

/**
 * The live event of a change may come before its answer, and reaches other windows as well: it settles the change.
 * @param {string} key
 * @param {Task} task
 */
export function arrived(key, task) {
  const op = ops.find((each) => each.key === key);
  if (op) settle(op, task);
  settled.add(key);
}

/** @param {Op} op @param {Task | null | undefined} task */
function settle(op, task) {
  if (settled.has(op.key)) return confirm(task);
  const before = op.version;
  drop(op, true, task);
  if (op.kind === "create" && task) {
    const local = op.id;
    rename(local, task.id);
    for (const waiting of opsOf(task.id)) void writeOp(waiting);
    hooks.created(local, task.id);
  }
  for (const next of opsOf(op.id)) if (task && next.version === before) next.version = task.version;
  if (op.kind !== "delete") return confirm(task);
  for (const rest of opsOf(op.id)) drop(rest);
  gone(op.id);
}

/** Sends what may be sent now; called whenever that may have changed. */
export function pump() {
  clearTimeout(timer);
  if (state.expired || !state.user || retryMs < 0) return;
  const busy = new Set(ops.filter((op) => sending.has(op.key)).flatMap(lanesOf));
  let soonest = Infinity;
  for (const op of ops.filter((each) => !isPointless(each))) {
    // Each that ends looks again.
    if (sending.size >= PARALLEL) break;
    const waits = lanesOf(op).some((lane) => busy.has(lane));
    for (const lane of lanesOf(op)) busy.add(lane);
    if (waits) continue;
    if (op.conflict || (state.connection === "offline" && !navigator.onLine)) continue;
    const wait = (op.notBefore ?? 0) - Date.now();
    if (wait > 0) soonest = Math.min(soonest, wait);
    else void send(op);
  }
  if (soonest < Infinity) timer = window.setTimeout(pump, soonest);
}

/** Tries again now, after the connection came back. */
export function resend() {
  retryMs = 0;
  pump();
}

/** @param {Op} op */
async function send(op) {
  sending.add(op.key);
  let next = false;
  try {
    next = await locked(op.key, () => attempt(op));
  } catch (error) {
    if (!(error instanceof UnreachableError)) throw error;
    pause();
  } finally {
    sending.delete(op.key);
  }
  if (next) pump();
}

/**
 * @param {string} key
 * @param {() => Promise<boolean>} work
 * @returns {Promise<boolean>}
 */
async function locked(key, work) {
  if (!navigator.locks) return work();
  return navigator.locks.request(`rondo-${key}`, { ifAvailable: true }, (lock) => (lock ? work() : Promise.resolve(false)));
}

/** @param {number} [seconds] as the server asked */
function pause(seconds) {
  const wait = seconds ? seconds * 1000 : Math.min(retryMs > 0 ? retryMs * 2 : FIRST_RETRY_MS, MAX_RETRY_MS);
  retryMs = -1;
  setTimeout(() => {
    retryMs = wait;
    pump();
  }, wait);
}

/** @param {Op} op @returns {Promise<boolean>} whether the next may go */
async function attempt(op) {
  const answer = await request(op);
  const { status } = answer;
  if (settled.has(op.key)) return true;
  set({ degraded: status === 503, expired: state.expired || status === 401 });
  if (status === 401) return false;
  if (status === 429 || status >= 500) {
    pause(answer.problem.retryAfter);
    return false;
  }
  retryMs = 0;
  if (answer.ok) await accept(op, answer);
  else if (status === 412) await compare(op);
  else if (status === 404 && (op.kind === "delete" || OF_REMINDERS.has(op.kind))) settle(op, null);
  else if (status === 409) await reread(op);
  else refuse(op, answer.problem);
  return true;
}

/** @param {Op} op @param {Answer} answer */
async function accept(op, { data }) {
  if (op.kind === "remind" || OF_REMINDERS.has(op.kind)) return reread(op);
  if (data?.next) confirm(data.next);
  settle(op, data?.task ?? data);
}

/** Reads the task anew and settles the change: what it wanted is so already. @param {Op} op */
async function reread(op) {
  const answer = await call("GET", `/api/tasks/${op.id}`);
  settle(op, answer.ok ? answer.data : null);
}

/** @param {Op} op @param {Problem} problem */
function refuse(op, problem) {
  const title = taskOf(op.id)?.title ?? String(op.body?.title ?? "");
  drop(op);
  if (problem.status === 404) gone(op.id);
  hooks.refused(op, problem, title);
}

/**
 * The task changed meanwhile. Different fields do not contradict each other; the same field with two values is
 * shown to the user, who decides.
 * @param {Op} op
 */
async function compare(op) {
  const answer = await call("GET", `/api/tasks/${op.id}`);
  if (!answer.ok) return refuse(op, answer.problem);
  const theirs = /** @type {Task} */ (answer.data);
  confirm(theirs);
  const fields = Object.keys(op.body ?? {});
  const clashing = differing(op, theirs).filter((name) => !same(op.before?.[name], Reflect.get(theirs, name)));
  if (fields.every((name) => same(op.body?.[name], Reflect.get(theirs, name)))) return settle(op, theirs);
  op.version = theirs.version;
  if (clashing.length) op.conflict = theirs;
  void writeOp(op);
  refresh(op.id);
}

/** Ends a conflict. @param {Op} op @param {string[]} mine fields to send all the same */
export function decide(op, mine) {
  const body = Object.fromEntries(mine.map((name) => [name, op.body?.[name]]));
  const version = confirmedOf(op.id)?.version ?? op.version;
  drop(op);
  if (mine.length) enqueue("patch", op.id, body, { version, before: { ...confirmedOf(op.id) } });
  pump();
}

/** Sends held deletions now, because the page goes away; they stay kept until an answer is known. */
export function flushHeld() {
  for (const op of ops) {
    if (!op.notBefore) continue;
    op.notBefore = 0;
    void writeOp(op);
    request(op, true).catch(() => undefined);
  }
}
