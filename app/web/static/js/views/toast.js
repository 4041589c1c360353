/** Short messages with Undo, in the one live region of the page. */

import { $, h, iconButton } from "../core/dom.js";
import { t } from "../core/messages.js";
import { UNDO_MS } from "../data/outbox.js";

/** More than this at once only hides the list. */
const AT_MOST = 3;

/** @type {{element: HTMLElement, undo: () => void}[]} */
const undoable = [];
/** What had the focus before it went to the messages: it goes back there. @type {HTMLElement | null} */
let before = null;

$("#toasts").addEventListener("focusin", ({ currentTarget, relatedTarget }) => {
  const from = /** @type {HTMLElement | null} */ (relatedTarget);
  if (!(/** @type {Node} */ (currentTarget).contains(from))) before = from;
});

/**
 * @param {string} text
 * @param {{undo?: () => void, tone?: "error", link?: HTMLElement}} [options] who follows the link has read it
 */
export function toast(text, { undo, tone, link } = {}) {
  const region = $("#toasts");
  if (!undo) unsay(text);
  const element = h("div", { class: `toast ${tone ?? ""}` }, h("span", { class: "toast-text" }, text));
  const entry = undo && { element, undo };
  if (entry) {
    undoable.push(entry);
    element.append(h("button", { type: "button", class: "toast-undo", onclick: () => run(entry) }, t("toast.undo"), h("kbd", {}, "u")));
  }
  if (link) element.append(link);
  link?.addEventListener("click", () => dismiss(element), { capture: true });
  element.append(iconButton("close", t("toast.close"), () => dismiss(element)));
  while (region.childElementCount >= AT_MOST) dismiss(/** @type {HTMLElement} */ (region.firstElementChild));
  region.append(element);
  element.append(h("span", { class: "toast-time" }));
  // The bar is the clock: it stands still while the toast is pointed at or focused, and so does the time.
  const bar = element.lastElementChild?.getAnimations()[0];
  if (bar) void bar.finished.then(() => dismiss(element), () => undefined);
  else setTimeout(() => dismiss(element), UNDO_MS);
}

/** What is said again is said once: a key that is pressed ten times fills no page. @param {string} text */
function unsay(text) {
  const same = [...$("#toasts").children].find((each) => each.firstElementChild?.textContent === text);
  if (same) dismiss(/** @type {HTMLElement} */ (same));
}

/** @param {HTMLElement} element */
function dismiss(element) {
  const index = undoable.findIndex((each) => each.element === element);
  if (index >= 0) undoable.splice(index, 1);
  const focused = element.contains(document.activeElement);
  element.remove();
  if (focused) (before?.isConnected ? before : $("#heading")).focus({ preventScroll: true });
}

/** @param {{element: HTMLElement, undo: () => void}} entry */
function run(entry) {
  dismiss(entry.element);
  entry.undo();
}

/** Takes the last undoable action back. */
export function undoLast() {
  const last = undoable.at(-1);
  if (last) run(last);
  else toast(t("toast.nothing"));
}
