/** What a waiting change asks of the server, and behind which others. */

import { call } from "./api.js";

/** @import { Op } from "../types" */
/** @import { Answer } from "./api.js" */

/** Changes of a reminder that is there: their answer is no task, and when it is gone, the task is not. */
export const OF_REMINDERS = new Set(["unremind", "acknowledge", "snooze"]);

/** @param {Op} op @param {boolean} [keepalive] it outlives the page @returns {Promise<Answer>} */
export function request(op, keepalive = false) {
  const path = `/api/tasks/${op.id}`;
  const { key, body = {}, version } = op;
  if (op.kind === "create") return call("POST", "/api/tasks", { body, key });
  if (op.kind === "patch") return call("PATCH", path, { body, key, version });
  if (op.kind === "delete") return call("DELETE", path, { key, keepalive });
  if (op.kind === "remind") return call("POST", `${path}/reminders`, { body, key });
  if (op.kind === "unremind") return call("DELETE", `/api/reminders/${body.id}`, { key, keepalive });
  if (op.kind === "acknowledge") return call("POST", `/api/reminders/${body.id}/acknowledge`, { key });
  if (op.kind === "snooze") return call("POST", `/api/reminders/${body.id}/snooze`, { body: { until: body.until }, key });
  return call("POST", `${path}/${op.kind}`, { key });
}

/**
 * Of those that share a lane one is on its way at a time. New tasks go one after the other, so that the server makes them
 * in the order they were written. A removal of a reminder that is held back holds up new reminders, of which a task has
 * so many at most, and nothing else.
 * @param {Op} op
 */
export function lanesOf({ id, kind, notBefore = 0 }) {
  if (kind === "create") return [id, "create"];
  if (kind === "unremind" && notBefore > Date.now()) return [`${id} reminders`];
  return kind === "remind" ? [id, `${id} reminders`] : [id];
}
