/** Everything about one actor: facts, the last error, what can be done, and its log. */

import { $, clone, put } from "../core/dom.js";
import { t, tOr } from "../core/messages.js";
import { Controls } from "./controls.js";
import { Log } from "./log.js";
import { markOf, sinceWords } from "./node.js";
import { facts, mark } from "./rows.js";
import { ago, dayAndClock, left, number, span } from "./words.js";

/** @import { Actor, Failure } from "./types" */
/** @import { Model } from "./model.js" */

export class Panel {
  /** @param {Model} model @param {{close: () => void, asked: (words: string) => void}} told */
  constructor(model, told) {
    const { root, part } = clone("actor");
    this.model = model;
    this.box = $("#actor");
    this.part = part;
    this.controls = new Controls(part("controls"), told.asked);
    this.log = new Log(part("log"), part("logNone"));
    part("close").onclick = told.close;
    this.box.append(root);
  }

  /** @param {string | null} path @param {number} now */
  draw(path, now) {
    const actor = path ? this.model.actors.get(path) : undefined;
    this.box.hidden = !actor;
    document.documentElement.classList.toggle("looking", Boolean(actor));
    if (!actor) return this.log.stop();
    const { part } = this;
    if (actor.kind === "worker") this.log.follow(actor.path);
    else this.log.stop();
    part("logFold").hidden = actor.kind !== "worker";
    this.box.dataset.state = actor.state;
    mark(part("mark"), "href", markOf(actor.state));
    put(part("name"), actor.id);
    put(part("word"), tOr("opsState.", actor.state));
    put(part("since"), sinceWords(actor, this.model, now));
    put(part("about"), about(actor));
    this.controls.draw(actor);
    facts(part("facts"), this.#facts(actor, now));
    this.#failure(actor.lastError ?? failureOf(actor), now);
  }

  focus() {
    this.part("name").focus();
  }

  /** @param {Actor} actor @param {number} now @returns {(readonly [string, string | null])[]} */
  #facts(actor, now) {
    const { lastExit: exit, mailbox, breaker } = actor;
    return [
      [t("ops.life"), actor.incarnation ? number(actor.incarnation) : null],
      [t("ops.since"), actor.startedAt && dayAndClock(actor.startedAt)],
      [t("ops.restartsOf"), number(actor.restarts)],
      [t("ops.lastExit"), exit && `${tOr("opsExit.", exit.reason)}${exit.at ? `, ${this.#ago(exit.at, now)}` : ""}`],
      [t("ops.attempt"), actor.state === "backoff" ? number(actor.attempt) : null],
      [t("ops.budget"), actor.kind === "supervisor" ? budget(actor) : null],
      [t("ops.mailbox"), mailbox && t("ops.mailboxTitle", { n: mailbox.length, capacity: mailbox.capacity })],
      [t("ops.whenFull"), mailbox?.policy ? tOr("opsPolicy.", mailbox.policy) : null],
      [t("ops.oldest"), mailbox?.oldestSeconds ? span(mailbox.oldestSeconds) : null],
      [t("ops.hand"), actor.inHandSeconds === null ? null : span(actor.inHandSeconds)],
      [t("ops.messages"), actor.messagesPerSecond === null ? null : t("ops.rate", { rate: number(actor.messagesPerSecond, 1) })],
      [t("ops.handled"), actor.handled === null ? null : number(actor.handled)],
      [t("ops.breaker"), breaker && `${breaker.name}: ${tOr("opsBreaker.", breaker.state)}${breaker.retryAt ? `, ${this.#in(breaker.retryAt, now)}` : ""}`],
    ];
  }

  /** @param {string} moment @param {number} now */
  #ago(moment, now) {
    return ago(Math.max(0, -this.model.until(moment, now)));
  }

  /** @param {string} moment @param {number} now */
  #in(moment, now) {
    const seconds = this.model.until(moment, now);
    return t("ops.retries", { span: left(seconds) });
  }

  /** @param {Failure | null} failure @param {number} now */
  #failure(failure, now) {
    const { part } = this;
    part("failure").hidden = !failure;
    if (!failure) return;
    put(part("failureText"), failure.message);
    const trace = failure.traceId ? t("ops.trace", { id: failure.traceId }) : "";
    put(part("failureWhen"), [failure.at && this.#ago(failure.at, now), trace].filter(Boolean).join(" · "));
    part("stackFold").hidden = !failure.stack;
    put(part("stack"), failure.stack ?? "");
  }
}

/** @param {Actor} actor what it ended of, when nothing more is known @returns {Failure | null} */
const failureOf = ({ lastExit }) => (lastExit?.error ? { message: lastExit.error, at: lastExit.at, traceId: null, stack: null } : null);

/** @param {Actor} actor */
function about(actor) {
  const own = tOr("opsAbout.", actor.id);
  const known = own === actor.id ? "" : own;
  const rule = actor.kind === "supervisor" ? tOr("opsStrategyMore.", actor.strategy ?? "") : actor.restart ? tOr("opsRestart.", actor.restart) : "";
  return [known, rule].filter(Boolean).join(" ");
}

/** @param {Actor} actor */
function budget({ intensity, periodSeconds, restartsInPeriod }) {
  const values = { n: restartsInPeriod, intensity: intensity ?? 0, span: span(periodSeconds ?? 0) };
  return intensity === null ? t("ops.budgetNone", values) : t("ops.budgetOf", values);
}
