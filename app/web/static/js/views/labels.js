/** Priority and tags in the details. */

import { $, h, icon, refill } from "../core/dom.js";
import { t } from "../core/messages.js";
import { countsOf } from "../core/places.js";
import { allTasks } from "../data/store.js";
import { toast } from "./toast.js";

/** @import { Context } from "./panel.js" */
/** @import { Priority, Task } from "../types" */

const LEVELS = /** @type {Priority[]} */ (["low", "medium", "high", "urgent"]);

/** @param {Context} context @returns {(task: Task) => void} */
export function priorityPart({ part, save }) {
  part("priority").append(...LEVELS.map((value) => {
    const input = h("input", { type: "radio", name: "priority", value, onchange: () => save({ priority: value }) });
    return h("label", { "data-priority": value }, input, h("span", {}, t(`priority.${value}`)));
  }));
  return ({ priority }) => {
    const input = part("priority").querySelector(`[value="${priority}"]`);
    if (!input.checked) input.checked = true;
  };
}

/** @param {Context} context @returns {(task: Task) => void} */
export function tagsPart({ part, task, save }) {
  const input = /** @type {HTMLInputElement} */ (part("tagInput"));
  const add = () => {
    const tag = input.value.trim().replace(/^#/u, "");
    input.value = "";
    if (!tag) return;
    const { tags } = task();
    if (tags.some((own) => own.toLowerCase() === tag.toLowerCase())) toast(t("tags.twice"));
    else save({ tags: [...tags, tag] });
  };
  input.addEventListener("keydown", (event) => {
    const last = task().tags.at(-1);
    if (event.key === "Enter" || event.key === ",") {
      event.preventDefault();
      add();
    } else if (event.key === "Backspace" && !input.value && last) save({ tags: task().tags.slice(0, -1) });
  });
  input.addEventListener("blur", add);
  input.addEventListener("focus", () => {
    $("#known-tags").replaceChildren(...countsOf(allTasks()).tags.map(({ tag }) => h("option", { value: tag })));
  });
  /** @param {string} tag */
  const drop = (tag) => {
    save({ tags: task().tags.filter((each) => each !== tag) });
    input.focus();
  };
  let drawn = "";
  return ({ tags }) => {
    if (drawn === tags.join("\n")) return;
    drawn = tags.join("\n");
    refill(part("tags"), tags.map((tag) =>
      h("button", { type: "button", class: "chip", "aria-label": t("tags.remove", { tag }), onclick: () => drop(tag) }, `#${tag}`, icon("close"))));
  };
}
