/**
 * The command palette: one field from which everything can be reached. A combobox with a list, as the ARIA Authoring
 * Practices describe it: the focus stays in the field, the active option is named by `aria-activedescendant`.
 */

import { $, h, icon } from "../core/dom.js";
import { t } from "../core/messages.js";
import { commandsFor } from "./commands.js";

/** @import { Command } from "./commands.js" */

/** @type {Command[]} as they stand in the list */
let shown = [];
let active = 0;
/** @type {((typed: string) => Command[]) | undefined} */
let find;

const dialog = () => /** @type {HTMLDialogElement} */ ($("#palette"));
const input = () => /** @type {HTMLInputElement} */ ($("#palette-text"));

/** Opens it for the task in hand; once more closes it. @param {string} [typed] before it was there */
export function openPalette(typed = "") {
  if (dialog().open) return dialog().close();
  if (!dialog().firstChild) build();
  find = commandsFor();
  input().value = typed;
  dialog().showModal();
  draw();
}

function build() {
  const field = h("input", {
    id: "palette-text", type: "text", role: "combobox", autocomplete: "off", spellcheck: "false", "aria-expanded": "true",
    "aria-controls": "palette-list", "aria-label": t("palette.label"), placeholder: t("palette.hint"), oninput: draw, onkeydown: pressed,
  });
  dialog().append(
    h("label", { class: "palette-field" }, icon("search"), field, h("kbd", { "aria-hidden": "true" }, "Esc")),
    h("div", { id: "palette-list", class: "palette-list", role: "listbox", "aria-label": t("palette.list"), tabindex: "-1" }),
    h("p", { id: "palette-count", class: "unseen", "aria-live": "polite" }),
  );
  dialog().addEventListener("click", ({ target }) => target === dialog() && dialog().close());
}

function draw() {
  const groups = Map.groupBy(find?.(input().value.trim()) ?? [], (command) => command.group);
  shown = [...groups.values()].flat();
  active = 0;
  let index = 0;
  $("#palette-list").replaceChildren(...[...groups].map(([name, commands], at) =>
    h("div", { role: "group", "aria-labelledby": `palette-group-${at}` }, h("p", { class: "palette-group", id: `palette-group-${at}` }, name),
      commands.map((command) => option(command, index++)))));
  $("#palette-list").scrollTop = 0;
  $("#palette-count").textContent = t("palette.found", { n: shown.length });
  mark();
}

/** @param {Command} command @param {number} index */
function option({ words, mark: name, keys, current }, index) {
  const more = current ? icon("check") : keys && h("kbd", {}, keys);
  return h("div", { role: "option", class: "palette-option", id: `palette-${index}`, onclick: () => run(index), onpointermove: () => go(index) },
    icon(name), h("span", {}, words), more);
}

/** @param {number} index */
function go(index) {
  if (index === active) return;
  active = index;
  mark();
}

/** Says which option is active, to eyes and ears. */
function mark() {
  for (const option of $("#palette-list").querySelectorAll("[role=option]")) option.setAttribute("aria-selected", String(option.id === `palette-${active}`));
  const option = document.getElementById(`palette-${active}`);
  if (option) input().setAttribute("aria-activedescendant", option.id);
  else input().removeAttribute("aria-activedescendant");
  option?.scrollIntoView({ block: active === 0 ? "end" : "nearest" });
}

/** @param {KeyboardEvent} event */
function pressed(event) {
  const steps = /** @type {Record<string, number>} */ ({ ArrowDown: 1, ArrowUp: -1, PageDown: 8, PageUp: -8 });
  const by = steps[event.key] ?? 0;
  const far = Math.abs(by) > 1;
  if (event.key === "Enter" && !event.isComposing) run(active);
  else if (far) go(Math.min(Math.max(active + by, 0), shown.length - 1));
  else if (by) go((active + by + shown.length) % shown.length);
  else return;
  event.preventDefault();
}

/** Closing gives the focus back to where it was; from there the command goes on. @param {number} index */
function run(index) {
  const command = shown[index];
  if (!command) return;
  dialog().close();
  command.run();
}
