/**
 * Keeps the store equal to the server: what this browser remembers first, then exactly the events since, or, when
 * those are too far back, everything anew.
 */

import { useWeekStart, useZone } from "../core/dates.js";
import { t } from "../core/messages.js";
import { call, UnreachableError } from "./api.js";
import { hear, recallBells } from "./bells.js";
import { forget, keep, read, readAll } from "./db.js";
import { Live } from "./live.js";
import * as outbox from "./outbox.js";
import { isOwn } from "./own.js";
import { confirm, confirmedIds, flush, gone, mark, recall, retain, set, state } from "./store.js";

/** @import { Frame, Task, User } from "../types" */

const PAGE = 200;
/** Without a WebSocket (a proxy may refuse it) the list is read all the same after this long. */
const HELLO_WITHIN_MS = 1500;

/** A connection that is lost for less than this is nothing to talk about. */
const AWAY_AFTER_MS = 3000;

const SIGNED_OUT = 4401;

/** How often another window has said that it began a new session for the whole browser. */
let renewals = 0;
/** Windows tell each other when the browser has got a new session. */
const windows = "BroadcastChannel" in globalThis ? new BroadcastChannel("rondo-session") : null;

/** @type {Live | null} */
let live = null;
let awayTimer = 0;
/** @type {Set<string> | null} ids seen while everything is read, by page or by event */
let loading = null;
/** Position of the newest event when the connection was made. */
let newest = 0;

/**
 * Starts with a known person, or finds that there is none.
 * @param {boolean} [ask] the server about someone whom this browser does not remember
 * @returns {Promise<boolean>} whether someone is signed in
 */
export async function start(ask = true) {
  const known = await remembered();
  if (known) connect();
  else if (!ask) return false;
  // Nothing is remembered: the first tasks are asked for at once, and shown before everything is read in order.
  const first = known ? null : reach("/api/tasks?completed=false&limit=60");
  const answer = await reach("/api/me");
  if (answer?.status === 401) return false;
  if (!answer?.ok) return away(known);
  const early = await first;
  await signedIn(answer.data);
  if (early?.ok && !state.loaded) for (const task of early.data.items) confirm(task);
  return true;
}

/** @param {string} path @returns {Promise<import("./api.js").Answer | null>} nothing when nobody answers */
const reach = (path) => call("GET", path).catch((error) => {
  if (error instanceof UnreachableError) return null;
  throw error;
});

/** @returns {Promise<boolean>} whether this browser knew someone and shows their tasks */
async function remembered() {
  const [user, position, tasks] = await Promise.all([read("kv", "user"), read("kv", "position"), readAll("tasks")]);
  if (!user) return false;
  welcome(user);
  recall(tasks);
  await Promise.all([outbox.reload(), recallBells()]);
  set({ position: position ?? 0, loaded: position !== undefined });
  return true;
}

/** @param {boolean} known */
function away(known) {
  set({ connection: navigator.onLine ? "reconnecting" : "offline", failed: !known });
  return known;
}

/** @param {User} user */
function welcome(user) {
  useZone(user.timeZone);
  useWeekStart(user.weekStart);
  set({ user, expired: false, failed: false });
}

/** @param {User} user as the server knows them; another one's tasks are forgotten first */
export async function signedIn(user) {
  if (state.user && state.user.id !== user.id) {
    await forget();
    location.reload();
    await keep("user", user);
    return;
  }
  welcome(user);
  await keep("user", user);
  connect();
  outbox.resend();
}

export async function signOut() {
  live?.stop();
  await call("POST", "/api/auth/logout").catch(() => undefined);
  await forget();
  location.assign("/sign-in");
}

function connect() {
  if (live) return live.open(true);
  const own = new Live({ frame: receive, status, lost: (code) => void (own === live && lost(code)), since: () => (state.loaded ? state.position : null) });
  live = own;
  own.open();
  if (!state.loaded) setTimeout(() => state.loaded || loading || void load(0), HELLO_WITHIN_MS);
}

/** @param {import("../types").Connection} connection */
function status(connection) {
  set(connection === "live" ? { connection, away: false } : { connection });
  if (connection === "live") {
    clearTimeout(awayTimer);
    awayTimer = 0;
  } else awayTimer ||= window.setTimeout(() => set({ away: true }), AWAY_AFTER_MS);
}

/** @param {number} code with which the connection was closed */
async function lost(code) {
  // This session has ended for good; another window may have begun a new one for the whole browser.
  if (code === SIGNED_OUT) live = null;
  if (!navigator.onLine) return;
  // A refused handshake looks like a lost line; this tells them apart.
  const heard = renewals;
  const answer = await call("GET", "/api/me").catch(() => null);
  if (answer?.status !== 401) return void (!live && !state.expired && connect());
  // Another window may have got the new session while we asked with the old one.
  if (heard === renewals) set({ expired: true });
  else await lost(code);
}

/**
 * Makes a change that ends this session and begins another, without taking it for being signed out.
 * @template T
 * @param {() => Promise<T>} change
 */
export async function renewing(change) {
  const old = live;
  live = null;
  old?.stop();
  try {
    return await change();
  } finally {
    connect();
    windows?.postMessage("renewed");
  }
}

windows?.addEventListener("message", () => {
  renewals += 1;
  if (state.expired) void retry();
});

/** Forgets everything here, because the account is no more. */
export async function left() {
  live?.stop();
  await forget(true);
  location.assign("/register?left");
}

/** @param {Frame} frame */
function receive(frame) {
  if (frame.type === "hello") hello(frame.position);
  else if (frame.type === "reset") void load(newest);
  else if (frame.position) apply(frame);
}

/** @param {number} position of the newest event */
function hello(position) {
  newest = position;
  if (!state.loaded) void load(position);
  else if (!live?.asked) live?.send({ type: "resume", since: state.position }); // loaded while it was connecting
  outbox.resend();
}

/** @param {Frame} frame */
function apply(frame) {
  const { task, taskId, requestId, user } = frame;
  if (user) void signedIn(user);
  if (frame.type.startsWith("reminder.")) hear(frame);
  const own = requestId ? isOwn(requestId) : false;
  if (requestId && task) outbox.arrived(requestId, task);
  if (taskId) loading?.add(taskId);
  if (frame.type === "task.deleted" && taskId) gone(taskId);
  else confirm(task, true);
  // What waited for a decision about it need not wait.
  if (frame.type === "task.deleted") outbox.pump();
  if (taskId && !own && !loading) mark(taskId, whoChanged(frame));
  set({ position: Math.max(state.position, frame.position) });
}

/** @param {Frame} frame */
function whoChanged({ type, actor }) {
  if (type === "reminder.fired") return t("row.reminded");
  const { id, name } = actorOf(actor);
  return id === state.user?.id ? t("row.elsewhere") : t("row.by", { name });
}

/**
 * @param {Frame["actor"]} actor an id, or a person
 * @returns {{id: string, name: string}} the service itself where no name is known
 */
export function actorOf(actor) {
  const { id = "", name = "" } = typeof actor === "object" ? (actor ?? {}) : { id: actor };
  return { id, name: name || t("history.system") };
}

/**
 * Reads everything, open tasks first so that the page is useful early.
 * @param {number} position from which events go on afterwards
 */
async function load(position) {
  if (loading) return;
  const seen = (loading = new Set());
  // What is made while the pages are read may be in none of them, and is not gone for that.
  const before = confirmedIds();
  try {
    set({ position });
    for (const completed of [false, true]) await pages(completed, seen);
    retain(before, seen);
    set({ loaded: true, failed: false });
    await flush();
  } catch (error) {
    if (!(error instanceof UnreachableError)) throw error;
    set({ failed: !state.loaded });
  } finally {
    loading = null;
  }
}

/** @param {boolean} completed @param {Set<string>} seen */
async function pages(completed, seen) {
  let cursor = "";
  do {
    const answer = await call("GET", `/api/tasks?completed=${completed}&limit=${PAGE}${cursor}`);
    if (!answer.ok) throw new UnreachableError(String(answer.status));
    for (const task of /** @type {Task[]} */ (answer.data.items)) {
      seen.add(task.id);
      confirm(task);
    }
    if (!completed) set({ loaded: true });
    cursor = answer.data.nextCursor ? `&cursor=${encodeURIComponent(answer.data.nextCursor)}` : "";
  } while (cursor);
}

/** Reads everything anew; for the button beside the message that it failed. */
export async function retry() {
  set({ failed: false });
  await start();
}
