/** Fetches what acts on picked tasks when the first one is picked. */

import { later } from "../core/later.js";
import { pickedTasks } from "./selection.js";

const bulk = later(() => import("./bulk.js"));

export function drawPicked() {
  if (bulk.now() || pickedTasks().length) bulk.use((loaded) => loaded.drawBulk());
}

/** @param {(loaded: typeof import("./bulk.js")) => void} work @returns {boolean} whether any are picked */
export function withPicked(work) {
  const some = pickedTasks().length > 0;
  if (some) bulk.use(work);
  return some;
}
