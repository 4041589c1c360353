/** Reminders of a task, and what became of each of them. */

import { fullWords, momentOf } from "../core/dates.js";
import { h, iconButton, put, reconcile } from "../core/dom.js";
import { t, tOr } from "../core/messages.js";
import { goodMoment, isPast } from "../core/snoozing.js";
import { call } from "../data/api.js";
import { acknowledge, bellsHeard, snooze } from "../data/bells.js";
import { answers } from "./bells.js";
import { refusal } from "./due.js";
import { addReminder, removeReminder, wordsFor } from "./reminding.js";

/** @import { Context } from "./panel.js" */
/** @import { Delivery, Reminder, Task } from "../types" */

const BEFORE = /** @type {const} */ (["PT10M", "PT1H", "P1D"]);

/** @param {Context} context @returns {(task: Task) => void} */
export function remindPart({ part, task }) {
  /** @param {{before?: string, remindAt?: string}} when */
  const add = (when) => addReminder(task().id, when);
  const choices = [h("button", { type: "button", class: "choice-button", onclick: () => add({ before: "PT0S" }) }, t("remind.at"))];
  for (const before of BEFORE) choices.push(h("button", { type: "button", class: "choice-button", onclick: () => add({ before }) }, t(`remind.${before}`)));
  part("remindChoices").append(...choices);
  const offer = momentForm(part("remindForm"), part("remindAt"), (remindAt) => add({ remindAt }));
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
    const list = part("reminders");
    const at = [...list.children].findIndex((each) => each.contains(document.activeElement));
    reconcile(list, [...items.values()]);
    // The focus goes to what has taken the place of that which had it.
    if (at >= 0 && !list.contains(document.activeElement)) focusItem(list.children[at] ?? list.lastElementChild, part("remind"));
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
    offer(dueDate);
  };
}

/**
 * @param {Element | null} item of the list of reminders, if there is one
 * @param {Element} fold in which they are
 */
const focusItem = (item, fold) =>
  /** @type {HTMLElement | null} */ (item?.querySelector("button, summary") ?? fold.querySelector("summary"))?.focus();

/**
 * The form for a moment of one's own. It offers one that lies ahead until another is written, and takes none that has passed.
 * @param {HTMLFormElement} form
 * @param {HTMLInputElement} input
 * @param {(moment: string) => void} add
 * @returns {(due: string | null) => void} offers a moment
 */
function momentForm(form, input, add) {
  const refuse = refusal(input, "form");
  let offered = "";
  form.noValidate = true;
  const moment = () => (input.value ? momentOf(...splitAtT(input.value)) : "");
  /** What has passed is said when the field is left: while one types 2030, it is the year 2. */
  const isWrong = () => {
    const words = input.value && isPast(moment()) ? "remind.past" : "";
    refuse(words);
    return words !== "";
  };
  input.addEventListener("blur", isWrong);
  input.addEventListener("input", () => refuse(""));
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    if (input.value && !isWrong()) return add(moment());
    if (!input.value) refuse("refusal.required");
    input.focus();
  });
  return (due) => {
    if (document.activeElement === input || (input.value && input.value !== offered)) return;
    refuse("");
    input.value = offered = goodMoment(due).join("T");
  };
}

/** @param {string} text @returns {[day: string, time: string]} */
function splitAtT(text) {
  const [day = "", time = ""] = text.split("T");
  return [day, time];
}

/** @param {Reminder} reminder @param {string} taskId */
function item(reminder, taskId) {
  const words = wordsFor(reminder);
  const pending = reminder.state === "pending";
  const list = h("ul", { class: "deliveries" });
  const fold = h("details", {}, h("summary", {}, t("remind.deliveries")), list);
  fold.addEventListener("toggle", () => fold.open && void deliveries(reminder.id, list));
  const { id, state } = reminder;
  const remove = () => removeReminder(taskId, reminder);
  const asks = state === "fired" && h("div", { class: "choices" }, answers(words, () => acknowledge(taskId, id), (until) => snooze(taskId, id, until)));
  return h("li", {}, h("div", { class: "reminder" }, h("span", {}, words), h("small", {}, reminder.state && tOr("state.", reminder.state)),
    !pending && iconButton("close", t("remind.remove", { when: words }), remove)), asks, !pending && fold);
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
