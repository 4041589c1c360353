/** Says where a new task went that the list it was written in does not show, and leads there. */

import { dayOf, today } from "../core/dates.js";
import { h } from "../core/dom.js";
import { t } from "../core/messages.js";
import { addressOf, go } from "../core/router.js";
import { reveal } from "./list.js";
import { toast } from "./toast.js";

/** @import { Task } from "../types" */

/** The place in which an open task stands where nothing is filtered. @param {string | null} due */
const homeOf = (due) => (!due ? "inbox" : dayOf(due) <= today() ? "today" : "upcoming");

/** @param {Task} task */
export function sayWhere({ id, title, dueDate }) {
  const name = homeOf(dueDate);
  const href = addressOf({ name });
  const show = (/** @type {Event} */ event) => {
    event.preventDefault();
    go(href);
    reveal(id);
  };
  const link = h("a", { class: "toast-undo", href, "aria-label": t("add.showLabel", { title }), onclick: show }, t("add.show"));
  toast(t("add.elsewhere", { title, place: t(`place.${name}`) }), { link });
}
