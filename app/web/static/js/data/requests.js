/** What a waiting change asks of the server. */

import { call } from "./api.js";

/** @import { Op } from "../types" */
/** @import { Answer } from "./api.js" */

/** Changes of a reminder that is there: their answer is no task, and when it is gone, the task is not. */
export const OF_REMINDERS = new Set(["unremind", "acknowledge", "snooze"]);

/** @param {Op} op @returns {Promise<Answer>} */
export function request(op) {
  const path = `/api/tasks/${op.id}`;
  const { key, body = {}, version } = op;
  if (op.kind === "create") return call("POST", "/api/tasks", { body, key });
  if (op.kind === "patch") return call("PATCH", path, { body, key, version });
  if (op.kind === "delete") return call("DELETE", path, { key });
  if (op.kind === "remind") return call("POST", `${path}/reminders`, { body, key });
  if (op.kind === "unremind") return call("DELETE", `/api/reminders/${body.id}`, { key });
  if (op.kind === "acknowledge") return call("POST", `/api/reminders/${body.id}/acknowledge`, { key });
  if (op.kind === "snooze") return call("POST", `/api/reminders/${body.id}/snooze`, { body: { until: body.until }, key });
  return call("POST", `${path}/${op.kind}`, { key });
}
