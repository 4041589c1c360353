/** What a person does to the reminders of a task; each has a way back. */

import { fullWords } from "../core/dates.js";
import { t, tOr } from "../core/messages.js";
import { isPast } from "../core/snoozing.js";
import { enqueue, UNDO_MS, withdraw } from "../data/outbox.js";
import { confirmedOf, opsOf, taskOf } from "../data/store.js";
import { toast } from "./toast.js";

/** @import { Op, Reminder } from "../types" */
/** @typedef {{before?: string | null, remindAt?: string | null, channels?: string[]}} When */

/** How soon a way back is tried again while that which it leads back from is on its way. */
const AGAIN_MS = 200;

/**
 * The server takes the same reminder any number of times, and would send as many mails.
 * @param {string} taskId @param {When} when
 */
export function addReminder(taskId, when) {
  const { reminders = [] } = taskOf(taskId) ?? {};
  if (reminders.some(isSame(when))) return toast(t("remind.twice"));
  const removal = heldRemoval(taskId, when);
  if (removal && withdraw(removal)) return;
  const op = enqueue("remind", taskId, { channels: ["email"], ...when });
  toast(t("remind.added", { when: wordsFor(when) }), { undo: () => takeBack(op) });
}

/** @param {When} when @returns {(other: When) => boolean} */
const isSame = ({ before, remindAt }) => (other) =>
  before ? other.before === before : Date.parse(other.remindAt ?? "") === Date.parse(remindAt ?? "");

/** One that is taken away and set again is what it was. @param {string} taskId @param {When} when */
function heldRemoval(taskId, when) {
  const same = confirmedOf(taskId)?.reminders.filter(isSame(when)) ?? [];
  return opsOf(taskId).find(({ kind, body }) => kind === "unremind" && same.some(({ id }) => id === body?.id));
}

/** @param {Op} op that sets a reminder; while it is on its way, nobody knows the reminder's id */
function takeBack(op) {
  if (withdraw(op)) return;
  const made = taskOf(op.id)?.reminders.find(isSame(op.body ?? {}));
  if (made?.id === op.key) setTimeout(() => takeBack(op), AGAIN_MS);
  else if (made) enqueue("unremind", op.id, { id: made.id });
}

/**
 * It is held back as long as the toast is there, so that what comes back is the same, with its deliveries, and what rang
 * does not ring again. What would ring meanwhile goes at once.
 * @param {string} taskId @param {Reminder} reminder
 */
export function removeReminder(taskId, reminder) {
  const { id, before, remindAt, channels } = reminder;
  const op = enqueue("unremind", taskId, { id }, ringsSoon(reminder) ? {} : { notBefore: Date.now() + UNDO_MS });
  const undo = () => {
    if (withdraw(op)) return;
    if (remindAt && isPast(remindAt)) toast(t("toast.nothing"));
    else addReminder(taskId, before ? { before, channels } : { remindAt, channels });
  };
  toast(t("remind.removed", { when: wordsFor(reminder) }), { undo });
}

/** Whether it may ring before its removal is sent; of one that the server was not asked about nobody knows. @param {Reminder} reminder */
const ringsSoon = ({ fireAt }) =>
  fireAt === undefined || (fireAt !== null && !isPast(fireAt) && Date.parse(fireAt) < Date.now() + 2 * UNDO_MS);

/** What it is called. @param {Partial<Reminder>} reminder */
export function wordsFor({ before, remindAt, fireAt, snoozedUntil, state }) {
  const named = before === "PT0S" ? t("remind.at") : before ? tOr("remind.", before) : "";
  const when = remindAt ?? fireAt;
  const again = state === "scheduled" && snoozedUntil && t("bell.again", { when: fullWords(snoozedUntil) });
  return [named, when && fullWords(when), again].filter(Boolean).join(" · ");
}
