/**
 * Who one is here: name, time zone, first day of the week, quiet hours. Each is saved by itself when it is left, one
 * after the other: so the last answer is the newest, and what was chosen stays as it is until that one came.
 */

import { weekdayName } from "../core/dates.js";
import { h } from "../core/dom.js";
import { t } from "../core/messages.js";
import { call } from "../data/api.js";
import { state } from "../data/store.js";
import { signedIn } from "../data/sync.js";
import { field, section, sent } from "./account-form.js";

/** @import { User } from "../types" */
/** @import { Input } from "./account-form.js" */

/** As the API names them, from Monday. */
const DAYS = ["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"];
/** What quiet hours begin with. */
const USUAL = { from: "22:00", to: "07:00" };
const SAID_MS = 4000;

/** @returns {import("./account.js").Part} */
export function profilePart() {
  const name = h("input", { name: "name", autocomplete: "name", maxlength: "200" });
  const zones = h("datalist", { id: "settings-zones" });
  const zone = h("input", { name: "timeZone", list: zones.id, autocomplete: "off", spellcheck: "false" });
  const week = h("select", { name: "weekStart" }, DAYS.map((value, index) => h("option", { value }, weekdayName(index + 1))));
  const quiet = h("input", { type: "checkbox", name: "quiet", "aria-describedby": "settings-quiet-hint settings-quiet-error" });
  const [from, to] = ["quietHours.from", "quietHours.to"].map((each) => h("input", { type: "time", name: each, required: true }));
  const hours = h("div", { class: "pair" }, field("account.quietFrom", /** @type {Input} */ (from)), field("account.quietTo", /** @type {Input} */ (to)));
  const saved = h("p", { class: "saved", role: "status" });
  const who = h("p", { class: "hint" });

  /** @type {Promise<unknown>} */
  let turn = Promise.resolve();
  let unsaved = 0;
  /** @param {object} body @param {Input} input */
  const send = async (body, input) => {
    const user = await sent(() => call("PATCH", "/api/me", { body }), [input]).finally(() => (unsaved -= 1));
    if (!user) return void (state.user && draw(state.user)); // what came from elsewhere meanwhile
    await signedIn(user);
    saved.textContent = t("account.saved");
    setTimeout(() => (saved.textContent = ""), SAID_MS);
  };
  /** @param {object} body @param {Input} input */
  const save = (body, input) => {
    unsaved += 1;
    const mine = turn.then(() => send(body, input));
    turn = mine.catch(() => undefined);
    return mine;
  };
  for (const input of [name, zone, week]) input.addEventListener("change", () => save({ [input.name]: input.value.trim() }, input));
  for (const [end, input] of /** @type {[string, HTMLInputElement][]} */ ([["from", from], ["to", to]])) {
    input.addEventListener("change", () => input.value && save({ quietHours: { [end]: input.value } }, input));
  }
  quiet.addEventListener("change", () => save({ quietHours: quiet.checked ? USUAL : null }, /** @type {Input} */ (quiet)));
  zone.addEventListener("focus", () => zones.replaceChildren(...Intl.supportedValuesOf("timeZone").map((value) => h("option", { value }))), { once: true });

  /** @param {HTMLElement} input what was refused stays to be seen */
  const refused = (input) => input.hasAttribute("aria-invalid");
  /** @param {Input} input @param {string} value what is being typed is not overwritten */
  const put = (input, value) => {
    if (document.activeElement !== input && !refused(input)) input.value = value;
  };
  /** @param {User} user */
  const draw = (user) => {
    if (unsaved) return;
    who.textContent = t("account.who", { email: user.email });
    put(name, user.name ?? "");
    put(zone, user.timeZone);
    put(week, String(user.weekStart));
    if (!refused(quiet)) quiet.checked = Boolean(user.quietHours);
    hours.hidden = !user.quietHours;
    put(/** @type {Input} */ (from), user.quietHours?.from ?? "");
    put(/** @type {Input} */ (to), user.quietHours?.to ?? "");
  };
  const root = section("profile", "account.profile", who, field("auth.name", name), field("field.timeZone", zone, t("account.zoneHint")), zones,
    field("account.weekStart", week), h("label", { class: "switch" }, quiet, h("span", {}, t("account.quiet"))),
    h("p", { class: "hint", id: "settings-quiet-hint" }, t("account.quietHint")), h("small", { class: "error", id: "settings-quiet-error" }), hours, saved);
  return { root, draw };
}
