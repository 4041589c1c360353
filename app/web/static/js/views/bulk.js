/** The bar with what can be done to all picked tasks at once; everything in it can be undone with one Undo. */

import { $, h, icon, put, reconcile } from "../core/dom.js";
import { t } from "../core/messages.js";
import { NEAR_DAYS } from "../core/neardays.js";
import { countsOf } from "../core/places.js";
import { allTasks } from "../data/store.js";
import { focusNear, shownTasks } from "./list.js";
import { completeMany, prioritizeMany, removeMany, scheduleMany, tagMany, untagMany } from "./many.js";
import { pickAll, pickNone, pickedTasks } from "./selection.js";

/** @import { Priority, Task } from "../types" */
/** @import { Key } from "../core/messages.js" */

const LEVELS = /** @type {Priority[]} */ (["urgent", "high", "medium", "low"]);

/** @typedef {{root: HTMLElement, count: HTMLElement, complete: HTMLElement, ownTags: HTMLElement}} Bar */

/** @type {Bar | undefined} */
let bar;
/** Where the focus goes when the bar does. */
let near = "";

/** Draws the bar, or takes it away when nothing is picked. */
export function drawBulk() {
  const tasks = pickedTasks();
  bar ??= build();
  const { root, count, complete, ownTags } = bar;
  if (!tasks.length) return hide(root);
  near ||= tasks[0]?.id ?? "";
  root.hidden = false;
  document.documentElement.classList.add("picking");
  put(count, t("bulk.count", { n: tasks.length }));
  complete.title = t(tasks.some((task) => !task.completed) ? "bulk.complete" : "bulk.reopen");
  put(/** @type {Element} */ (complete.lastElementChild), complete.title);
  const tags = new Set(tasks.flatMap((task) => task.tags));
  reconcile(ownTags, [...tags].map((tag) => tagButton(tag)));
}

/** @param {HTMLElement} root */
function hide(root) {
  if (root.hidden) return;
  const focused = root.contains(document.activeElement);
  root.hidden = true;
  closeMenus(root);
  document.documentElement.classList.remove("picking");
  if (focused) focusNear(near);
  near = "";
}

/** @type {Map<string, HTMLElement>} */
const tagButtons = new Map();

/** @param {string} tag */
function tagButton(tag) {
  const known = tagButtons.get(tag);
  if (known) return known;
  const drop = () => untagMany(pickedTasks(), tag);
  const button = h("button", { type: "button", class: "chip", "aria-label": t("bulk.untag", { tag }), onclick: drop }, `#${tag}`, icon("close"));
  tagButtons.set(tag, button);
  return button;
}

/**
 * Does it and lets go of the tasks.
 * @param {(tasks: Task[]) => void} action
 * @param {boolean} [leaves] they go away, and the focus to what is beside them
 */
function run(action, leaves = false) {
  const tasks = pickedTasks();
  near = leaves ? besides(tasks) : (tasks[0]?.id ?? "");
  action(tasks);
  pickNone();
  if (leaves) focusNear(near);
}

export const completePicked = () => run(completeMany, true);

export const removePicked = () => run(removeMany, true);

/** @param {Task[]} tasks */
function besides(tasks) {
  const order = shownTasks();
  const ids = new Set(tasks.map(({ id }) => id));
  const rest = order.slice(order.findIndex(({ id }) => ids.has(id))).find(({ id }) => !ids.has(id));
  return (rest ?? order.findLast(({ id }) => !ids.has(id)))?.id ?? "";
}

/** @returns {Bar} */
function build() {
  const count = h("span", { class: "bulk-count", "aria-live": "polite" });
  const complete = button("check", "bulk.complete", completePicked);
  const ownTags = h("div", { class: "chips" });
  const root = h("section", { class: "bulk", "aria-label": t("bulk.label"), hidden: true },
    count, complete,
    menu("due", "upcoming", "bulk.schedule", [...dayButtons(), dayForm()]),
    menu("priority", "flag", "field.priority", LEVELS.map((level) => choice(t(`priority.${level}`), (tasks) => prioritizeMany(tasks, level)))),
    menu("tags", "tag", "field.tags", [tagForm(), ownTags]),
    button("trash", "panel.delete", removePicked, "danger"),
    button("all", "bulk.all", () => pickAll(shownTasks()), "all"),
    button("close", "bulk.clear", pickNone));
  $("#bulk").replaceWith(root);
  root.id = "bulk";
  return { root, count, complete, ownTags };
}

/** @param {string} mark @param {Key} words @param {() => void} onclick @param {string} [tone] */
const button = (mark, words, onclick, tone = "") =>
  h("button", { type: "button", class: `bulk-button ${tone}`, title: t(words), onclick }, icon(mark), h("span", {}, t(words)));

/** @param {string} name @param {string} mark @param {Key} words @param {HTMLElement[]} content */
function menu(name, mark, words, content) {
  const summary = h("summary", { class: "bulk-button", title: t(words) }, icon(mark), h("span", {}, t(words)));
  return h("details", { class: "menu menu-up", name: "menu", "data-menu": name }, summary, h("div", { class: "pop" }, content));
}

/** @param {string} words @param {(tasks: Task[]) => void} action */
const choice = (words, action) => h("button", { type: "button", class: "item", onclick: () => run(action) }, words);

const dayButtons = () => [
  ...NEAR_DAYS.map(([words, day]) => choice(t(words), (tasks) => scheduleMany(tasks, day()))),
  choice(t("due.none"), (tasks) => scheduleMany(tasks, null)),
];

function dayForm() {
  const input = h("input", { type: "date", required: true });
  const submit = (/** @type {Event} */ event) => {
    event.preventDefault();
    run((tasks) => scheduleMany(tasks, input.value));
  };
  return h("form", { class: "pair pair-end", onsubmit: submit }, h("label", { class: "field" }, h("span", {}, t("field.date")), input), h("button", { class: "quiet" }, t("remind.set")));
}

/** Adds a tag to all of them; they stay picked, since tags come in numbers. */
function tagForm() {
  const known = h("datalist", { id: "bulk-tags" });
  const input = h("input", { list: "bulk-tags", maxlength: 100, autocomplete: "off", enterkeyhint: "done" });
  input.addEventListener("focus", () => {
    known.replaceChildren(...countsOf(allTasks()).tags.map(({ tag }) => h("option", { value: tag })));
  });
  const add = (/** @type {Event} */ event) => {
    event.preventDefault();
    const tag = input.value.trim().replace(/^#/u, "");
    input.value = "";
    if (tag) tagMany(pickedTasks(), tag);
  };
  return h("form", { class: "pair pair-end", onsubmit: add }, h("label", { class: "field" }, h("span", {}, t("tags.add")), input), known, h("button", { class: "quiet" }, t("add.submit")));
}

/** @param {HTMLElement} root */
function closeMenus(root) {
  for (const open of root.querySelectorAll("details[open]")) open.removeAttribute("open");
}

/** Opens one of its menus and goes there; for keys and swipes. @param {"due" | "priority" | "tags"} name */
export function openMenu(name) {
  drawBulk();
  const found = /** @type {HTMLDetailsElement} */ ($(`#bulk [data-menu="${name}"]`));
  found.open = true;
  /** @type {HTMLElement} */ ($("input, button", $(".pop", found))).focus();
}
