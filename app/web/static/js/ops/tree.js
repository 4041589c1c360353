/** The picture of the tree: draws it, and moves in it as WAI-ARIA's tree pattern says. */

import { $, reconcile } from "../core/dom.js";
import { NodeView } from "./node.js";

/** @import { Model } from "./model.js" */

export class Tree {
  /** @param {Model} model @param {(path: string, byKey: boolean) => void} open what to do with an actor that is chosen */
  constructor(model, open) {
    this.model = model;
    this.open = open;
    /** @type {Map<string, NodeView>} */
    this.views = new Map();
    /** Where the Tab key enters. */
    this.current = "root";
    this.root = $("#tree");
    this.root.addEventListener("click", (event) => this.#clicked(event));
    this.root.addEventListener("keydown", (event) => this.#pressed(event));
    this.root.addEventListener("focusin", (event) => this.#entered(pathOf(event.target)));
  }

  /** @param {number} now epoch milliseconds @param {string | null} selected path */
  draw(now, selected) {
    const { actors } = this.model;
    for (const path of this.views.keys()) if (!actors.has(path)) this.views.delete(path);
    for (const actor of actors.values()) {
      const view = this.views.get(actor.path) ?? new NodeView(actor);
      this.views.set(actor.path, view);
      view.draw(actor, this.model, now);
      view.root.setAttribute("aria-selected", String(actor.path === selected));
    }
    if (!this.views.has(this.current)) this.current = selected ?? "root";
    for (const actor of actors.values()) {
      const { root, part } = this.#view(actor.path);
      root.tabIndex = actor.path === this.current ? 0 : -1;
      if (actor.kind === "supervisor") reconcile(part("group"), actor.children.map((path) => this.#view(path).root));
    }
    reconcile(this.root, actors.has("root") ? [this.#view("root").root] : []);
  }

  /** @param {string} path */
  focus(path) {
    this.views.get(path)?.root.focus();
  }

  /** @param {string} path @returns {NodeView} */
  #view(path) {
    return /** @type {NodeView} */ (this.views.get(path));
  }

  /** @param {string | undefined} path */
  #entered(path) {
    if (!path || path === this.current) return;
    const before = this.views.get(this.current);
    if (before) before.root.tabIndex = -1;
    this.current = path;
    this.#view(path).root.tabIndex = 0;
  }

  /** @param {MouseEvent} event */
  #clicked(event) {
    const path = event.target instanceof Element && event.target.closest(".card") ? pathOf(event.target) : undefined;
    if (!path) return;
    this.#view(path).root.focus({ preventScroll: true });
    this.open(path, false);
  }

  /** @param {KeyboardEvent} event */
  #pressed(event) {
    const path = pathOf(event.target);
    if (!path || event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.key === "Enter" || event.key === " ") this.open(path, true);
    else if (!this.#moved(path, event.key)) return;
    event.preventDefault();
  }

  /** @param {string} path @param {string} key @returns {boolean} whether the key means something here */
  #moved(path, key) {
    const shown = [...this.root.querySelectorAll("[role=treeitem]")].map(pathOf).filter((each) => each !== undefined);
    const seen = shown.filter((each) => !this.#isHidden(each));
    const at = seen.indexOf(path);
    const actor = this.model.actors.get(path);
    const view = this.#view(path).root;
    const open = view.getAttribute("aria-expanded");
    if (key === "ArrowLeft" && open === "true") view.setAttribute("aria-expanded", "false");
    else if (key === "ArrowRight" && open === "false") view.setAttribute("aria-expanded", "true");
    else {
      const to = {
        ArrowDown: seen[at + 1],
        ArrowUp: seen[at - 1],
        ArrowRight: actor?.children[0],
        ArrowLeft: actor?.parent,
        Home: seen[0],
        End: seen.at(-1),
      }[key];
      const typed = key.length === 1 ? [...seen.slice(at + 1), ...seen.slice(0, at)].find((each) => this.#name(each).startsWith(key.toLowerCase())) : undefined;
      if (to ?? typed) this.focus(String(to ?? typed));
      else return key.startsWith("Arrow");
    }
    return true;
  }

  /** @param {string} path */
  #name(path) {
    return this.model.actors.get(path)?.id.toLowerCase() ?? "";
  }

  /** Whether a supervisor above is closed. @param {string} path @returns {boolean} */
  #isHidden(path) {
    const parent = this.model.actors.get(path)?.parent;
    if (!parent) return false;
    return this.#view(parent).root.getAttribute("aria-expanded") === "false" || this.#isHidden(parent);
  }
}

/** @param {EventTarget | null} target @returns {string | undefined} */
const pathOf = (target) => (target instanceof Element ? /** @type {HTMLElement | null} */ (target.closest("[role=treeitem]"))?.dataset.path : undefined);
