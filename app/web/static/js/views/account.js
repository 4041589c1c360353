/** The page of the account. Its parts are built when it is opened and forgotten when it is left. */

import { $ } from "../core/dom.js";
import { route } from "../core/router.js";
import { state } from "../data/store.js";
import { leavingPart } from "./account-leaving.js";
import { lookPart } from "./account-look.js";
import { passwordPart } from "./account-password.js";
import { profilePart } from "./account-profile.js";
import { sessionsPart } from "./sessions.js";

/** @import { User } from "../types" */
/** @typedef {{root: HTMLElement, draw?: (user: User) => void}} Part `draw` is called whenever something changed */

/** @type {Part[]} */
let parts = [];

/** Draws the page, or takes it away, as the address says. */
export function drawAccount() {
  const { page, place } = route();
  const shown = page === "list" && place.name === "settings" && state.user;
  if (!shown && parts.length) $("#settings").replaceChildren();
  if (!shown) return void (parts = []);
  if (!parts.length) {
    $("#account").removeAttribute("open");
    parts = [profilePart, lookPart, sessionsPart, passwordPart, leavingPart].map((make) => make());
    $("#settings").replaceChildren(...parts.map(({ root }) => root));
  }
  for (const { draw } of parts) draw?.(/** @type {User} */ (state.user));
}
