/** Sign in and register: what is wrong is said at the field it is about. */

import { $, clone } from "../core/dom.js";
import { t } from "../core/messages.js";
import { fieldWords, problemWords } from "../core/problems.js";
import { route, welcomed } from "../core/router.js";
import { call, UnreachableError } from "../data/api.js";
import { signedIn } from "../data/sync.js";
import { state } from "../data/store.js";

/** @import { Problem } from "../types" */

let drawn = "";

/** Fills the page while it is shown. */
export function drawAuth() {
  const box = $("#auth");
  const shown = !box.hidden;
  const registering = route().page === "register";
  const kind = shown ? String(registering) + state.expired : "";
  if (kind === drawn) return;
  drawn = kind;
  if (shown) box.replaceChildren(form(registering));
  else box.replaceChildren();
  if (shown) box.querySelector("input")?.closest("form")?.querySelector(/** @type {"input"} */ (registering ? "[name=name]" : "[name=email]"))?.focus();
}

/** @param {boolean} registering */
function form(registering) {
  const { root, part } = clone("auth");
  const action = t(registering ? "auth.register" : "auth.signIn");
  document.title = `${action} · Rondo`;
  part("title").textContent = t(registering ? "auth.start" : "auth.welcome");
  part("submit").textContent = action;
  part("nameField").hidden = !registering;
  part("hint").textContent = registering ? t("auth.hint") : "";
  part("notice").textContent = state.expired ? t("auth.expired") : location.search === "?left" ? t("auth.left") : "";
  part("other").textContent = t(registering ? "auth.toSignIn" : "auth.toRegister");
  part("other").href = (registering ? "/sign-in" : "/register") + location.search;
  const fields = part("form").elements;
  fields.password.autocomplete = registering ? "new-password" : "current-password";
  part("show").onchange = () => (fields.password.type = part("show").checked ? "text" : "password");
  part("form").onsubmit = (/** @type {SubmitEvent} */ event) => {
    event.preventDefault();
    void submit(registering, part);
  };
  return root;
}

/** @param {boolean} registering @param {(name: string) => any} part */
async function submit(registering, part) {
  const { name, email, password } = part("form").elements;
  const missing = [[email, "auth.needEmail"], [password, "auth.needPassword"]].filter(([input]) => !input.value.trim());
  for (const input of [name, email, password]) complain(input, "");
  for (const [input, key] of missing) complain(input, t(key));
  if (missing.length) return missing[0]?.[0].focus();
  const { timeZone } = Intl.DateTimeFormat().resolvedOptions();
  const body = { email: email.value.trim(), password: password.value, ...(registering && { name: name.value.trim() || undefined, timeZone }) };
  part("submit").disabled = true;
  try {
    const answer = await call("POST", `/api/auth/${registering ? "register" : "login"}`, { body });
    const problem = answer.ok ? await unkept() : answer.problem;
    if (problem) return refused(problem, { name, email, password }, part);
    await signedIn(answer.data.user);
    if (registering) (await import("./welcome.js")).begin();
    welcomed();
  } catch (error) {
    if (!(error instanceof UnreachableError)) throw error;
    part("notice").textContent = t("error.network");
  } finally {
    part("submit").disabled = false;
  }
}

/**
 * The public address is https, and this is its host without: the browser has dropped the cookie, which is Secure.
 * @returns {Promise<Problem | null>}
 */
async function unkept() {
  const dropped = location.protocol === "http:" && (await call("GET", "/api/me")).status === 401;
  return dropped ? { status: 401, detail: t("auth.httpsOnly") } : null;
}

/** @param {Problem} problem @param {Record<string, HTMLInputElement>} inputs @param {(name: string) => any} part */
function refused(problem, inputs, part) {
  const about = (problem.errors ?? []).filter(({ field }) => inputs[field]);
  for (const error of about) complain(inputs[error.field], fieldWords(error));
  part("notice").textContent = about.length ? "" : problemWords(problem);
  (inputs[about[0]?.field ?? "password"] ?? inputs.password)?.focus();
}

/** @param {HTMLInputElement | undefined} input @param {string} message */
function complain(input, message) {
  const place = $(`#${input?.name}-error`);
  place.textContent = message;
  if (message) input?.setAttribute("aria-invalid", "true");
  else input?.removeAttribute("aria-invalid");
}
