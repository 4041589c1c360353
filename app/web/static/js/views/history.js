/** What happened to a task: who, when, old → new, and a way back. Read when it is opened, again when it changed. */

import { fullWords } from "../core/dates.js";
import { h, reconcile } from "../core/dom.js";
import { t, tOr } from "../core/messages.js";
import { call, UnreachableError } from "../data/api.js";
import { actorOf } from "../data/sync.js";
import { state } from "../data/store.js";
import { valueWords } from "./actions.js";

/** @import { Context } from "./panel.js" */
/** @import { AuditEntry, Task, TaskFields } from "../types" */

/** Fields that can be set back; the others follow from what happened. */
const RESTORABLE = new Set(["title", "description", "priority", "tags", "dueDate", "timeZone", "recurrence"]);
/** What the sentence says already, or nobody asks for. */
const HIDDEN = new Set(["version", "updatedAt", "createdAt", "completed", "id", "taskId", "state", "channels", "fireAt", "firedAt"]);
/** The audit actor follows the event by a moment. */
const AGAIN_MS = 400;

/** @param {Context} context @returns {(task: Task) => void} */
export function historyPart({ part, task, save }) {
  const list = part("entries");
  /** By position. Entries never change: what is drawn stays, and with it the focus and a click that is under way. @type {Map<number, HTMLElement>} */
  const items = new Map();
  const more = h("li", {}, h("button", { type: "button", class: "quiet", onclick: () => read(next) }, t("history.more")));
  let next = "";
  let version = -1;

  /** @param {AuditEntry[]} entries @param {string} cursor of those after them @param {boolean} older asked for, not the newest */
  const take = (entries, cursor, older) => {
    const joined = entries.some(({ position }) => items.has(position));
    if (!older && !joined) items.clear();
    if (older || !joined) next = cursor;
    for (const each of entries) if (!items.has(each.position)) items.set(each.position, item(each, save));
  };
  const draw = (words = items.size ? "" : t("history.none")) => {
    const newestFirst = [...items].sort(([a], [b]) => b - a).map(([, element]) => element);
    reconcile(list, [...(words ? [h("li", {}, words)] : []), ...newestFirst, ...(next ? [more] : [])]);
  };
  const read = async (cursor = "") => {
    const now = task();
    version = now.version;
    try {
      const { ok, data } = await call("GET", `/api/tasks/${now.id}/audit?limit=50${cursor && `&cursor=${encodeURIComponent(cursor)}`}`);
      if (ok) take(data.items, data.nextCursor ?? "", cursor !== "");
      draw();
    } catch (error) {
      if (!(error instanceof UnreachableError)) throw error;
      draw(t("history.offline"));
    }
  };
  const readTwice = () => {
    void read();
    setTimeout(read, AGAIN_MS);
  };
  part("history").addEventListener("toggle", () => part("history").open && readTwice());
  return (now) => {
    if (!part("history").open || now.version === version) return;
    version = now.version;
    readTwice();
  };
}

/** @param {AuditEntry} entry @param {(fields: TaskFields) => void} save */
function item({ action, actor, at, changes }, save) {
  const created = action === "task.created";
  const fields = Object.entries(changes ?? {}).filter(([name, [old, now]]) => !HIDDEN.has(name) && !(isEmpty(old) && isEmpty(now)));
  const name = actorWords(actor);
  return h("li", {}, h("p", {}, h("strong", {}, name), ` ${tOr("action.", action)} `, h("time", { datetime: at }, fullWords(at))),
    !created && h("ul", {}, fields.map(([field, [old, now]]) => changeOf(field, old, now, at, save))));
}

/** @param {unknown} value */
const isEmpty = (value) => value === null || value === undefined || value === "" || (Array.isArray(value) && !value.length);

/**
 * @param {string} field
 * @param {unknown} old
 * @param {unknown} now
 * @param {string} at
 * @param {(fields: TaskFields) => void} save
 */
function changeOf(field, old, now, at, save) {
  const words = tOr("field.", field);
  const restore = () => save({ [field]: old });
  const label = t("history.restoreLabel", { field: words, when: fullWords(at) });
  return h("li", {}, h("span", { class: "change-field" }, words), h("del", {}, valueWords(field, old)), " → ", h("ins", {}, valueWords(field, now)),
    RESTORABLE.has(field) && h("button", { type: "button", class: "link", "aria-label": label, onclick: restore }, t("history.restore")));
}

/** @param {AuditEntry["actor"]} actor */
function actorWords(actor) {
  const { id, name } = actorOf(actor);
  return id === state.user?.id ? t("history.you") : name;
}
