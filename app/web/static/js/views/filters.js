/** Search, filters and order: all of them live in the address, so a view can be shared and the back button works. */

import { $, h, icon } from "../core/dom.js";
import { later } from "../core/later.js";
import { dayWords } from "../core/dates.js";
import { t } from "../core/messages.js";
import { isFiltered, readyToSearch } from "../core/places.js";
import { addressOf, go, route } from "../core/router.js";
import { allTasks } from "../data/store.js";

/** @import { Lens } from "../types" */

const form = later(() => import("./filterform.js"));
const search = () => /** @type {HTMLInputElement} */ ($("#search"));

export function startFilters() {
  $("#filter").addEventListener("toggle", drawFilters);
  search().addEventListener("input", searched);
  search().addEventListener("focus", () => readyToSearch(allTasks()));
}

/** Typing looks through everything; an emptied field goes back to where one came from. */
function searched() {
  const { place, lens } = route();
  const q = search().value;
  if (place.name === "search" && !q) return go(back, { replace: true });
  if (place.name !== "search") back = addressOf(place, { ...lens, q: "" });
  go(addressOf({ name: "search" }, { ...lens, q }), { replace: place.name === "search" });
}

let back = "/";

/** Each filter is a step that Back takes back. @param {Partial<Lens>} values */
export function show(values) {
  const { place, lens } = route();
  go(addressOf(place, { ...lens, ...values }));
}

export function drawFilters() {
  const { place, lens } = route();
  if (document.activeElement !== search()) search().value = place.name === "search" ? lens.q : "";
  $("#filter > summary").classList.toggle("on", isFiltered({ ...lens, q: "" }) || lens.sort !== "");
  if ($("#filter").hasAttribute("open")) form.use((loaded) => loaded.drawForm());
  drawActive(lens);
}

let drawn = "";

/** @param {Lens} lens */
function drawActive(lens) {
  const state = JSON.stringify({ ...lens, q: "" });
  if (state === drawn) return;
  drawn = state;
  /** @type {[string, Partial<Lens>][]} */
  const active = [];
  if (lens.completed) active.push([t(lens.completed === "true" ? "place.completed" : "filter.open"), { completed: "" }]);
  for (const level of lens.priority) active.push([t(`priority.${level}`), { priority: lens.priority.filter((one) => one !== level) }]);
  for (const tag of lens.tags) active.push([`#${tag}`, { tags: lens.tags.filter((one) => one !== tag) }]);
  if (lens.dueAfter) active.push([t("filter.from", { day: dayWords(lens.dueAfter) }), { dueAfter: "" }]);
  if (lens.dueBefore) active.push([t("filter.before", { day: dayWords(lens.dueBefore) }), { dueBefore: "" }]);
  const arrow = lens.order ? (lens.order === "asc" ? " ↑" : " ↓") : "";
  if (lens.sort) active.push([`${t("filter.sort")} ${t(`sort.${lens.sort}`)}${arrow}`, { sort: "", order: "" }]);
  $("#active-filters").replaceChildren(...active.map(([label, without]) =>
    h("button", { type: "button", class: "chip", "aria-label": t("filter.remove", { label }), onclick: () => show(without) }, label, icon("close"))));
}
