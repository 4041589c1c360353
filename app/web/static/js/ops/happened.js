/** What happened since the page was opened, newest first; a screen reader hears each new line. */

import { $, h, reconcile } from "../core/dom.js";
import { t } from "../core/messages.js";
import { clock } from "./words.js";

/** @import { Happening } from "./types" */
/** @import { Model } from "./model.js" */

/** @type {WeakMap<Happening, HTMLElement>} */
const lines = new WeakMap();

/** @param {Model} model */
export function drawHappened({ happened }) {
  $("#happened-none").hidden = happened.length > 0;
  reconcile($("#happened"), happened.map((each) => lines.get(each) ?? line(each)));
}

/** @param {Happening} happening */
function line(happening) {
  const { kind, at, name = "", detail = "", n = 0 } = happening;
  const words = kind === "asked" || (kind === "away" && detail) ? detail : t(`opsHappened.${kind}`, { name, n });
  const made = h("li", { "data-kind": kind }, h("time", {}, clock(at)), h("span", {}, words, kind === "crashed" && detail ? h("small", {}, detail) : null));
  lines.set(happening, made);
  return made;
}
