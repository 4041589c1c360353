/** What the parts of the account page are made of: headed sections, labelled fields, and a way to send a form. */

import { h } from "../core/dom.js";
import { t } from "../core/messages.js";
import { fieldWords, problemWords } from "../core/problems.js";
import { UnreachableError } from "../data/api.js";

/** @import { Key } from "../core/messages.js" */
/** @import { Answer } from "../data/api.js" */
/** @typedef {HTMLInputElement | HTMLSelectElement} Input */

/** @param {string} name @param {Key} title @param {...(Node | false)} children */
export function section(name, title, ...children) {
  const id = `settings-${name}`;
  return h("section", { class: "settings-part", "aria-labelledby": id }, h("h2", { id }, t(title)), ...children);
}

/** @param {Key} label @param {Input} input its name is that of the field on the wire @param {string} [hint] */
export function field(label, input, hint = "") {
  const id = `settings-${input.name}`;
  input.setAttribute("aria-describedby", `${id}-hint ${id}-error`);
  return h("div", { class: "settings-field" }, h("label", { class: "field" }, h("span", {}, t(label)), input),
    h("small", { class: "hint", id: `${id}-hint` }, hint), h("small", { class: "error", id: `${id}-error` }));
}

/** @param {Input} input @param {string} message empty: all is well */
export function complain(input, message) {
  const place = document.getElementById(`settings-${input.name}-error`);
  if (place) place.textContent = message;
  if (message) input.setAttribute("aria-invalid", "true");
  else input.removeAttribute("aria-invalid");
}

/**
 * Sends something; what is wrong is said at the field it is about, and what is about no field, at the last one.
 * @param {() => Promise<Answer>} request
 * @param {Input[]} inputs
 * @param {Record<string, string>} [blame] names of refusals that are about a field: code → name
 * @returns {Promise<any>} the answer's data; undefined when it was refused
 */
export async function sent(request, inputs, blame = {}) {
  for (const input of inputs) complain(input, "");
  const last = /** @type {Input} */ (inputs.at(-1));
  try {
    const { ok, data, problem } = await request();
    if (ok) return data;
    const about = (problem.errors ?? []).map((error) => ({ error, input: inputs.find(({ name }) => error.field.startsWith(name)) }));
    for (const { error, input } of about) if (input) complain(input, fieldWords(error));
    const blamed = inputs.find(({ name }) => name === blame[problem.code ?? ""]) ?? last;
    if (!about.some(({ input }) => input)) complain(blamed, problemWords(problem));
    (about.find(({ input }) => input)?.input ?? blamed).focus();
  } catch (error) {
    if (!(error instanceof UnreachableError)) throw error;
    complain(last, t("error.network"));
  }
  return undefined;
}
