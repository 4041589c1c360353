/** Two changes of the same field, side by side. Nothing is decided here; the user says what stays. */

import { h } from "../core/dom.js";
import { t, tOr } from "../core/messages.js";
import { differing } from "../data/comparing.js";
import { decide } from "../data/outbox.js";
import { opsOf } from "../data/store.js";
import { valueWords } from "./actions.js";

/** @import { Context } from "./panel.js" */
/** @import { Op, Task } from "../types" */

/** @param {Context} context @returns {(task: Task) => void} */
export function conflictPart({ part }) {
  let drawn = "";
  return ({ id }) => {
    const op = opsOf(id).find((each) => each.conflict);
    const state = op ? op.key + op.version : "";
    if (state === drawn) return;
    drawn = state;
    part("conflict").replaceChildren(...(op ? [box(op)] : []));
  };
}

/** @param {Op} op */
function box(op) {
  const theirs = /** @type {Task} */ (op.conflict);
  const names = differing(op, theirs);
  const rows = names.map((name) =>
    h("tr", {}, h("th", { scope: "row" }, tOr("field.", name)), h("td", {}, valueWords(name, op.body?.[name])), h("td", {}, valueWords(name, Reflect.get(theirs, name)))));
  const mine = h("button", { type: "button", class: "primary", onclick: () => decide(op, Object.keys(op.body ?? {})) }, t("conflict.keepMine"));
  const rest = Object.keys(op.body ?? {}).filter((name) => !names.includes(name));
  const other = h("button", { type: "button", class: "quiet", onclick: () => decide(op, rest) }, t("conflict.keepTheirs"));
  return h("section", { class: "clash" }, h("h2", {}, t("conflict.title")), h("p", {}, t("conflict.more")),
    h("table", {}, h("thead", {}, h("tr", {}, h("td", {}), h("th", { scope: "col" }, t("conflict.mine")), h("th", { scope: "col" }, t("conflict.theirs")))), h("tbody", {}, rows)),
    h("div", { class: "choices" }, mine, other));
}
