/**
 * Views with a name: an address of a list that somebody wants again. The API has no room for them, so they are kept in
 * this browser, per account, and stay when one signs out. Other windows of the browser learn of them at once.
 */

import { keep, read } from "./db.js";
import { changed, state } from "./store.js";

/** @typedef {{name: string, address: string}} View */

const windows = "BroadcastChannel" in globalThis ? new BroadcastChannel("rondo-views") : null;
/** @type {View[]} */
let views = [];
/** Whose they are. */
let owner = "";

windows?.addEventListener("message", () => void load());

/** By name, in the order they were saved. */
export const savedViews = () => views;

/** Reads the views of whoever is signed in, once. */
export function recallViews() {
  if (!state.user || state.user.id === owner) return;
  owner = state.user.id;
  views = [];
  void load();
}

async function load() {
  const found = await read("kv", keyOf());
  views = Array.isArray(found) ? found : [];
  changed();
}

const keyOf = () => `views-${owner}`;

/** @param {View[]} wanted */
function store(wanted) {
  views = wanted;
  changed();
  void keep(keyOf(), wanted).then(() => windows?.postMessage(""));
}

/** Saves it; the same name or the same address is replaced. @param {View} view */
export function saveView(view) {
  const rest = views.filter((each) => each.name.toLowerCase() !== view.name.toLowerCase() && each.address !== view.address);
  store([...rest, view]);
}

/** @param {string} address @returns {() => void} brings it back */
export function dropView(address) {
  const before = views;
  store(views.filter((each) => each.address !== address));
  return () => store(before);
}
