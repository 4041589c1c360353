/** Search, filters and order: all of them live in the address, so a view can be shared and the back button works. */

import { $ } from "../core/dom.js";
import { later } from "../core/later.js";
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
  search().addEventListener("keydown", toResults);
}

/** Typing looks through everything; an emptied field goes back to where one came from. */
function searched() {
  const { place, lens } = route();
  const q = search().value;
  if (place.name === "search" && !q) return go(back, { replace: true });
  if (place.name !== "search") back = addressOf(place, { ...lens, q: "" });
  go(addressOf({ name: "search" }, { ...lens, q }), { replace: place.name === "search" });
}

/** From the words to what they found. @param {KeyboardEvent} event */
function toResults(event) {
  if (!["ArrowDown", "Enter"].includes(event.key) || event.isComposing) return;
  event.preventDefault();
  /** @type {HTMLElement | null} */ (document.querySelector("#list .row-title"))?.focus();
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
  const active = isFiltered({ ...lens, q: "" }) || lens.sort !== "";
  $("#filter > summary").classList.toggle("on", active);
  if (active || form.now()) form.use((loaded) => loaded.drawActive(route().lens));
  if ($("#filter").hasAttribute("open")) form.use((loaded) => loaded.drawForm());
}
