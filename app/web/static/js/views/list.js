/** The list of the current place. Draws a window of rows that grows while one scrolls, so 5,000 tasks stay quick. */

import { $, h, put, reconcile } from "../core/dom.js";
import { t } from "../core/messages.js";
import { groupsOf, isFiltered } from "../core/places.js";
import { route, spots } from "../core/router.js";
import { retry } from "../data/sync.js";
import { allTasks, lingering, rowId, state } from "../data/store.js";
import { moveToToday } from "./actions.js";
import { rowFor, rowRoot } from "./row.js";
import { pickNone } from "./selection.js";

/** @import { Group, Place } from "../types" */
/** @import { Spot } from "../core/router.js" */

const FIRST_ROWS = 60;
const MORE_ROWS = 120;
/** Skeletons appear only when loading takes longer than one notices. */
const SKELETON_AFTER_MS = 300;
const LEAVE_MS = 180;

/** @type {Spot | undefined} where one was before a reload, until its row is there */
let sought = history.state?.spot?.top ? history.state.spot : undefined;
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
  (entries) => {
    // Where frames are slow several come at once, and the last one is how it is.
    if (!entries.at(-1)?.isIntersecting || $("#more").hidden) return;
    limit += MORE_ROWS;
    drawList();
  },
  { rootMargin: "1200px" },
);

/** Starts growing the list when its end comes near. */
export const watchEnd = () => watcher.observe($("#more"));

/** All tasks of the place in their order, also those that are not drawn yet. */
export const shownTasks = () => groups.flatMap((group) => group.tasks);

/** @param {string} [id] */
const linkOf = (id = "") => rowRoot(id)?.querySelector("a");

/** Puts the focus on a row, or on the heading when there is none. @param {string} id */
export const focusNear = (id) => (linkOf(id) ?? $("#heading")).focus();

/** Puts the focus on a row that may not be drawn yet. @param {string} id */
export function reveal(id) {
  limit = Math.max(limit, 1 + shownTasks().findIndex((task) => rowId(task.id) === rowId(id)));
  drawList();
  focusNear(id);
  settled(() => linkOf(id)?.scrollIntoView({ block: "center" }));
}

/**
 * Heights of rows that were not seen yet are guesses: a place is right when the rows around it have been drawn.
 * @param {() => void} scroll
 * @param {number} [frames]
 */
function settled(scroll, frames = 3) {
  scroll();
  if (frames) requestAnimationFrame(() => settled(scroll, frames - 1));
}

/** @param {Element | null | undefined} row */
const idOf = (row) => /** @type {HTMLElement | null | undefined} */ (row)?.dataset.id ?? "";

spots.look = () => {
  // At its top a list stays there, whatever has come meanwhile.
  const top = [...$("#list").querySelectorAll(".row")].find((row) => window.scrollY > 0 && row.getBoundingClientRect().bottom > 0);
  const at = top?.getBoundingClientRect().top ?? 0;
  return { rows: limit, top: idOf(top), at, focus: idOf(document.activeElement?.closest(".row")) };
};

spots.restore = (spot, same) => {
  if (spot && spot.rows > limit) {
    limit = spot.rows;
    drawList();
  }
  const lost = document.activeElement === document.body ? $("#heading") : undefined;
  (linkOf(spot?.focus) ?? lost)?.focus({ preventScroll: !same });
  // A list that stayed beside its details is where one has scrolled it.
  if (!same && !goTo(spot)) scrollTo(0, 0);
};

/** @param {Spot | undefined} spot @returns {boolean} whether its row is there */
function goTo(spot) {
  const row = rowRoot(spot?.top ?? "");
  if (!spot || !row?.isConnected) return false;
  settled(() => row.isConnected && scrollBy(0, row.getBoundingClientRect().top - spot.at));
  return true;
}

/** Goes where one was before a reload, once its row is there. */
function resume() {
  if (!goTo(sought) && !state.loaded) return;
  linkOf(sought?.focus)?.focus({ preventScroll: true });
  sought = undefined;
}

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
  if (moved) limit = (!address && sought?.rows) || FIRST_ROWS;
  // What was picked in one place is not acted on from another.
  if (moved && address) {
    pickNone();
    sought = undefined;
  }
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
  if (sought) resume();
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
