/** Whether two sides of a task say the same. */

/** @import { Op, Task } from "../types" */

/** @param {Op} op @param {Task} theirs fields that would change if this were sent */
export const differing = (op, theirs) =>
  Object.keys(op.body ?? {}).filter((name) => !same(op.body?.[name], Reflect.get(theirs, name)));

/** @param {unknown} a @param {unknown} b */
export const same = (a, b) => JSON.stringify(a ?? null) === JSON.stringify(b ?? null);
