/** The keyboard. What it can do is shown in the help. */

import { $ } from "../core/dom.js";
import { comesEarly, later } from "../core/later.js";
import { go, route } from "../core/router.js";
import { keep, read } from "../data/db.js";
import { rowId, serverId, taskOf } from "../data/store.js";
import { remove, toggle } from "./actions.js";
import { close, focusPart } from "./details.js";
import { grow, shownTasks } from "./list.js";
import { closeNav } from "./nav.js";
import { withPicked } from "./picked.js";
import { rowRoot } from "./row.js";
import { pick, pickAll, pickedTasks, pickNone, pickRange } from "./selection.js";
import { undoLast } from "./toast.js";

const GOTO_MS = 1200;
/** @type {Record<string, string>} */
const GOTO = { i: "/", t: "/today", u: "/upcoming", c: "/completed" };

/** Single keys can be switched off, for people who speak to their computer or brush the keys. */
let single = true;
let gotoUntil = 0;
let lastRow = "";
/** Letters that were pressed before the palette was there. */
let ahead = "";

const help = later(() => import("./help.js"));
const nudging = later(() => import("./nudge.js"));
const palette = later(() => import("./palette.js"));

/** @type {Record<string, () => void>} single keys, which can be switched off */
const MAP = {
  q: startAdding,
  "/": startSearching,
  j: () => move(1),
  k: () => move(-1),
  J: () => extend(1),
  K: () => extend(-1),
  x: () => withPicked((bulk) => bulk.completePicked()) || act(toggle),
  X: () => currentTask() && pick(currentTask()),
  e: () => details(),
  d: () => withPicked((bulk) => bulk.openMenu("due")) || details("due"),
  p: () => withPicked((bulk) => bulk.openMenu("priority")) || details("priority"),
  t: () => withPicked((bulk) => bulk.openMenu("tags")) || details("tagInput"),
  r: () => details("remind"),
  s: () => details("repeat"),
  Delete: () => withPicked((bulk) => bulk.removePicked()) || act(remove, true),
  u: undoLast,
  g: () => (gotoUntil = Date.now() + GOTO_MS),
  "?": openHelp,
};

/** @type {Record<string, () => void>} keys of lists everywhere, while a row has the focus */
const IN_LIST = {
  ArrowDown: () => move(1),
  ArrowUp: () => move(-1),
  "Shift+ArrowDown": () => extend(1),
  "Shift+ArrowUp": () => extend(-1),
  "Alt+ArrowDown": () => step(1),
  "Alt+ArrowUp": () => step(-1),
  "Mod+a": () => pickAll(shownTasks()),
};

export async function startKeys() {
  document.addEventListener("keydown", pressed);
  document.addEventListener("focusin", ({ target }) => {
    const row = target instanceof Element ? target.closest(".row") : null;
    if (row instanceof HTMLElement) lastRow = row.dataset.id ?? "";
  });
  document.addEventListener("click", ({ target }) => {
    for (const menu of document.querySelectorAll("details.menu[open]")) if (target instanceof Node && !menu.contains(target)) menu.removeAttribute("open");
  });
  single = (await read("kv", "single")) ?? true;
}

/** @param {KeyboardEvent} event */
function pressed(event) {
  const { key } = event;
  if (key === "Escape") return back(event);
  const chord = chordRun(event);
  if (chord) {
    event.preventDefault();
    return chord();
  }
  if (!isPlain(event)) return;
  if (key !== "Tab" && comesEarly()) return early(event);
  if (!single || route().page !== "list" || event.defaultPrevented || $("dialog[open]")) return;
  const place = gotoUntil > Date.now() ? GOTO[key] : undefined;
  gotoUntil = 0;
  const run = place ? () => visit(place) : MAP[key];
  if (!run) return;
  event.preventDefault();
  run();
}

/** Whether it could be a single key: nothing is being written, and no other key is held. @param {KeyboardEvent} event */
function isPlain({ target, ctrlKey, metaKey, altKey }) {
  const typing = target instanceof Element && target.matches("input:not([type=checkbox], [type=radio]), textarea, select");
  return !typing && !ctrlKey && !metaKey && !altKey;
}

/** What is pressed before that comes which it is meant for does nothing to tasks; letters wait for the palette. @param {KeyboardEvent} event */
function early(event) {
  event.preventDefault();
  if (event.key === "Backspace") ahead = ahead.slice(0, -1);
  else if (event.key.length === 1) ahead += event.key;
}

/** @param {KeyboardEvent} event @returns {string} like `Shift+ArrowDown`; `Mod` is Ctrl, on a Mac ⌘ */
function chordOf({ key, ctrlKey, metaKey, altKey, shiftKey }) {
  const held = [(ctrlKey || metaKey) && "Mod", altKey && "Alt", shiftKey && "Shift"];
  return [...held.filter(Boolean), key.length === 1 ? key.toLowerCase() : key].join("+");
}

/** What a key with others held down does; these are no single keys, and stay. @param {KeyboardEvent} event */
function chordRun(event) {
  const chord = chordOf(event);
  if (chord === "Mod+k" && route().page === "list") return openPalette;
  return event.target instanceof Element && event.target.matches(".row-title") ? IN_LIST[chord] : undefined;
}

/** @param {string} place */
export function visit(place) {
  go(place);
  $("#heading").focus();
}

/** One step back: an open menu, the field one is in, the details, the search. @param {KeyboardEvent} event */
function back(event) {
  const menu = $("details.menu[open]");
  const active = /** @type {HTMLElement | null} */ (document.activeElement);
  if ($("dialog[open]")) return;
  event.preventDefault();
  if (menu) {
    menu.removeAttribute("open");
    menu.querySelector("summary")?.focus();
  } else if (pickNone()) {
    if (active?.closest("#bulk")) move(0);
  } else if (active?.matches("#add-text, #search")) {
    active.blur();
    move(0);
  } else if (active?.matches("#panel textarea, #panel input")) $("#panel").focus();
  else if (route().task) close();
  else if (route().place.name === "search") visit("/");
  closeNav();
}

/** Picks this row and the next. @param {number} by rows */
function extend(by) {
  const from = currentTask();
  if (from && !pickedTasks().length) pick(from, true);
  move(by);
  if (from) pickRange(currentTask(), shownTasks());
}

/** Moves what is picked, or the task in hand, by a day or a priority. @param {number} by */
function step(by) {
  const task = taskOf(currentTask());
  const tasks = pickedTasks().length ? pickedTasks() : task ? [task] : [];
  nudging.use((loaded) => loaded.nudge(tasks, by));
}

export function openPalette() {
  closeNav();
  ahead = "";
  palette.atOnce((loaded) => loaded.openPalette(ahead));
}

/** The task in hand: the open one when the focus is in its details, otherwise the row with the focus. */
export function currentTask() {
  const inPanel = $("#panel").contains(document.activeElement);
  const inList = document.activeElement?.closest(".row");
  if (inList instanceof HTMLElement) return inList.dataset.id ?? "";
  return (inPanel && route().task) || lastRow || route().task || "";
}

/**
 * @param {(id: string) => void} action
 * @param {boolean} [leaves] the row goes away, and the focus to its neighbour
 * @param {string} [id]
 */
export function act(action, leaves = false, id = currentTask()) {
  if (!id || !rowRoot(id)?.isConnected && id !== route().task) return;
  const open = route().task === id;
  if (!open || leaves) move(1, id, true);
  if (open && leaves) close();
  action(id);
}

/** @param {string} [part] */
export function details(part) {
  const id = currentTask();
  // The row one was in may be of another place by now.
  if (!id || (route().task !== id && !rowRoot(id)?.isConnected)) return;
  if (route().task !== id) go(`/task/${id}`);
  focusPart(part);
}

/** @param {number} by rows @param {string} [from] @param {boolean} [leaves] that row goes away: from the last one, backwards */
function move(by, from = currentTask(), leaves = false) {
  let rows = [...document.querySelectorAll(".row[data-id]:not([data-leaving])")];
  const at = rows.findIndex((row) => row === rowRoot(rowId(serverId(from))));
  if (at + by > rows.length - 2 && !$("#more").hidden) {
    grow();
    rows = [...document.querySelectorAll(".row[data-id]:not([data-leaving])")];
  }
  const next = at < 0 ? rows[0] : (rows[at + by] ?? rows[leaves ? at - 1 : at]);
  const link = next?.querySelector("a");
  (link ?? $("#heading")).focus();
  link?.scrollIntoView({ block: "nearest" });
}

/** Puts the cursor where a new task is written. */
export function startAdding() {
  closeNav();
  const { place, page } = route();
  if (page === "list" && ["completed", "search", "settings"].includes(place.name)) go("/");
  $("#add-text").focus();
  $("#add-text").scrollIntoView({ block: "center" });
}

function startSearching() {
  if (route().place.name === "settings") go("/");
  $("#search").focus();
}

export function openHelp() {
  help.atOnce(({ showHelp }) => showHelp(single, (on) => {
    single = on;
    void keep("single", on);
  }));
}
