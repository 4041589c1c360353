/**
 * What is known about the tree: the newest answer with every gap filled, what each actor did in the last minute, and
 * what happened between two looks. Knows no element and no network.
 */

/** @import { Actor, Happening, Mailbox } from "./types" */

/** One minute at two looks a second. */
const KEPT = 120;
/** A restart is marked in the picture for this long. */
export const MARKED_MS = 8000;
/** Wall times of starts are derived from a monotonic clock and differ by some milliseconds from answer to answer. */
const SAME_START_MS = 1000;
/** Names for the same state; the first look and the contract differ. */
const STATES = new Map([["restarting", "backoff"]]);

/** States in which a worker does its work, or is on its way to. */
const WELL = new Set(["running", "starting"]);

/** What an answer may leave out. */
const UNSAID = {
  incarnation: 0,
  startedAt: null,
  restarts: 0,
  restart: null,
  lastExit: null,
  attempt: 0,
  backoffSeconds: null,
  nextAttemptAt: null,
  lastError: null,
  controllable: false,
  breaker: null,
  strategy: null,
  intensity: null,
  periodSeconds: null,
  restartsInPeriod: 0,
};

/** @param {any} raw an answer's node @param {string} parent @param {number} level @returns {Actor} */
function actorOf(raw, parent, level) {
  const box = raw.mailbox ?? {};
  return {
    ...UNSAID,
    ...raw,
    path: level === 1 ? "root" : raw.path || (level === 2 ? raw.id : `${parent}/${raw.id}`),
    kind: raw.children ? "supervisor" : "worker",
    level,
    parent,
    children: [],
    state: raw.paused ? "paused" : (STATES.get(raw.state) ?? raw.state),
    mailbox: raw.mailbox ? mailboxOf(box) : null,
    inHandSeconds: raw.inHandSeconds ?? box.in_hand_seconds ?? null,
    messagesPerSecond: raw.messagesPerSecond ?? box.per_second ?? null,
    handled: raw.handled ?? box.processed ?? null,
  };
}

/** @param {any} box @returns {Mailbox} */
const mailboxOf = (box) => ({
  length: box.length ?? box.depth ?? 0,
  capacity: box.capacity ?? 0,
  policy: box.policy ?? box.when_full ?? null,
  oldestSeconds: box.oldestSeconds ?? null,
});

export class Model {
  constructor() {
    /** @type {Map<string, Actor>} by path, a supervisor before its children */
    this.actors = new Map();
    /** @type {Map<string, number[]>} messages per second, oldest first */
    this.rates = new Map();
    /** @type {Map<string, number>} when an actor was seen to have been restarted, epoch milliseconds */
    this.restartedAt = new Map();
    /** @type {Set<string>} crashed, and not running since */
    this.fallen = new Set();
    /** @type {Happening[]} newest first */
    this.happened = [];
    /** How far the server's clock is ahead of ours. */
    this.aheadMs = 0;
    /** When the newest answer came, epoch milliseconds. */
    this.heardAt = 0;
    /** Whether looks were missed since: something may have happened that nobody saw. */
    this.interrupted = false;
  }

  /** @param {any} tree as answered @param {number} now epoch milliseconds */
  hear(tree, now) {
    const before = this.actors;
    const seconds = (now - this.heardAt) / 1000;
    this.actors = new Map();
    this.#add(tree, "", 1);
    if (before.size) this.#compare(before, now);
    for (const actor of this.actors.values()) this.#compareClocks(actor, now);
    for (const actor of this.actors.values()) this.#measure(actor, before.get(actor.path), seconds);
    this.heardAt = now;
    this.interrupted = false;
  }

  /** @param {any} raw @param {string} parent @param {number} level */
  #add(raw, parent, level) {
    const actor = actorOf(raw, parent, level);
    this.actors.set(actor.path, actor);
    for (const child of raw.children ?? []) actor.children.push(this.#add(child, actor.path, level + 1).path);
    return actor;
  }

  /** A moment that is said twice, as a time and as a distance, tells the server's clock. @param {Actor} actor @param {number} now */
  #compareClocks({ nextAttemptAt, backoffSeconds }, now) {
    if (nextAttemptAt && backoffSeconds) this.aheadMs = Date.parse(nextAttemptAt) - backoffSeconds * 1000 - now;
  }

  /** @param {Actor} actor @param {Actor | undefined} was @param {number} seconds since the look before */
  #measure(actor, was, seconds) {
    const counted = actor.handled !== null && was?.handled != null && actor.handled >= was.handled && seconds < 5;
    const rate = counted ? (Number(actor.handled) - Number(was.handled)) / seconds : actor.messagesPerSecond;
    if (rate === null) return;
    const rates = this.rates.get(actor.path) ?? [];
    rates.push(rate);
    if (rates.length > KEPT) rates.shift();
    this.rates.set(actor.path, rates);
  }

  /** @param {Map<string, Actor>} before @param {number} now */
  #compare(before, now) {
    if (this.interrupted && isAnother(before, this.actors)) {
      this.restartedAt.clear();
      this.tell({ kind: "reborn", at: now });
      return;
    }
    for (const [path, actor] of this.actors) {
      const was = before.get(path);
      if (was) this.#changes(was, actor, now);
      else this.tell({ kind: "added", at: now, path, name: actor.id });
    }
    for (const [path, actor] of before) if (!this.actors.has(path)) this.tell({ kind: "gone", at: now, path, name: actor.id });
  }

  /** @param {Actor} was @param {Actor} is @param {number} now */
  #changes(was, is, now) {
    const about = { at: now, path: is.path, name: is.id };
    const lives = is.incarnation - was.incarnation;
    // An actor that fails attempt after attempt has crashed once, and is told once.
    if ((lives > 0 || is.state === "backoff") && isCrash(is.lastExit) && !this.fallen.has(is.path)) {
      this.fallen.add(is.path);
      this.tell({ kind: "crashed", ...about, detail: is.lastExit?.error ?? "" });
    }
    if (lives > 0) this.restartedAt.set(is.path, now);
    const rose = is.state === "running" && (lives > 0 || this.fallen.has(is.path));
    if (rose) this.tell({ kind: was.state === "paused" ? "resumed" : "restarted", ...about, n: is.incarnation });
    if (is.state === "running") this.fallen.delete(is.path);
    if (is.state !== was.state && (is.state === "paused" || is.state === "stuck")) this.tell({ kind: is.state, ...about });
  }

  /** @param {Happening} happening */
  tell(happening) {
    this.happened.unshift(happening);
    this.happened.length = Math.min(this.happened.length, 40);
  }

  /** @param {string} moment @param {number} now @returns {number} seconds from now until then, by the server's clock */
  until(moment, now) {
    return (Date.parse(moment) - now - this.aheadMs) / 1000;
  }

  /** @param {Actor} actor @param {number} now */
  isFresh(actor, now) {
    return now - (this.restartedAt.get(actor.path) ?? 0) < MARKED_MS;
  }

  /** @param {(actor: Actor) => boolean} which */
  workers(which) {
    return [...this.actors.values()].filter((actor) => actor.kind === "worker" && which(actor));
  }

  /** Workers that should run and do not; a paused one has been asked to rest. */
  unwell() {
    return this.workers(({ state }) => !WELL.has(state) && state !== "paused");
  }
}

/**
 * Whether two answers are from different processes: then all branches have started anew, and have not counted on.
 * @param {Map<string, Actor>} before
 * @param {Map<string, Actor>} after
 */
function isAnother(before, after) {
  const branches = [...after.values()].filter(({ level }) => level === 2);
  return branches.length > 0 && branches.every((is) => {
    const was = before.get(is.path);
    return !was || (is.incarnation <= was.incarnation && differs(is.startedAt, was.startedAt));
  });
}

/** @param {Actor["lastExit"]} exit */
const isCrash = (exit) => exit?.reason === "crashed" || exit?.reason === "not_started";

/** @param {string | null} one @param {string | null} other */
const differs = (one, other) => Math.abs(Date.parse(one ?? "") - Date.parse(other ?? "")) > SAME_START_MS;
