/** Fetches the details of a task when they are first needed: most visits only look at the list. */

import { route } from "../core/router.js";

/** @type {typeof import("./panel.js") | undefined} */
let panel;
/** @type {Promise<typeof import("./panel.js")> | undefined} one promise: what is asked for first happens first */
let loading;

/** @param {(panel: typeof import("./panel.js")) => void} use */
function withPanel(use) {
  if (panel) return use(panel);
  loading ??= import("./panel.js");
  void loading.then((loaded) => use((panel = loaded)));
}

/** Draws the panel as the address says. */
export function drawPanel() {
  if (panel || route().task) withPanel((loaded) => loaded.drawPanel());
}

/** @param {string} [name] of a part to go to; the title otherwise */
export const focusPart = (name) => withPanel((loaded) => {
  loaded.drawPanel();
  loaded.focusPart(name);
});

export const close = () => withPanel((loaded) => loaded.close());

/** Saves what is being typed. */
export const flushPanel = () => panel?.flushPanel();
