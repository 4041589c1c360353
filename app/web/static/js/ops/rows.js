/** What is drawn twice a second: only what differs is touched. */

import { h, put } from "../core/dom.js";

/** @param {Element} element @param {string} name @param {string} value */
export function mark(element, name, value) {
  if (element.getAttribute(name) !== value) element.setAttribute(name, value);
}

/**
 * Fills a list of terms.
 * @param {HTMLElement} list
 * @param {(readonly [string, string | null | undefined])[]} rows term and what is said about it; null leaves it out
 */
export function facts(list, rows) {
  const shown = rows.filter(([, value]) => value != null);
  const terms = shown.map(([term]) => term).join("\n");
  if (list.dataset.terms !== terms) {
    list.dataset.terms = terms;
    list.replaceChildren(...shown.map(([term]) => h("div", {}, h("dt", {}, term), h("dd"))));
  }
  shown.forEach(([, value], index) => put(/** @type {Element} */ (list.children[index]?.lastElementChild), String(value)));
}
