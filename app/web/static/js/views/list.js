/** The list of the current place. Draws a window of rows that grows while one scrolls, so 5,000 tasks stay quick. */

import { $, h, put, reconcile } from "../core/dom.js";
import { t } from "../core/messages.js";
import { groupsOf, isFiltered } from "../core/places.js";
import { route } from "../core/router.js";
import { retry } from "../data/sync.js";
import { allTasks, lingering, state } from "../data/store.js";
import { moveToToday } from "./actions.js";
import { rowFor, rowRoot } from "./row.js";
import { pickNone } from "./selection.js";

/** @import { Group, Place } from "../types" */

const FIRST_ROWS = 60;
const MORE_ROWS = 120;
/** Skeletons appear only when loading takes longer than one notices. */
const SKELETON_AFTER_MS = 300;
const LEAVE_MS = 180;

let limit = FIRST_ROWS;
let address = "";
/** @type {Group[]} */
let groups = [];
/** @type {Set<string | undefined>} tasks of the rows that are drawn */
let drawn = new Set();
/** Where the end of the list was last watched, and how full it was. */
let watched = "";
let slow = false;
setTimeout(() => {
  slow = true;
  drawList();
}, SKELETON_AFTER_MS);

/** @type {Map<string, {root: HTMLElement, title: HTMLElement, rows: HTMLElement, move?: HTMLElement, group: Group}>} */
const sections = new Map();

const watcher = new IntersectionObserver(
  ([entry]) => {
    if (!entry?.isIntersecting || $("#more").hidden) return;
    limit += MORE_ROWS;
    drawList();
  },
  { rootMargin: "1200px" },
);

/** Starts growing the list when its end comes near. */
export const watchEnd = () => watcher.observe($("#more"));

/** All tasks of the place in their order, also those that are not drawn yet. */
export const shownTasks = () => groups.flatMap((group) => group.tasks);

/** Puts the focus on a row, or on the heading when there is none. @param {string} id */
export const focusNear = (id) => (rowRoot(id)?.querySelector("a") ?? $("#heading")).focus();

/** Shows more rows, for a hand that walks down with the keyboard. */
export function grow() {
  limit += MORE_ROWS;
  drawList();
}

/** Draws the list as the store and the address say. */
export function drawList() {
  const { place, lens, page } = route();
  if (page !== "list" || (!state.user && !state.failed)) return;
  const here = JSON.stringify([place, lens]);
  const moved = here !== address;
  if (moved) limit = FIRST_ROWS;
  // What was picked in one place is not acted on from another.
  if (moved && address) pickNone();
  address = here;
  groups = groupsOf(place, lens, allTasks(), lingering);
  const total = groups.reduce((sum, group) => sum + group.tasks.length, 0);
  drawHead(place, total);
  let room = limit;
  const focused = /** @type {HTMLElement | null} */ (document.activeElement);
  const parts = groups.map((group) => {
    const tasks = group.tasks.slice(0, Math.max(0, room));
    room -= tasks.length;
    return { ...group, tasks };
  });
  drawn = new Set(parts.flatMap(({ tasks }) => tasks.map(({ id }) => id)));
  const wanted = parts.flatMap((part, index) =>
    part.tasks.length || part.tone ? [drawGroup(place, part, /** @type {Group} */ (groups[index]), moved ? undefined : leave)] : []);
  if (total === 0 && place.name !== "settings") wanted.push(emptyFor(place, isFiltered({ ...lens, q: place.name === "search" ? "" : lens.q })));
  reconcile($("#list"), wanted);
  // A row that went into a group which was not on the page yet lost the focus on its way.
  if (focused?.isConnected && document.activeElement === document.body) focused.focus({ preventScroll: true });
  // Seen again after it left the view, the observer reports anew; hidden at the end so that it stays quiet.
  $("#more").hidden = total <= limit;
  const end = `${address}${Math.min(total, limit)}`;
  if (end === watched) return;
  watched = end;
  watcher.unobserve($("#more"));
  watcher.observe($("#more"));
}

/** @param {Place} place @param {number} total */
function drawHead(place, total) {
  const title = place.tag ? `#${place.tag}` : t(`place.${/** @type {"inbox"} */ (place.name)}`);
  put($("#heading"), title);
  document.title = `${title} · Rondo`;
  put($("#count"), total ? t(place.name === "search" ? "list.matches" : "list.tasks", { n: total }) : "");
}

/** @param {Place} place @param {Group} group its visible part @param {Group} whole @param {(row: Element) => void} [go] how a row leaves */
function drawGroup(place, group, whole, go) {
  const key = place.name + (place.tag ?? "") + group.key;
  let section = sections.get(key);
  if (!section) sections.set(key, (section = buildGroup(group)));
  section.group = whole;
  section.root.dataset.drop = group.drop ?? "";
  put(section.title, group.heading);
  reconcile(section.rows, group.tasks.map(rowFor), go);
  return section.root;
}

/** @param {Group} group */
function buildGroup(group) {
  const title = h("h2", {});
  const rows = h("ul", { class: "rows" });
  const section = { root: h("section", { class: `group ${group.tone ?? ""}` }), title, rows, group };
  const move = h("button", { type: "button", class: "quiet", onclick: () => moveToToday(section.group.tasks) }, t("list.moveToday"));
  if (group.heading) section.root.append(h("div", { class: "group-head" }, title, group.tone && move));
  section.root.append(rows);
  return section;
}

/** A row folds away, so that the eye sees where it went. @param {Element} row */
function leave(row) {
  const id = /** @type {HTMLElement} */ (row).dataset.id;
  // It stands in another group now, which takes it; unless the task got the row of the change that made it.
  if (drawn.has(id) && rowRoot(id ?? "") === row) return;
  const still = matchMedia("(prefers-reduced-motion: reduce)").matches;
  const { height } = row.getBoundingClientRect();
  if (still || document.hidden || height === 0) return row.remove();
  row.setAttribute("data-leaving", "");
  const frames = [{ height: `${height}px`, opacity: 1 }, { height: "0", minHeight: "0", opacity: 0 }];
  const away = row.animate(frames, { duration: LEAVE_MS, easing: "ease-out" });
  away.onfinish = () => {
    const focused = row.matches(":focus-within");
    row.removeAttribute("data-leaving");
    row.remove();
    drawList();
    if (focused) $("#heading").focus();
  };
}

/** @param {Place} place @param {boolean} filtered @returns {HTMLElement} */
function emptyFor(place, filtered) {
  if (state.failed) {
    return h("div", { class: "empty" }, h("p", {}, t("app.failed")), h("button", { type: "button", class: "quiet", onclick: retry }, t("app.retry")));
  }
  if (!state.loaded) {
    const bones = Array.from({ length: 6 }, () => h("li", { class: "row bone" }, h("span", { class: "ring" }), h("span", { class: "bar-line" })));
    return slow ? h("ul", { class: "rows", "aria-label": t("list.loading") }, bones) : h("div", {});
  }
  const name = filtered ? "filtered" : /** @type {"inbox"} */ (place.name);
  return h("div", { class: "empty" }, h("p", { class: "empty-title" }, t(`empty.${name}`)), h("p", {}, t(`empty.${name}.more`)));
}
