/** Reminders of a task, and what became of each of them. */

import { fullWords, momentOf, splitDue, today } from "../core/dates.js";
import { h, iconButton, put, reconcile } from "../core/dom.js";
import { t, tOr } from "../core/messages.js";
import { call } from "../data/api.js";
import { acknowledge, bellsHeard, snooze } from "../data/bells.js";
import { enqueue } from "../data/outbox.js";
import { answers } from "./bells.js";

/** @import { Context } from "./panel.js" */
/** @import { Delivery, Reminder, Task } from "../types" */

const BEFORE = /** @type {const} */ (["PT10M", "PT1H", "P1D"]);

/** @param {Context} context @returns {(task: Task) => void} */
export function remindPart({ part, task }) {
  /** @param {{before?: string, remindAt?: string}} body */
  const add = (body) => void enqueue("remind", task().id, { ...body, channels: ["email"] });
  const choices = [h("button", { type: "button", class: "choice-button", onclick: () => add({ before: "PT0S" }) }, t("remind.at"))];
  for (const before of BEFORE) choices.push(h("button", { type: "button", class: "choice-button", onclick: () => add({ before }) }, t(`remind.${before}`)));
  part("remindChoices").append(...choices);
  part("remindForm").addEventListener("submit", (/** @type {Event} */ event) => {
    event.preventDefault();
    const [day = "", time = ""] = part("remindAt").value.split("T");
    add({ remindAt: momentOf(day, time) });
    part("remindAt").value = "";
  });
  /** @type {Map<string, Reminder>} what became of them, which the task itself does not say */
  const known = new Map();
  /** By what they say: one that says the same stays, with its deliveries unfolded and a click that is under way. @type {Map<string, HTMLElement>} */
  let items = new Map();
  /** @param {Task} now */
  const draw = ({ id, dueDate, reminders = [] }) => {
    const before = items;
    items = new Map(reminders.map((each) => {
      const whole = { ...known.get(each.id), ...each };
      // One that could be reckoned and still waits was set for a moment that had gone by.
      if (whole.state === "waiting" && (whole.remindAt || dueDate)) whole.state = "past";
      const words = JSON.stringify([id, whole]);
      return [words, before.get(words) ?? item(whole, id)];
    }));
    reconcile(part("reminders"), [...items.values()]);
  };
  const read = async () => {
    const answer = await call("GET", `/api/tasks/${task().id}/reminders`).catch(() => null);
    for (const each of answer?.ok ? /** @type {Reminder[]} */ (answer.data.items) : []) known.set(each.id, each);
    draw(task());
  };
  let asked = "";
  const ask = () => {
    const state = `${task().version} ${bellsHeard()}`;
    if (!part("remind").open || asked === state || !task().reminders.length) return;
    asked = state;
    void read();
  };
  part("remind").addEventListener("toggle", ask);
  return (now) => {
    const { reminders = [], dueDate } = now;
    part("remindHint").textContent = dueDate ? "" : t("remind.needsDue");
    part("remindChoices").hidden = !dueDate;
    put(part("remindValue"), reminders.length ? String(reminders.length) : "");
    draw(now);
    ask();
    const [day, time] = dueDate ? splitDue(dueDate) : [today(), ""];
    if (!part("remindAt").value) part("remindAt").value = `${day}T${time || "09:00"}`;
  };
}

/** @param {Reminder} reminder @param {string} taskId */
function item(reminder, taskId) {
  const words = wordsFor(reminder);
  const pending = reminder.state === "pending";
  const list = h("ul", { class: "deliveries" });
  const fold = h("details", {}, h("summary", {}, t("remind.deliveries")), list);
  fold.addEventListener("toggle", () => fold.open && void deliveries(reminder.id, list));
  const { id, state } = reminder;
  const remove = () => void enqueue("unremind", taskId, { id });
  const asks = state === "fired" && h("div", { class: "choices" }, answers(words, () => acknowledge(taskId, id), (until) => snooze(taskId, id, until)));
  return h("li", {}, h("div", { class: "reminder" }, h("span", {}, words), h("small", {}, reminder.state && tOr("state.", reminder.state)),
    !pending && iconButton("close", t("remind.remove", { when: words }), remove)), asks, !pending && fold);
}

/** @param {Reminder} reminder */
function wordsFor({ before, remindAt, fireAt, snoozedUntil, state }) {
  const named = before === "PT0S" ? t("remind.at") : before ? tOr("remind.", before) : "";
  const when = remindAt ?? fireAt;
  const again = state === "scheduled" && snoozedUntil && t("bell.again", { when: fullWords(snoozedUntil) });
  return [named, when && fullWords(when), again].filter(Boolean).join(" · ");
}

/** @param {string} id @param {HTMLElement} list */
async function deliveries(id, list) {
  const answer = await call("GET", `/api/reminders/${id}/deliveries`).catch(() => null);
  const found = answer?.ok ? /** @type {Delivery[]} */ (answer.data.items) : null;
  if (found?.length) list.replaceChildren(...found.map(delivery));
  else list.replaceChildren(h("li", {}, t(found ? "remind.noDeliveries" : "remind.offline")));
}

/** One attempt: when, how, what came of it, and what the provider said. @param {Delivery} each */
function delivery({ at, channel, outcome, state, address, response }) {
  const said = tOr("state.", outcome ?? state);
  const words = [at && fullWords(at), `${tOr("channel.", channel)} ${address ?? ""}`.trim(), said, response].filter(Boolean);
  return h("li", { class: outcome === "failed" || outcome === "retry" ? "overdue" : "" }, words.join(" · "));
}
