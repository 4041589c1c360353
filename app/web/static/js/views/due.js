/** When a task is due: words first, then a date, a time and a zone. */

import { dueWords, isDay, momentOf, splitDue, timeWords, today, userZone } from "../core/dates.js";
import { h, put } from "../core/dom.js";
import { t } from "../core/messages.js";
import { NEAR_DAYS } from "../core/neardays.js";
import { onDay } from "./actions.js";
import { dueClass } from "./row.js";

/** @import { Context } from "./panel.js" */
/** @import { Task } from "../types" */

/** @param {Context} context @returns {(task: Task) => void} */
export function duePart({ part, task, save }) {
  const [date, time, zone] = [part("date"), part("time"), part("zone")];
  /** @param {string | null} name */
  const choose = (name) => {
    const { dueDate, timeZone } = task();
    save({ dueDate: name && onDay(dueDate, name, timeZone) });
  };
  part("dueWords").append(
    ...NEAR_DAYS.map(([key, day]) => h("button", { type: "button", class: "choice-button", onclick: () => choose(day()) }, t(key))),
    h("button", { type: "button", class: "choice-button", onclick: () => choose(null) }, t("due.none")),
  );
  const typed = () => {
    const timeZone = zone.value || null;
    if (timeZone && !known(timeZone)) return;
    const day = date.value || (time.value ? today() : "");
    save({ dueDate: day ? (time.value ? momentOf(day, time.value, timeZone ?? undefined) : day) : null, timeZone });
  };
  for (const input of [date, time, zone]) input.addEventListener("change", typed);
  zone.placeholder = t("due.floating", { zone: userZone() });
  zone.addEventListener("focus", () => part("due").querySelector("datalist").replaceChildren(...Intl.supportedValuesOf("timeZone").map((value) => h("option", { value }))), { once: true });

  return (now) => {
    const { dueDate, timeZone } = now;
    const [day, clock] = dueDate ? splitDue(dueDate, timeZone ?? undefined) : ["", ""];
    for (const [input, value] of [[date, day], [time, clock], [zone, timeZone ?? ""]]) {
      if (input.value !== value && document.activeElement !== input) input.value = value;
    }
    const elsewhere = dueDate && !isDay(dueDate) && timeZone && timeZone !== userZone();
    const there = elsewhere ? ` (${t("due.in", { when: timeWords(dueDate, timeZone), zone: timeZone.replace("_", " ") })})` : "";
    put(part("dueValue"), dueDate ? dueWords(dueDate) + there : t("due.none"));
    part("dueValue").className = `value ${dueDate ? dueClass(now) : ""}`;
  };
}

/** @param {string} timeZone */
const known = (timeZone) => Intl.supportedValuesOf("timeZone").includes(timeZone) || timeZone === "UTC";
