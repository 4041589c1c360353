/** A row under a thumb: to the end of the line completes it, back to its beginning schedules it. */

import { h, icon } from "../core/dom.js";
import { t } from "../core/messages.js";
import { taskOf } from "../data/store.js";
import { toggle } from "./actions.js";
import { openMenu } from "./bulk.js";
import { swallowClick } from "./pointing.js";
import { pick, pickNone } from "./selection.js";

/** From here on letting go means it. */
const MEANT_PX = 88;

/**
 * @param {PointerEvent} first
 * @param {HTMLElement} row
 */
export function startSwipe(first, row) {
  const ending = new AbortController();
  const { signal } = ending;
  const id = row.dataset.id ?? "";
  const mark = h("span", { class: "swipe-mark", "aria-hidden": "true" });
  let distance = 0;
  row.prepend(mark);

  /** @param {PointerEvent} event */
  function moved(event) {
    if (event.pointerId !== first.pointerId) return;
    distance = event.clientX - first.clientX;
    const forward = distance > 0 === (getComputedStyle(row).direction === "ltr");
    const side = forward ? "complete" : "schedule";
    if (row.dataset.swipe !== side) mark.replaceChildren(icon(forward ? "check" : "upcoming"), words(id, forward));
    row.dataset.swipe = side;
    row.toggleAttribute("data-meant", Math.abs(distance) > MEANT_PX);
    row.style.setProperty("--swipe", `${distance}px`);
    row.style.setProperty("--swept", `${Math.abs(distance)}px`);
  }

  function end() {
    ending.abort();
    delete row.dataset.swipe;
    row.removeAttribute("data-meant");
    for (const name of ["--swipe", "--swept"]) row.style.removeProperty(name);
    mark.remove();
    swallowClick();
  }

  function release() {
    const meant = Math.abs(distance) > MEANT_PX ? row.dataset.swipe : "";
    end();
    if (meant === "complete") toggle(id);
    if (meant !== "schedule") return;
    pickNone();
    pick(id, true);
    openMenu("due");
  }
  addEventListener("pointermove", moved, { signal });
  addEventListener("pointerup", release, { signal });
  addEventListener("pointercancel", end, { signal });
}

/** @param {string} id @param {boolean} forward */
const words = (id, forward) => t(forward ? (taskOf(id)?.completed ? "bulk.reopen" : "bulk.complete") : "bulk.schedule");
