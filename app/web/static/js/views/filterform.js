/** The form behind the filter button: order, filters, and a name to keep them under; and the chips that say what is active. */

import { dayWords } from "../core/dates.js";
import { $, clone, h, icon, reconcile } from "../core/dom.js";
import { t } from "../core/messages.js";
import { countsOf, naturalOrder } from "../core/places.js";
import { listAddress, route } from "../core/router.js";
import { dropView, savedViews, saveView } from "../data/savedviews.js";
import { allTasks } from "../data/store.js";
import { show } from "./filters.js";
import { toast } from "./toast.js";

/** @import { Lens, Place } from "../types" */
/** @import { Key } from "../core/messages.js" */

const SORTS = /** @type {const} */ (["", "createdAt", "dueDate", "priority", "title"]);
const LEVELS = /** @type {const} */ (["urgent", "high", "medium", "low"]);
/** What a place can show besides what it is there for. @type {Partial<Record<Place["name"], [string, Key][]>>} */
const STATES = {
  inbox: [["", "filter.open"], ["true", "place.completed"]],
  tag: [["", "filter.open"], ["true", "place.completed"]],
  search: [["", "filter.both"], ["false", "filter.open"], ["true", "place.completed"]],
};

/** @type {ReturnType<typeof clone> | undefined} */
let form;

function build() {
  const built = clone("filter");
  const { part } = built;
  $("#filter-pop").append(built.root);
  part("sort").append(...SORTS.map((name) => h("option", { value: name }, t(`sort.${name}`))));
  part("sort").onchange = () => show({ sort: part("sort").value, order: "" });
  part("order").onclick = () => {
    const { place, lens } = route();
    // As the list is when nothing is said.
    const sort = lens.sort || (["today", "upcoming"].includes(place.name) ? "dueDate" : "createdAt");
    const now = lens.order || naturalOrder(sort);
    show({ sort, order: now === "asc" ? "desc" : "asc" });
  };
  part("state").onchange = () => show({ completed: part("state").value });
  for (const name of ["dueAfter", "dueBefore"]) part(name).addEventListener("blur", () => put(name, part(name).value));
  for (const name of ["dueAfter", "dueBefore"]) part(name).addEventListener("keydown", (/** @type {KeyboardEvent} */ event) => event.key === "Enter" && put(name, part(name).value));
  part("priorities").append(...LEVELS.map((level) => choice("priority", level, t(`priority.${level}`))));
  part("save").onsubmit = (/** @type {Event} */ event) => {
    event.preventDefault();
    save(part("name").value.trim());
  };
  part("drop").onclick = () => {
    const name = part("name").value;
    const undo = dropView(listAddress());
    toast(t("view.dropped", { name }), { undo });
  };
  return built;
}

/** A date counts when it is left: while one types, it is a day of the year 2. @param {string} name @param {string} value */
function put(name, value) {
  if (Reflect.get(route().lens, name) !== value) show({ [name]: value });
}

/** @param {string} name */
function save(name) {
  if (!name) return;
  saveView({ name, address: listAddress() });
  toast(t("view.saved", { name }));
  $("#filter").removeAttribute("open");
  $("#filter > summary").focus();
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
let drawnStates = "";
let drawnView = "";

/** Draws the form as the address says. */
export function drawForm() {
  const { root, part } = (form ??= build());
  const { place, lens } = route();
  part("sort").value = lens.sort;
  const backwards = lens.order !== "" && lens.order !== naturalOrder(lens.sort);
  part("order").setAttribute("aria-pressed", String(backwards));
  reconcile(part("tags"), countsOf(allTasks()).tags.map(({ tag }) => {
    const known = tagChoices.get(tag) ?? choice("tags", tag, `#${tag}`);
    tagChoices.set(tag, known);
    return known;
  }));
  const picked = [...lens.priority.map((each) => `priority:${each}`), ...lens.tags.map((each) => `tags:${each}`)];
  for (const label of root.querySelectorAll("label.choice")) {
    const box = /** @type {HTMLInputElement} */ (label.querySelector("input"));
    box.checked = picked.includes(label.getAttribute("data-value") ?? "");
  }
  for (const name of /** @type {const} */ (["dueAfter", "dueBefore"])) if (document.activeElement !== part(name)) part(name).value = lens[name];
  drawStates(place, lens);
  drawView();
}

/** @param {Place} place @param {Lens} lens */
function drawStates(place, lens) {
  const part = /** @type {NonNullable<typeof form>} */ (form).part;
  const states = STATES[place.name] ?? [];
  part("stateField").hidden = !states.length;
  if (drawnStates !== place.name) part("state").replaceChildren(...states.map(([value, words]) => h("option", { value }, t(words))));
  drawnStates = place.name;
  part("state").value = lens.completed;
}

/** Its name can be changed where it was given. */
function drawView() {
  const part = /** @type {NonNullable<typeof form>} */ (form).part;
  const address = listAddress();
  const view = savedViews().find((each) => each.address === address);
  part("save").hidden = !address.includes("?");
  part("drop").hidden = !view;
  const state = address + (view?.name ?? "");
  if (state !== drawnView) part("name").value = view?.name ?? "";
  drawnView = state;
}

let drawnActive = "";

/** What is filtered, and the order: each can be taken away. @param {Lens} lens */
export function drawActive(lens) {
  const state = JSON.stringify({ ...lens, q: "" });
  if (state === drawnActive) return;
  drawnActive = state;
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
