/** What a mouse and a thumb do in the list. Picking is here; dragging and swiping are fetched at the first touch. */

import { $ } from "../core/dom.js";
import { later } from "../core/later.js";
import { shownTasks } from "./list.js";
import { isPicked, pick, pickedTasks, pickRange } from "./selection.js";

const pointing = later(() => import("./pointing.js"));
let byTouch = false;
/** The pointer that is down now: it may be up again before the module is there. */
let down = -1;

export function startHands() {
  const list = $("#list");
  list.addEventListener("pointerdown", (event) => {
    byTouch = event.pointerType === "touch";
    const row = rowOf(event);
    if (!row || event.button !== 0) return;
    down = event.pointerId;
    pointing.use((loaded) => down === event.pointerId && loaded.began(event, row));
  });
  for (const end of ["pointerup", "pointercancel"]) addEventListener(end, () => (down = -1), { capture: true });
  list.addEventListener("click", clicked, true);
  // Links can be dragged by themselves, and a long press has a menu; here both mean the task.
  list.addEventListener("dragstart", (event) => event.preventDefault());
  list.addEventListener("contextmenu", (event) => byTouch && rowOf(event) && event.preventDefault());
}

/** @param {Event} event */
const rowOf = ({ target }) => (target instanceof Element ? target.closest(/** @type {"li"} */ (".row[data-id]")) : null);

/** @param {MouseEvent} event */
function clicked(event) {
  const row = rowOf(event);
  const target = /** @type {Element} */ (event.target);
  if (!row || target.closest(".ring")) return;
  const id = row.dataset.id ?? "";
  const box = target.closest(".pick");
  const picking = byTouch && pickedTasks().length > 0;
  if (!box && !picking && !event.shiftKey) return;
  event.preventDefault();
  if (event.shiftKey && !isPicked(id)) pickRange(id, shownTasks());
  else pick(id);
}
