/** Builds elements, small ones in code and large ones from the templates of the shell. Text enters the page only through text nodes, so nothing typed can become markup. */

import { t } from "./messages.js";

/** @typedef {Node | string | null | undefined | false} Child */

const SVG = "http://www.w3.org/2000/svg";

/** Set as properties: their attributes mean the initial value only. */
const PROPERTIES = new Set(["value", "checked", "indeterminate"]);

/**
 * @template {keyof HTMLElementTagNameMap} K
 * @param {K} tag
 * @param {Record<string, any>} [props] `on…` listens, booleans toggle, null and undefined leave out
 * @param {...(Child | Child[])} children
 * @returns {HTMLElementTagNameMap[K]}
 */
export function h(tag, props = {}, ...children) {
  const element = document.createElement(tag);
  element.append(...children.flat().filter(isShown));
  for (const [name, value] of Object.entries(props)) {
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else if (PROPERTIES.has(name)) Reflect.set(element, name, value);
    else if (value === true) element.setAttribute(name, "");
    else if (value !== false && value != null) element.setAttribute(name, String(value));
  }
  return element;
}

/**
 * @param {Child} child
 * @returns {child is Node | string}
 */
const isShown = (child) => child !== null && child !== undefined && child !== false;

/**
 * A mark from the sprite in the shell; decoration only, its meaning is said in words beside it.
 * @param {string} name
 */
export function icon(name) {
  const svg = document.createElementNS(SVG, "svg");
  svg.setAttribute("class", "icon");
  svg.setAttribute("aria-hidden", "true");
  const use = document.createElementNS(SVG, "use");
  use.setAttribute("href", `#i-${name}`);
  svg.append(use);
  return svg;
}

/**
 * Words for screen readers only.
 * @param {string} text
 */
export const unseen = (text) => h("span", { class: "unseen" }, text);

/**
 * @param {string} name of an icon
 * @param {string} label
 * @param {(event: MouseEvent) => void} onclick
 * @param {Record<string, any>} [props]
 */
export const iconButton = (name, label, onclick, props = {}) =>
  h("button", { type: "button", class: "icon-button", "aria-label": label, title: label, onclick, ...props }, icon(name));

/**
 * The first match, which the shell or the caller has put there.
 * @param {string} selector
 * @param {ParentNode} [root]
 * @returns {HTMLElement}
 */
export const $ = (selector, root = document) => /** @type {HTMLElement} */ (root.querySelector(selector));

/**
 * Writes the text of an element that is drawn again and again, into the text node that is there already and only when
 * it differs: Chromium takes a click back whose text was replaced between the press of the button and its release, and
 * a selection and a screen reader stay where they are.
 * @param {Element} element with text alone
 * @param {string} text
 */
export function put(element, text) {
  const node = element.firstChild;
  if (!(node instanceof Text)) element.textContent = text;
  else if (node.data !== text) node.data = text;
}

/**
 * Makes the children of `parent` be `wanted`, touching only what differs and keeping the focus.
 * @param {Element} parent
 * @param {Element[]} wanted
 * @param {(gone: Element) => void} [leave] takes care of an element that is not wanted any more
 */
export function reconcile(parent, wanted, leave = (gone) => gone.remove()) {
  const focused = /** @type {HTMLElement | null} */ (document.activeElement);
  const keep = new Set(wanted);
  for (const child of [...parent.children]) if (!keep.has(child) && !child.hasAttribute("data-leaving")) leave(child);
  let next = parent.firstElementChild;
  for (const element of wanted) {
    while (next?.hasAttribute("data-leaving")) next = next.nextElementSibling;
    if (element === next) next = next.nextElementSibling;
    else parent.insertBefore(element, next);
  }
  if (focused && focused !== document.activeElement && focused.isConnected) focused.focus({ preventScroll: true });
}

/**
 * As `reconcile`, where elements are made anew each time: what says the same stays, so a click on it is not lost to an
 * answer that comes before the button is released.
 * @param {Element} parent
 * @param {Element[]} wanted
 */
export function refill(parent, wanted) {
  const before = [...parent.children];
  reconcile(parent, wanted.map((part) => before.find((each) => each.isEqualNode(part)) ?? part));
}

/**
 * Puts the words of the catalogue where the markup names them: `data-t` text, `data-label` name, `data-hint` placeholder.
 * @param {ParentNode} root
 */
export function translate(root) {
  /** @param {string} name @param {(element: Element, text: string) => void} put */
  const each = (name, put) => {
    for (const element of root.querySelectorAll(`[data-${name}]`)) {
      put(element, t(/** @type {import("./messages.js").Key} */ (element.getAttribute(`data-${name}`))));
    }
  };
  each("t", (element, text) => element.append(text));
  each("hint", (element, text) => element.setAttribute("placeholder", text));
  each("label", (element, text) => {
    element.setAttribute("aria-label", text);
    if (element.matches("button, summary")) element.setAttribute("title", text);
  });
}

/**
 * A copy of a template of the shell, with its words and its named parts.
 * @param {string} name
 * @returns {{root: HTMLElement, part: (name: string) => any}} `part` finds `data-part="name"`
 */
export function clone(name) {
  const template = /** @type {HTMLTemplateElement} */ (document.getElementById(`t-${name}`));
  const root = /** @type {HTMLElement} */ (document.importNode(template.content, true).firstElementChild);
  translate(root);
  return { root, part: (part) => root.querySelector(`[data-part="${part}"]`) };
}
