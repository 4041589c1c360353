/** Dead letters: messages that were given up, and the button that gives them another chance. */

import { $, clone, put, reconcile } from "../core/dom.js";
import { t, tOr } from "../core/messages.js";
import { refusalOf } from "./controls.js";
import { facts } from "./rows.js";
import { Watch } from "./watch.js";
import { dayAndClock, number } from "./words.js";

/** @import { DeadLetter } from "./types" */

const EVERY_MS = 5000;
const SHOWN = 50;

export class Letters {
  /** @type {Map<string, {root: HTMLElement, part: (name: string) => any}>} */
  #views = new Map();

  /** @param {(words: string) => void} done told what was asked */
  constructor(done) {
    this.done = done;
    this.watch = new Watch(() => `/api/ops/dead-letters?limit=${SHOWN}`, EVERY_MS, (answer) => {
      if (answer?.ok) this.#draw(answer.data);
    });
  }

  start() {
    this.watch.start();
  }

  /** @param {{items: DeadLetter[], counts?: {actor: string, reason: string, count: number}[]}} letters */
  #draw({ items, counts }) {
    $("#letters").hidden = false;
    const total = counts ? counts.reduce((sum, { count }) => sum + count, 0) : items.length;
    put($("#letters-count"), number(total));
    put($("#letters .hint"), t(items.length ? "ops.lettersMore" : "ops.lettersNone"));
    const ids = new Set(items.map(({ id }) => id));
    for (const id of this.#views.keys()) if (!ids.has(id)) this.#views.delete(id);
    reconcile($("#letters-list"), items.map((each) => this.#letter(each)));
  }

  /** @param {DeadLetter} letter */
  #letter(letter) {
    const view = this.#views.get(letter.id) ?? clone("letter");
    const { root, part } = view;
    if (!this.#views.has(letter.id)) part("requeue").onclick = () => void this.#requeue(letter, part);
    this.#views.set(letter.id, view);
    put(part("actor"), letter.actor);
    put(part("reason"), tOr("opsDead.", letter.reason));
    put(part("when"), dayAndClock(letter.at));
    put(part("done"), letter.requeuedAt ? t("ops.requeued") : "");
    part("requeue").hidden = Boolean(letter.requeuedAt);
    part("requeue").setAttribute("aria-label", t("ops.requeueLabel", { name: letter.actor, when: dayAndClock(letter.at) }));
    put(part("error"), letter.error ?? "");
    facts(part("facts"), rows(letter));
    put(part("payload"), typeof letter.payload === "string" ? letter.payload : JSON.stringify(letter.payload, null, 2));
    put(part("stack"), letter.stack ?? "");
    part("stack").hidden = !letter.stack;
    return root;
  }

  /** @param {DeadLetter} letter @param {(name: string) => any} part */
  async #requeue(letter, part) {
    part("requeue").disabled = true;
    const refusal = await refusalOf(`/api/ops/dead-letters/${encodeURIComponent(letter.id)}/requeue`);
    put(part("refused"), refusal);
    if (!refusal) this.done(t("opsAsked.requeue", { name: letter.actor }));
    part("requeue").disabled = false;
    this.watch.start();
  }
}

/** @param {DeadLetter} letter @returns {(readonly [string, string | null])[]} */
const rows = (letter) => [
  [t("ops.letterId"), letter.id],
  [t("ops.position"), letter.position == null ? null : String(letter.position)],
  [t("ops.attempts"), letter.attempts == null ? null : number(letter.attempts)],
  [t("ops.traceId"), letter.traceId],
];
