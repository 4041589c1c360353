/** Taking everything along, and leaving: export first, then the address typed, then the password. */

import { h } from "../core/dom.js";
import { t } from "../core/messages.js";
import { call } from "../data/api.js";
import { state } from "../data/store.js";
import { left } from "../data/sync.js";
import { field, section, sent } from "./account-form.js";

/** @param {() => void} [taken] */
const exportLink = (taken) =>
  h("a", { class: "quiet", href: "/api/me/export", download: "", rel: "external", onclick: taken }, t("export.get"));

/** @returns {import("./account.js").Part} */
export function leavingPart() {
  const own = state.user?.email ?? "";
  const copy = h("input", { type: "checkbox", name: "copy" });
  const email = h("input", { name: "confirmation", type: "email", autocomplete: "off", spellcheck: "false", required: true });
  const password = h("input", { name: "password", type: "password", autocomplete: "current-password", required: true });
  const submit = h("button", { class: "primary danger-button", disabled: true }, t("leave.confirm"));
  const form = h("form", { novalidate: true },
    h("ol", { class: "steps" },
      h("li", {}, h("p", {}, t("leave.first")), exportLink(() => void (copy.checked = true, check())), h("label", { class: "switch" }, copy, h("span", {}, t("leave.copy")))),
      h("li", {}, field("leave.type", email, own)),
      h("li", {}, field("leave.password", password))),
    submit);

  function check() {
    submit.disabled = !(copy.checked && email.value.trim().toLowerCase() === own.toLowerCase() && password.value);
  }
  form.addEventListener("input", check);
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    if (submit.disabled) return;
    submit.disabled = true;
    const body = { password: password.value };
    const gone = await sent(() => call("DELETE", "/api/me", { body }), [password]);
    if (gone === undefined) return check();
    await left();
  });
  const fold = h("details", { class: "fold" }, h("summary", {}, t("leave.open")), h("div", { class: "fold-body" }, h("p", {}, t("leave.more")), form));
  const root = section("data", "export.title", h("p", { class: "hint" }, t("export.more")), exportLink(), fold);
  return { root };
}
