/** The list of keys, and the switch that turns the single ones off. */

import { $, clone, h } from "../core/dom.js";
import { t } from "../core/messages.js";

/** @import { Key } from "../core/messages.js" */

/** @type {[keys: string, what: Key][]} */
const KEYS = [
  ["q", "help.quickAdd"], ["/", "help.search"], ["Ctrl+K", "palette.label"], ["j k", "help.move"], ["x", "help.complete"], ["e ↵", "help.open"],
  ["d", "help.due"], ["Alt+↑ Alt+↓", "help.nudge"], ["p", "help.priority"], ["t", "help.tags"], ["r", "help.remind"], ["s", "help.repeat"],
  ["X", "help.pick"], ["J K", "help.pickMore"], ["Ctrl+A", "bulk.all"],
  ["Del", "help.delete"], ["u", "help.undo"], ["g i/t/u/c", "help.goto"], ["?", "help.help"], ["Esc", "help.back"],
];

/**
 * @param {boolean} single whether single keys are on
 * @param {(on: boolean) => void} changeSingle
 */
export function showHelp(single, changeSingle) {
  const dialog = /** @type {HTMLDialogElement} */ ($("#help"));
  const { root, part } = clone("help");
  part("keys").append(...KEYS.flatMap(([keys, what]) => [h("dt", {}, keys.split(" ").map((key) => h("kbd", {}, key))), h("dd", {}, t(what))]));
  part("single").checked = single;
  part("single").onchange = () => changeSingle(part("single").checked);
  dialog.replaceChildren(root);
  dialog.showModal();
}
