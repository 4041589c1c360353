/** Restart, pause and resume an actor; each is asked about once more, in its place. */

import { h } from "../core/dom.js";
import { t } from "../core/messages.js";
import { problemWords } from "../core/problems.js";
import { call, UnreachableError } from "../data/api.js";

/** @import { Actor } from "./types" */
/** @typedef {"restart" | "pause" | "resume"} Order */

/** @param {string} path */
export const addressOf = (path) => `/api/ops/actors/${encodeURIComponent(path.replaceAll("/", "."))}`;

/**
 * Asks for something to be done.
 * @param {string} address
 * @returns {Promise<string>} why it is refused; empty when it is not
 */
export async function refusalOf(address) {
  try {
    const { ok, problem } = await call("POST", address);
    return ok ? "" : problemWords(problem);
  } catch (error) {
    if (!(error instanceof UnreachableError)) throw error;
    return t("error.network");
  }
}

export class Controls {
  /** @type {Order | null} */
  #asking = null;
  #refusal = "";
  #drawn = "";

  /** @param {HTMLElement} box @param {(words: string) => void} done told what was asked of whom */
  constructor(box, done) {
    this.box = box;
    this.done = done;
    box.addEventListener("keydown", (event) => {
      if (event.key !== "Escape" || !this.#asking) return;
      event.stopPropagation();
      this.#ask(null);
    });
  }

  /** @param {Actor} actor */
  draw(actor) {
    if (actor.path !== this.actor?.path) {
      this.#asking = null;
      this.#refusal = "";
    }
    this.actor = actor;
    const kind = [actor.path, actor.controllable, actor.state === "paused", this.#asking, this.#refusal].join();
    if (kind === this.#drawn) return;
    this.#drawn = kind;
    // What is pressed is replaced by what can be pressed next, and the focus goes on to that.
    const had = this.box.contains(document.activeElement);
    this.box.replaceChildren(...this.#parts(actor));
    if (had) this.box.querySelector("button")?.focus();
  }

  /** @param {Actor} actor @returns {Node[]} */
  #parts(actor) {
    if (!actor.controllable) return [h("p", { class: "hint" }, t(actor.kind === "supervisor" ? "ops.noControlSupervisor" : "ops.noControl"))];
    const refused = this.#refusal ? [h("p", { class: "error", role: "alert" }, this.#refusal)] : [];
    const order = this.#asking;
    if (!order) return [...this.#orders(actor).map((each) => this.#button(each)), ...refused];
    const name = { name: actor.id };
    return [
      h("p", { id: "ask" }, t(`opsAsk.${order}`, name)),
      h("button", { type: "button", class: "primary", "aria-describedby": "ask", "data-sure": order, onclick: () => void this.#send(order) }, t(`opsOrder.${order}`)),
      h("button", { type: "button", class: "choice-button", onclick: () => this.#ask(null) }, t("ops.cancel")),
    ];
  }

  /** @param {Actor} actor @returns {Order[]} */
  #orders(actor) {
    return actor.state === "paused" ? ["resume"] : ["restart", "pause"];
  }

  /** @param {Order} order */
  #button(order) {
    return h("button", { type: "button", class: "choice-button", "data-order": order, onclick: () => this.#ask(order) }, t(`opsOrder.${order}`));
  }

  /** @param {Order | null} order */
  #ask(order) {
    const before = this.#asking;
    this.#asking = order;
    this.#refusal = "";
    if (this.actor) this.draw(this.actor);
    this.box.querySelector(/** @type {"button"} */ (order ? "[data-sure]" : `[data-order="${before}"]`))?.focus();
  }

  /** @param {Order} order */
  async #send(order) {
    const actor = /** @type {Actor} */ (this.actor);
    if (this.#asking !== order) return;
    this.#asking = null;
    const refusal = await refusalOf(`${addressOf(actor.path)}/${order}`);
    if (!refusal) this.done(t(`opsAsked.${order}`, { name: actor.id }));
    if (this.actor?.path !== actor.path) return;
    this.#refusal = refusal;
    this.draw(this.actor);
  }
}
