/** Reminders of a task, and what became of each of them. */

import { fullWords, isDay, momentOf, splitDue } from "../core/dates.js";
import { h, iconButton } from "../core/dom.js";
import { t, tOr } from "../core/messages.js";
import { call, UnreachableError } from "../data/api.js";
import { enqueue } from "../data/outbox.js";

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
  let drawn = "";
  return ({ reminders = [], dueDate, id }) => {
    const hasDue = Boolean(dueDate);
    part("remindHint").textContent = hasDue ? "" : t("remind.needsDue");
    part("remindChoices").hidden = !hasDue;
    part("remindValue").textContent = reminders.length ? String(reminders.length) : "";
    if (drawn === JSON.stringify(reminders)) return;
    drawn = JSON.stringify(reminders);
    part("reminders").replaceChildren(...reminders.map((each) => item(each, id)));
    const [day, time] = dueDate ? splitDue(dueDate) : ["", ""];
    if (day && !part("remindAt").value) part("remindAt").value = `${day}T${time || "09:00"}`;
  };
}

/** @param {Reminder} reminder @param {string} taskId */
function item(reminder, taskId) {
  const words = wordsFor(reminder);
  const pending = reminder.state === "pending" && !reminder.remindAt;
  const list = h("ul", { class: "deliveries" });
  const fold = h("details", {}, h("summary", {}, t("remind.deliveries")), list);
  fold.addEventListener("toggle", () => fold.open && void deliveries(reminder.id, list));
  const remove = () => void enqueue("unremind", taskId, { id: reminder.id });
  return h("li", {}, h("div", { class: "reminder" }, h("span", {}, words), h("small", {}, pending ? t("remind.pending") : tOr("state.", reminder.state ?? "")),
    iconButton("close", t("remind.remove", { when: words }), remove)), !pending && fold);
}

/** @param {Reminder} reminder */
function wordsFor({ before, remindAt }) {
  const named = before === "PT0S" ? t("remind.at") : before ? tOr("remind.", before) : "";
  if (!remindAt) return named;
  const when = isDay(remindAt) ? remindAt : fullWords(remindAt);
  return named ? `${named} · ${when}` : when;
}

/** @param {string} id @param {HTMLElement} list */
async function deliveries(id, list) {
  try {
    const { ok, data } = await call("GET", `/api/reminders/${id}/deliveries`);
    const found = /** @type {Delivery[]} */ (ok ? (data.items ?? data) : []);
    list.replaceChildren(...(found.length ? found.map(delivery) : [h("li", {}, t("remind.noDeliveries"))]));
  } catch (error) {
    if (!(error instanceof UnreachableError)) throw error;
    list.replaceChildren(h("li", {}, t("history.offline")));
  }
}

/** @param {Delivery} each */
function delivery(each) {
  const at = each.attemptedAt ?? each.at;
  const outcome = each.state ?? each.status ?? "";
  const parts = [at && fullWords(at), tOr("channel.", each.channel), tOr("state.", outcome), each.response ?? each.detail];
  return h("li", { class: outcome === "failed" ? "overdue" : "" }, parts.filter(Boolean).join(" · "));
}
