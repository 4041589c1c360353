/** Search, filters and order: all of them live in the address, so a view can be shared and the back button works. */

import { $, clone, h, icon, reconcile } from "../core/dom.js";
import { t } from "../core/messages.js";
import { countsOf, naturalOrder } from "../core/places.js";
import { addressOf, go, route } from "../core/router.js";
import { allTasks } from "../data/store.js";

/** @import { Lens, Priority } from "../types" */

const SORTS = /** @type {const} */ (["", "createdAt", "dueDate", "priority", "title"]);
const LEVELS = /** @type {const} */ (["urgent", "high", "medium", "low"]);

/** @type {ReturnType<typeof clone>} */
let form;
const search = () => /** @type {HTMLInputElement} */ ($("#search"));

export function startFilters() {
  form = clone("filter");
  $("#filter-pop").append(form.root);
  const sort = form.part("sort");
  sort.append(...SORTS.map((name) => h("option", { value: name }, t(`sort.${name}`))));
  sort.onchange = () => show({ sort: sort.value, order: "" });
  form.part("order").onclick = () => {
    const { lens } = route();
    const now = lens.order || naturalOrder(lens.sort);
    show({ sort: lens.sort || "createdAt", order: now === "asc" ? "desc" : "asc" });
  };
  form.part("priorities").append(...LEVELS.map((level) => choice("priority", level, t(`priority.${level}`))));
  search().addEventListener("input", searched);
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

/** @param {Partial<Lens>} values */
function show(values) {
  const { place, lens } = route();
  go(addressOf(place, { ...lens, ...values }), { replace: true });
}

/** @param {"priority" | "tags"} name @param {string} value @param {string} words */
function choice(name, value, words) {
  const onchange = (/** @type {Event} */ event) => {
    const others = /** @type {string[]} */ (route().lens[name]).filter((each) => each !== value);
    const { checked } = /** @type {HTMLInputElement} */ (event.target);
    show({ [name]: checked ? [...others, value] : others });
  };
  return h("label", { class: "choice", "data-value": `${name}:${value}` }, h("input", { type: "checkbox", onchange }), h("span", {}, words));
}

/** @type {Map<string, HTMLElement>} */
const tagChoices = new Map();

export function drawFilters() {
  const { place, lens } = route();
  if (document.activeElement !== search()) search().value = place.name === "search" ? lens.q : "";
  form.part("sort").value = lens.sort;
  const backwards = lens.order !== "" && lens.order !== naturalOrder(lens.sort);
  form.part("order").setAttribute("aria-pressed", String(backwards));
  reconcile(form.part("tags"), countsOf(allTasks()).tags.map(({ tag }) => {
    const known = tagChoices.get(tag) ?? choice("tags", tag, `#${tag}`);
    tagChoices.set(tag, known);
    return known;
  }));
  const picked = [...lens.priority.map((each) => `priority:${each}`), ...lens.tags.map((each) => `tags:${each}`)];
  for (const label of form.root.querySelectorAll("label.choice")) {
    const box = /** @type {HTMLInputElement} */ (label.querySelector("input"));
    box.checked = picked.includes(label.getAttribute("data-value") ?? "");
  }
  $("#filter > summary").classList.toggle("on", picked.length > 0 || lens.sort !== "");
  drawActive(lens);
}

/** @param {Lens} lens */
function drawActive(lens) {
  /** @type {[string, Partial<Lens>][]} */
  const active = [
    ...lens.priority.map((/** @type {Priority} */ each) => /** @type {[string, Partial<Lens>]} */ ([t(`priority.${each}`), { priority: lens.priority.filter((one) => one !== each) }])),
    ...lens.tags.map((each) => /** @type {[string, Partial<Lens>]} */ ([`#${each}`, { tags: lens.tags.filter((one) => one !== each) }])),
  ];
  if (lens.sort) active.push([`${t("filter.sort")} ${t(`sort.${lens.sort}`)}${lens.order ? (lens.order === "asc" ? " ↑" : " ↓") : ""}`, { sort: "", order: "" }]);
  $("#active-filters").replaceChildren(...active.map(([label, without]) =>
    h("button", { type: "button", class: "chip", "aria-label": t("filter.remove", { label }), onclick: () => show(without) }, label, icon("close"))));
}
