/** One actor in the picture: its state in colour, mark and word, and how it is doing. */

import { clone, put } from "../core/dom.js";
import { t, tOr } from "../core/messages.js";
import { mark } from "./rows.js";
import { spark } from "./spark.js";
import { ago, left, number, span } from "./words.js";

/** @import { Actor } from "./types" */
/** @import { Model } from "./model.js" */

/** From this part of its capacity on a mailbox is filling, and full. */
const FILLING = 0.5;
const FULL = 0.9;
/** A message that takes longer than this is worth saying. */
const LONG_IN_HAND_SECONDS = 1;
const MARKS = new Set(["running", "starting", "stopping", "backoff", "paused", "stopped", "stuck"]);

/** @param {string} state */
export const markOf = (state) => `#i-${MARKS.has(state) ? state : "stopped"}`;

/**
 * What the state means right now: a countdown, a fresh restart, or for how long.
 * @param {Actor} actor @param {Model} model @param {number} now
 */
export function sinceWords(actor, model, now) {
  if (actor.state === "backoff" && actor.nextAttemptAt) {
    const seconds = model.until(actor.nextAttemptAt, now);
    return seconds > 0 ? t("ops.again", { span: left(seconds) }) : t("ops.againNow");
  }
  if (model.isFresh(actor, now)) return t("ops.restarted", { when: ago((now - (model.restartedAt.get(actor.path) ?? now)) / 1000) });
  if (actor.inHandSeconds !== null && actor.inHandSeconds > LONG_IN_HAND_SECONDS) return t("ops.inHand", { span: span(actor.inHandSeconds) });
  if (actor.state === "running" && actor.startedAt && actor.incarnation > 1) return span(Math.max(1, Math.floor(-model.until(actor.startedAt, now))));
  return "";
}

export class NodeView {
  /** @param {Actor} actor */
  constructor(actor) {
    const { root, part } = clone(actor.kind);
    this.root = root;
    this.part = part;
    this.path = actor.path;
    this.flashed = 0;
    /** Attempt that the emptying bar is about, and the most seconds it had. */
    this.attempt = 0;
    this.longest = 0;
    root.id = `actor-${actor.path.replaceAll("/", ".")}`;
    root.dataset.path = actor.path;
    root.setAttribute("aria-level", String(actor.level));
    root.tabIndex = -1;
    part("name").textContent = actor.id;
    if (actor.kind === "supervisor") root.setAttribute("aria-expanded", "true");
  }

  /** @param {Actor} actor @param {Model} model @param {number} now */
  draw(actor, model, now) {
    const { root, part } = this;
    mark(root, "data-state", actor.state);
    mark(part("mark"), "href", markOf(actor.state));
    put(part("word"), tOr("opsState.", actor.state));
    put(part("since"), sinceWords(actor, model, now));
    mark(root, "aria-label", label(actor));
    root.toggleAttribute("data-fresh", model.isFresh(actor, now));
    this.#flash(model.restartedAt.get(actor.path) ?? 0);
    this.#drain(actor, model, now);
    part("restarts").hidden = !actor.restarts;
    put(part("restartsCount"), number(actor.restarts));
    mark(part("restarts"), "title", t("ops.restartsTitle", { n: actor.restarts }));
    if (actor.kind === "supervisor") put(part("strategy"), tOr("opsStrategy.", actor.strategy ?? ""));
    else this.#work(actor, model);
  }

  /** @param {Actor} actor @param {Model} model */
  #work(actor, model) {
    const { part } = this;
    part("box").hidden = !actor.mailbox;
    if (actor.mailbox) {
      const { length, capacity } = actor.mailbox;
      const full = capacity ? length / capacity : 0;
      part("box").dataset.level = full >= FULL ? "full" : full >= FILLING ? "filling" : "";
      part("fill").style.setProperty("--part", full.toFixed(4));
      part("box").title = t("ops.mailboxTitle", { n: length, capacity });
      put(part("count"), number(length));
    }
    const rates = model.rates.get(actor.path);
    part("pace").hidden = !rates;
    if (rates) {
      const { line, area } = spark(rates);
      mark(part("line"), "d", line);
      mark(part("area"), "d", area);
      const rate = actor.messagesPerSecond ?? rates.at(-1) ?? 0;
      put(part("rate"), t("ops.rate", { rate: number(rate, rate < 10 ? 1 : 0) }));
    }
    part("breaker").hidden = !actor.breaker;
    if (actor.breaker) {
      part("breaker").dataset.breaker = actor.breaker.state;
      mark(part("breakerMark"), "href", actor.breaker.state === "closed" ? "#i-breaker-closed" : "#i-breaker");
      put(part("breakerWord"), tOr("opsBreaker.", actor.breaker.state));
      part("breaker").title = t("ops.breakerTitle", { name: actor.breaker.name });
    }
  }

  /** A bar that empties until the next attempt. @param {Actor} actor @param {Model} model @param {number} now */
  #drain(actor, model, now) {
    const bar = this.part("drain");
    bar.hidden = actor.state !== "backoff" || !actor.nextAttemptAt;
    if (bar.hidden || !actor.nextAttemptAt) return;
    const left = Math.max(0, model.until(actor.nextAttemptAt, now));
    if (this.attempt !== actor.attempt) this.longest = left;
    this.attempt = actor.attempt;
    this.longest = Math.max(this.longest, left);
    bar.style.setProperty("--part", (this.longest ? left / this.longest : 0).toFixed(3));
  }

  /** @param {number} at when it was restarted; each restart flashes once */
  #flash(at) {
    if (at <= this.flashed) return;
    this.flashed = at;
    this.root.classList.remove("flash");
    void this.root.offsetWidth; // starts the animation anew
    this.root.classList.add("flash");
  }
}

/**
 * The name of an actor for screen readers. Only what changes rarely is in it, since a focused name that changes is read again.
 * @param {Actor} actor
 */
function label(actor) {
  const words = [actor.id, tOr("opsState.", actor.state)];
  if (actor.mailbox?.capacity && actor.mailbox.length >= actor.mailbox.capacity * FILLING) words.push(t("ops.labelFilling"));
  if (actor.breaker && actor.breaker.state !== "closed") words.push(`${actor.breaker.name}: ${tOr("opsBreaker.", actor.breaker.state)}`);
  if (actor.restarts) words.push(t("ops.restartsTitle", { n: actor.restarts }));
  return words.join(", ");
}
