/** The first minutes of a new account: three tasks that teach the hands, and one click that takes them away again. */

import { today } from "../core/dates.js";
import { $, h } from "../core/dom.js";
import { t } from "../core/messages.js";
import { onRoute, route } from "../core/router.js";
import { keep } from "../data/db.js";
import { enqueue, UNDO_MS, withdraw } from "../data/outbox.js";
import { allTasks, refresh, serverId, state, subscribe, taskOf } from "../data/store.js";
import { add } from "./actions.js";
import { toast } from "./toast.js";

/** @import { Task, TaskFields } from "../types" */

/** @typedef {{id: string, title: string}} Example */

/** @type {Example[]} empty when there is nothing to say any more */
let kept = [];
/** One of them has been here: before, they may only not have come yet. */
let seen = false;

/** What they teach depends on whether there is a mouse, and with it a keyboard. @returns {(TaskFields & {title: string})[]} */
function examples() {
  const hands = matchMedia("(pointer: coarse)").matches ? "touch" : "keys";
  return [
    { title: t(`welcome.${hands}.complete`), description: t(`welcome.${hands}.more`) },
    { title: t(`welcome.${hands}.open`), dueDate: today(), priority: "high" },
    { title: t(`welcome.${hands}.add`) },
  ];
}

/** Makes the examples: tasks like any others, sent by the outbox, so that it can be done without a network. */
export function begin() {
  // The newest task is on top, and one reads from there.
  kept = examples().reverse().map((fields) => ({ id: add(fields), title: fields.title }));
  void keep("welcome", kept);
  watch();
}

/** Goes on where an earlier visit ended. @param {Example[]} known */
export function resume(known) {
  kept = known;
  watch();
}

function watch() {
  subscribe(draw);
  onRoute(draw);
  draw();
}

/** An id given here is forgotten with the page; the title finds what it became. @param {Example} example */
const taskFor = ({ id, title }) => taskOf(id) ?? (id.startsWith("local-") ? allTasks().find((task) => task.title === title) : undefined);

function draw() {
  const card = $("#welcome");
  const tasks = kept.map(taskFor);
  remember(tasks);
  const open = tasks.some((task) => task?.completed === false);
  seen ||= open;
  if (seen && kept.length && !open) end(tasks.every(Boolean));
  card.hidden = !kept.length || !open || route().place.name !== "inbox";
  if (card.hidden || card.firstChild) return;
  card.append(
    h("h2", { id: "welcome-title" }, state.user?.name ? t("welcome.named", { name: state.user.name }) : t("welcome.title")),
    h("p", {}, t("welcome.text")),
    h("div", { class: "choices" }, h("button", { type: "button", class: "quiet", onclick: remove }, t("welcome.remove")),
      h("button", { type: "button", class: "quiet", onclick: () => end() }, t("welcome.hide"))));
}

/** @param {(Task | undefined)[]} tasks what became of the examples */
function remember(tasks) {
  const now = kept.map(({ id, title }, index) => ({ id: tasks[index]?.id ?? serverId(id), title }));
  if (now.every(({ id }, index) => id === kept[index]?.id)) return;
  kept = now;
  void keep("welcome", kept);
}

/** @param {boolean} [learned] all of them were done */
function end(learned = false) {
  if (learned) toast(t("welcome.done"));
  kept = [];
  void keep("welcome", null);
  $("#welcome").replaceChildren();
  $("#welcome").hidden = true;
}

function remove() {
  const tasks = kept.map(taskFor);
  const gone = tasks.flatMap((task) => (task ? [enqueue("delete", task.id, undefined, { notBefore: Date.now() + UNDO_MS })] : []));
  end();
  toast(t("welcome.removed"), { undo: () => gone.forEach((op) => withdraw(op) && refresh(op.id)) });
  $("#add-text").focus();
}
