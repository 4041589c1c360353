/** A new password. It signs out everywhere else; this window goes on with the session it is given. */

import { h } from "../core/dom.js";
import { t } from "../core/messages.js";
import { call } from "../data/api.js";
import { state } from "../data/store.js";
import { renewing } from "../data/sync.js";
import { complain, field, section, sent } from "./account-form.js";
import { toast } from "./toast.js";

/** @returns {import("./account.js").Part} */
export function passwordPart() {
  // Password managers need to know whose it is.
  const email = h("input", { type: "email", name: "email", autocomplete: "username", hidden: true, value: state.user?.email });
  const current = h("input", { type: "password", name: "currentPassword", autocomplete: "current-password", required: true });
  const wanted = h("input", { type: "password", name: "newPassword", autocomplete: "new-password", required: true });
  const show = h("input", { type: "checkbox", name: "show", onchange: () => [current, wanted].forEach((each) => (each.type = show.checked ? "text" : "password")) });
  const submit = h("button", { class: "primary" }, t("password.change"));
  const form = h("form", { novalidate: true }, email, field("password.current", current), field("password.new", wanted, t("auth.hint")),
    h("label", { class: "switch" }, show, h("span", {}, t("auth.show"))), submit);

  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    const missing = [current, wanted].find(({ value }) => !value);
    for (const input of [current, wanted]) complain(input, input === missing ? t("auth.needPassword") : "");
    if (missing) return missing.focus();
    submit.disabled = true;
    const body = { currentPassword: current.value, newPassword: wanted.value };
    const changed = await renewing(() => sent(() => call("POST", "/api/me/password", { body }), [current, wanted], { wrong_password: "currentPassword" }));
    submit.disabled = false;
    if (!changed) return;
    form.reset();
    for (const input of [current, wanted]) input.type = "password";
    toast(t("password.changed"));
  });
  return { root: section("password", "password.title", h("p", { class: "hint" }, t("password.more")), form) };
}
