/** A pointer went down on a row: a mouse drags it, a thumb swipes it or holds it to pick it. */

import { startDrag } from "./dragging.js";
import { pick } from "./selection.js";
import { startSwipe } from "./swiping.js";

/** A mouse trembles. */
const DRAG_AFTER_PX = 6;
const SWIPE_AFTER_PX = 12;
const HOLD_MS = 450;

/**
 * @param {PointerEvent} first
 * @param {HTMLElement} row
 */
export function began(first, row) {
  const touch = first.pointerType === "touch";
  const ending = new AbortController();
  const { signal } = ending;
  const hold = touch ? window.setTimeout(held, HOLD_MS) : 0;

  function held() {
    ending.abort();
    swallowClick();
    navigator.vibrate?.(10);
    pick(row.dataset.id ?? "");
  }

  /** @param {PointerEvent} event */
  function moved(event) {
    if (event.pointerId !== first.pointerId) return;
    if (!event.buttons) return end();
    const [x, y] = [Math.abs(event.clientX - first.clientX), Math.abs(event.clientY - first.clientY)];
    if (Math.max(x, y) < (touch ? SWIPE_AFTER_PX : DRAG_AFTER_PX)) return;
    end();
    if (touch && x > y) startSwipe(first, row);
    if (!touch) startDrag(event, row);
  }

  function end() {
    clearTimeout(hold);
    ending.abort();
  }
  addEventListener("pointermove", moved, { signal });
  addEventListener("pointerup", end, { signal });
  addEventListener("pointercancel", end, { signal });
}

/** The click that follows a gesture is not one. */
export function swallowClick() {
  const swallow = (/** @type {Event} */ event) => {
    event.preventDefault();
    event.stopPropagation();
  };
  const options = { capture: true, once: true };
  addEventListener("click", swallow, options);
  addEventListener("pointerdown", () => removeEventListener("click", swallow, options), options);
}
