/** Details of one task. Each field saves by itself when it is left; what is being typed is never overwritten. */

import { fullWords } from "../core/dates.js";
import { $, clone, h, put } from "../core/dom.js";
import { t, tOr } from "../core/messages.js";
import { go, listAddress, route } from "../core/router.js";
import { same } from "../data/comparing.js";
import { keep, read } from "../data/db.js";
import { enqueue, withdraw } from "../data/outbox.js";
import { opsOf, rowId, serverId, state, taskOf } from "../data/store.js";
import { change, remove, toggle } from "./actions.js";
import { conflictPart } from "./conflict.js";
import { duePart } from "./due.js";
import { historyPart } from "./history.js";
import { priorityPart, tagsPart } from "./labels.js";
import { remindPart } from "./reminders.js";
import { repeatPart } from "./repeat.js";
import { drawRing, rowRoot } from "./row.js";
import { toast } from "./toast.js";

/** @import { Task, TaskFields } from "../types" */
/** @typedef {(name: string) => any} Part finds a named element of the panel */
/** @typedef {{part: Part, task: () => Task, save: (fields: TaskFields, base?: Task) => void}} Context */

/** @type {{id: string, draw: (task: Task) => void, flush: () => void} | null} */
let open = null;
const panel = () => $("#panel");

/** Draws the panel as the address says. */
export function drawPanel() {
  const { task: id, page } = route();
  if (!id || page !== "list" || !state.user) return hide();
  const task = taskOf(id);
  if (open?.id !== rowId(serverId(id))) {
    if (!task) return void missing();
    hide(false);
    open = build(rowId(task.id));
    show();
  }
  if (task) open?.draw(task);
  else close();
}

/** A task that is not here: said in words once everything is loaded. */
function missing() {
  hide(false);
  if (!state.loaded) return;
  panel().replaceChildren(h("div", { class: "empty" }, h("p", { class: "empty-title" }, t("panel.missing")), h("p", {}, t("panel.missing.more")),
    h("a", { class: "quiet", href: "/" }, t("place.inbox"))));
  show();
}

function show() {
  panel().hidden = false;
  document.documentElement.classList.add("detailed");
}

/** @param {boolean} [whole] also gives its room back */
function hide(whole = true) {
  open?.flush();
  open = null;
  if (!whole || panel().hidden) return;
  panel().hidden = true;
  panel().replaceChildren();
  document.documentElement.classList.remove("detailed");
}

/** Closes the panel; the focus goes back to the row it came from. */
export function close() {
  const id = open?.id ?? "";
  go(listAddress());
  const link = rowRoot(id)?.querySelector("a");
  (link ?? $("#heading")).focus();
}

/** Saves what is being typed. */
export const flushPanel = () => open?.flush();

/** @param {string} [name] of a part to go to; the title otherwise */
export function focusPart(name) {
  const part = name ? $(`[data-part="${name}"]`, panel()) : null;
  if (part instanceof HTMLDetailsElement) part.open = true;
  const target = part?.matches("input") ? part : part?.querySelector("summary, input:checked");
  /** @type {HTMLElement} */ (target ?? panel()).focus();
}

/** @param {string} id */
function build(id) {
  const { root, part } = clone("panel");
  // Deleted elsewhere, it is what it was until the panel has gone; what is done to it then changes nothing.
  let last = /** @type {Task} */ (taskOf(id));
  const task = () => (last = taskOf(id) ?? last);
  /** @type {Context} */
  const context = { part, task, save: (fields, base = taskOf(id)) => base && amend(base, fields) };
  const typed = [textPart(context, "title"), textPart(context, "description"), duePart(context)];
  const parts = [priorityPart, tagsPart, repeatPart, remindPart, historyPart, conflictPart].map((make) => make(context));
  part("ring").onclick = () => toggle(id);
  part("close").onclick = close;
  part("remove").onclick = () => {
    remove(id);
    close();
  };
  panel().replaceChildren(root);

  /** @param {Task} now */
  const draw = (now) => {
    drawRing(part("ring"), now);
    // On a phone the sheet lies over everything else that says so.
    const line = state.connection === "offline" ? t("link.offline") : "";
    const done = now.completedAt ? `${t("place.completed")} · ${fullWords(now.completedAt)}` : "";
    put(part("state"), [done, line].filter(Boolean).join(" · "));
    put(part("created"), t("panel.created", { when: fullWords(now.createdAt) }));
    root.classList.toggle("done", now.completed);
    for (const each of typed) each.draw(now);
    for (const each of parts) each(now);
  };
  return { id, draw, flush: () => typed.forEach((each) => each.flush()) };
}

/**
 * Saves a change, and says which with a way back.
 * @param {Task} base the task as it was when the change was begun
 * @param {TaskFields} fields
 */
function amend(base, fields) {
  const names = Object.keys(fields);
  const was = Object.fromEntries(names.map((name) => [name, Reflect.get(base, name)]));
  const changes = names.filter((name) => !same(Reflect.get(fields, name), was[name]));
  if (!changes.length) return;
  change(base.id, fields, base);
  const words = changes.map((name) => tOr("field.", name)).join(", ");
  // Where it is gone the outbox says so.
  if (taskOf(base.id)) toast(t("toast.changed", { fields: words }), { undo: () => takeBack(base.id, was) });
}

/**
 * What waits for a decision has not happened: there theirs stays, and what else that change is about goes on, undecided as before.
 * @param {string} id
 * @param {TaskFields} was what is to be again
 */
function takeBack(id, was) {
  const last = opsOf(serverId(id)).findLast(({ kind, body = {} }) => kind === "patch" && Object.keys(was).some((name) => name in body));
  if (!last?.conflict || !withdraw(last)) return change(id, was);
  const { conflict: theirs, before, version } = last;
  const rest = Object.entries(last.body ?? {}).filter(([name]) => !(name in was));
  const clashes = rest.some(([name, mine]) => [mine, before?.[name]].every((each) => !same(each, Reflect.get(theirs, name))));
  if (rest.length) enqueue("patch", id, Object.fromEntries(rest), { version, before, ...(clashes && { conflict: theirs }) });
}

/**
 * A text that is saved when it is left. Drafts are kept on every stroke, under the version they were begun on.
 * @param {Context} context
 * @param {"title" | "description"} name
 */
function textPart({ part, task, save }, name) {
  const area = /** @type {HTMLTextAreaElement} */ (part(name));
  const draftKey = `draft-${name}-${task().id}`;
  /** @type {Task | null} what the typing began from */
  let base = null;

  const flush = () => {
    if (!base) return;
    const text = name === "title" ? area.value.replace(/\s+/gu, " ").trim() : area.value;
    const begun = base;
    base = null;
    void keep(draftKey, undefined);
    // A task has a title: one that is left empty is the old one again.
    if (name === "title" && !text) {
      part("titleError").textContent = "";
      draw(task());
    } else if (text !== task()[name]) save({ [name]: text }, begun);
  };
  area.addEventListener("input", () => {
    base ??= task();
    if (name === "title") part("titleError").textContent = "";
    void keep(draftKey, { text: area.value, base });
    fit(area);
  });
  area.addEventListener("blur", flush);
  area.addEventListener("keydown", (event) => {
    if (event.key !== "Enter" || (name === "description" && !event.ctrlKey && !event.metaKey)) return;
    event.preventDefault();
    if (name === "title" && !area.value.trim()) part("titleError").textContent = t("add.empty");
    else flush();
  });
  void read("kv", draftKey).then((draft) => {
    if (!draft || base || (name === "title" && !draft.text.trim())) return;
    base = draft.base;
    area.value = draft.text;
    fit(area);
  });
  /** @param {Task} now */
  const draw = (now) => {
    if (base || area.value === now[name]) return;
    area.value = now[name];
    fit(area);
  };
  return { draw, flush };
}

/** Browsers without `field-sizing` grow it here. @param {HTMLTextAreaElement} area */
function fit(area) {
  if (CSS.supports("field-sizing", "content")) return;
  area.style.height = "auto";
  area.style.height = `${area.scrollHeight}px`;
}
