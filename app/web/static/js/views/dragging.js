/**
 * A row under a mouse: dropped on a day, a place, a tag or a group it becomes what that says. Whatever has `data-drop`
 * takes it. Each of these has a key as well; see the help.
 */

import { h, icon } from "../core/dom.js";
import { addDays, dayWords, today } from "../core/dates.js";
import { t } from "../core/messages.js";
import { NEAR_DAYS } from "../core/neardays.js";
import { taskOf } from "../data/store.js";
import { completeMany, prioritizeMany, scheduleMany, tagMany } from "./many.js";
import { swallowClick } from "./pointing.js";
import { isPicked, pickedTasks, pickNone } from "./selection.js";

/** @import { Priority, Task } from "../types" */

/** So near to an edge the page begins to scroll. */
const EDGE_PX = 56;
const SCROLL_PX = 12;

/**
 * @param {PointerEvent} first
 * @param {HTMLElement} row
 */
export function startDrag(first, row) {
  const tasks = dragged(row.dataset.id ?? "");
  const ending = new AbortController();
  const { signal } = ending;
  const hint = h("small", {});
  const title = tasks.length === 1 ? tasks[0]?.title : t("many.tasks", { n: tasks.length });
  const ghost = h("div", { class: "ghost", "aria-hidden": "true" }, h("span", { class: "ghost-title" }, title), hint);
  const dock = buildDock();
  document.body.append(dock, ghost);
  document.documentElement.classList.add("dragging");
  /** @type {HTMLElement | null} */
  let target = null;
  let [x, y] = [first.clientX, first.clientY];
  const timer = window.setInterval(scroll, 16);

  /** @param {PointerEvent} event */
  function moved(event) {
    if (event.pointerId !== first.pointerId) return;
    event.preventDefault();
    [x, y] = [event.clientX, event.clientY];
    look();
  }

  function look() {
    ghost.style.transform = `translate(${x + 12}px, ${y + 8}px)`;
    const under = document.elementFromPoint(x, y)?.closest("[data-drop]");
    const found = under instanceof HTMLElement && under.dataset.drop ? under : null;
    if (found !== target) target?.removeAttribute("data-over");
    found?.setAttribute("data-over", "");
    target = found;
    hint.replaceChildren(...(target ? [icon("chevron"), dropWords(target.dataset.drop ?? "")] : []));
  }

  function scroll() {
    const by = y < EDGE_PX ? -SCROLL_PX : y > innerHeight - EDGE_PX ? SCROLL_PX : 0;
    if (!by || target?.closest(".dock, .nav")) return;
    scrollBy({ top: by, behavior: "instant" });
    look();
  }

  function end() {
    clearInterval(timer);
    ending.abort();
    ghost.remove();
    dock.remove();
    target?.removeAttribute("data-over");
    document.documentElement.classList.remove("dragging");
    swallowClick();
  }

  function release() {
    const drop = target?.dataset.drop;
    end();
    if (!drop) return;
    dropOn(drop, tasks);
    pickNone();
  }
  addEventListener("pointermove", moved, { signal });
  addEventListener("pointerup", release, { signal });
  addEventListener("pointercancel", end, { signal });
  addEventListener("keydown", (event) => {
    if (event.key !== "Escape") return;
    event.stopPropagation();
    end();
  }, { signal, capture: true });
  look();
}

/** All picked ones when it is one of them. @param {string} id @returns {Task[]} */
function dragged(id) {
  const task = taskOf(id);
  return isPicked(id) ? pickedTasks() : task ? [task] : [];
}

/** Near days, there while something is dragged. */
function buildDock() {
  const days = NEAR_DAYS.map(([words, day]) => h("span", { class: "dock-day", "data-drop": `due:${day()}` }, t(words)));
  return h("div", { class: "dock", "aria-hidden": "true" }, days, h("span", { class: "dock-day", "data-drop": "due:" }, t("due.none")));
}

/** @param {string} drop @returns {[kind: string, value: string]} */
function read(drop) {
  const at = drop.indexOf(":");
  const value = drop.slice(at + 1);
  const days = /** @type {Record<string, string>} */ ({ today: today(), tomorrow: addDays(today(), 1) });
  return [drop.slice(0, at), drop.startsWith("due:") ? (days[value] ?? value) : value];
}

/** @param {string} drop */
function dropWords(drop) {
  const [kind, value] = read(drop);
  if (kind === "due") return value ? dayWords(value) : t("due.none");
  if (kind === "priority") return t(`priority.${/** @type {Priority} */ (value)}`);
  return kind === "tag" ? `#${value}` : t("bulk.complete");
}

/** @param {string} drop @param {Task[]} tasks */
function dropOn(drop, tasks) {
  const [kind, value] = read(drop);
  if (kind === "due") scheduleMany(tasks, value || null);
  else if (kind === "priority") prioritizeMany(tasks, /** @type {Priority} */ (value));
  else if (kind === "tag") tagMany(tasks, value);
  else completeMany(tasks.filter((task) => !task.completed));
}
