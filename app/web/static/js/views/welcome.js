/** The first minutes of a new account: three tasks that teach the hands, and one click that takes them away again. */

import { today } from "../core/dates.js";
import { $, h } from "../core/dom.js";
import { t } from "../core/messages.js";
import { onRoute, route } from "../core/router.js";
import { keep } from "../data/db.js";
import { enqueue, UNDO_MS, withdraw } from "../data/outbox.js";
import { refresh, serverId, state, subscribe, taskOf } from "../data/store.js";
import { add } from "./actions.js";
import { toast } from "./toast.js";

/** @import { TaskFields } from "../types" */

/** @type {string[]} of the examples; empty when there is nothing to say any more */
let ids = [];

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
  ids = examples().reverse().map((fields) => add(fields));
  void keep("welcome", ids);
  watch();
}

/** Goes on where an earlier visit ended. @param {string[]} kept */
export function resume(kept) {
  ids = kept;
  watch();
}

function watch() {
  subscribe(draw);
  onRoute(draw);
  draw();
}

function draw() {
  const card = $("#welcome");
  if (ids.length) remember();
  const open = ids.filter((id) => taskOf(id)?.completed === false);
  if (ids.length && state.loaded && !open.length) end(ids.every((id) => taskOf(id)));
  card.hidden = !ids.length || route().place.name !== "inbox";
  if (card.hidden || card.firstChild) return;
  card.append(
    h("h2", { id: "welcome-title" }, state.user?.name ? t("welcome.named", { name: state.user.name }) : t("welcome.title")),
    h("p", {}, t("welcome.text")),
    h("div", { class: "choices" }, h("button", { type: "button", class: "quiet", onclick: remove }, t("welcome.remove")),
      h("button", { type: "button", class: "quiet", onclick: () => end() }, t("welcome.hide"))));
}

/** The server's ids, as soon as there are any: the ones given here are forgotten with the page. */
function remember() {
  const known = ids.map(serverId);
  if (known.every((id, index) => id === ids[index])) return;
  ids = known;
  void keep("welcome", ids);
}

/** @param {boolean} [learned] all of them were done */
function end(learned = false) {
  if (learned) toast(t("welcome.done"));
  ids = [];
  void keep("welcome", null);
  $("#welcome").replaceChildren();
  $("#welcome").hidden = true;
}

function remove() {
  const gone = ids.filter((id) => taskOf(id)).map((id) => enqueue("delete", id, undefined, { notBefore: Date.now() + UNDO_MS }));
  end();
  toast(t("welcome.removed"), { undo: () => gone.forEach((op) => withdraw(op) && refresh(op.id)) });
  $("#add-text").focus();
}
