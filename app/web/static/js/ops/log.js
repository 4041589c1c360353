/** What an actor has logged, while one looks: oldest first, and the end stays in sight. */

import { h } from "../core/dom.js";
import { t } from "../core/messages.js";
import { addressOf } from "./controls.js";
import { Watch } from "./watch.js";
import { clock } from "./words.js";

/** @import { LogLine } from "./types" */

const EVERY_MS = 1000;
const LINES = 100;
/** So near to the end counts as at the end. */
const NEAR_PX = 8;
/** Which span it was is for tracing tools; the trace is named once. */
const SILENT = new Set(["span_id", "trace_flags"]);
/** A crash is in the log with its stack, which the panel shows by itself. */
const LONG = 400;

export class Log {
  #path = "";
  #newest = "";

  /** @param {HTMLElement} box @param {HTMLElement} none */
  constructor(box, none) {
    this.box = box;
    this.none = none;
    this.watch = new Watch(() => `${addressOf(this.#path)}/log?limit=${LINES}`, EVERY_MS, (answer) => {
      if (answer) this.#draw(answer.ok ? (answer.data.items ?? []) : []);
    });
  }

  /** @param {string} path of the actor to follow from now on */
  follow(path) {
    if (path === this.#path) return;
    this.#path = path;
    this.#newest = "?";
    this.box.replaceChildren();
    this.none.textContent = t("ops.loading");
    this.watch.start();
  }

  stop() {
    this.#path = "";
    this.watch.stop();
  }

  /** @param {LogLine[]} items */
  #draw(items) {
    this.none.textContent = items.length ? "" : t("ops.logNone");
    this.box.hidden = !items.length;
    const newest = `${items.length} ${items[0]?.at} ${items.at(-1)?.at}`;
    if (newest === this.#newest) return;
    this.#newest = newest;
    const { box } = this;
    const atEnd = box.scrollHeight - box.scrollTop - box.clientHeight < NEAR_PX || !box.childElementCount;
    box.replaceChildren(...items.map(line));
    if (atEnd) box.scrollTop = box.scrollHeight;
  }
}

/** @param {LogLine} item */
function line(item) {
  const fields = Object.entries(item.fields).filter(([name, value]) => !SILENT.has(name) && value !== null && value !== "");
  const words = fields.map(([name, value]) => `${name}=${shown(value)}`).join(" ");
  const level = item.level.toLowerCase();
  return h("p", { "data-level": level }, h("time", {}, clock(item.at)), h("span", { class: "level" }, level), h("span", { class: "said" }, item.message, words ? h("small", {}, words) : null));
}

/** @param {unknown} value */
function shown(value) {
  const text = typeof value === "object" ? JSON.stringify(value) : String(value);
  return text.length > LONG ? `${text.slice(0, LONG)}…` : text;
}
