/** Fetches the details of a task when they are first needed. */

import { later } from "../core/later.js";
import { route } from "../core/router.js";

const panel = later(() => import("./panel.js"));

/** Draws the panel as the address says. */
export function drawPanel() {
  if (panel.now() || route().task) panel.use((loaded) => loaded.drawPanel());
}

/** @param {string} [name] of a part to go to; the title otherwise */
export function focusPart(name) {
  drawPanel();
  panel.atOnce((loaded) => loaded.focusPart(name));
}

export const close = () => panel.use((loaded) => loaded.close());

/** Saves what is being typed. */
export const flushPanel = () => panel.now()?.flushPanel();
