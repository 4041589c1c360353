/** Whether two sides of a task say the same, and whether that matters. */

import { confirmedOf, opsOf } from "./store.js";

/** @import { Op, Task } from "../types" */

/** @param {Op} op @param {Task} theirs fields that would change if this were sent */
export const differing = (op, theirs) =>
  Object.keys(op.body ?? {}).filter((name) => !same(op.body?.[name], Reflect.get(theirs, name)));

/** @param {unknown} a @param {unknown} b */
export const same = (a, b) => JSON.stringify(a ?? null) === JSON.stringify(b ?? null);

/**
 * What clashes with a task that is to be deleted here goes with it, undecided; what clashes with one that is gone is sent
 * all the same, so that its writer hears of it.
 * @param {Op} op
 */
export function isPointless(op) {
  if (op.conflict && !confirmedOf(op.id)) delete op.conflict;
  return Boolean(op.conflict) && opsOf(op.id).some((each) => each.kind === "delete");
}
