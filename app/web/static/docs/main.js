/** Builds the page from the contract itself, so that it cannot say anything else. */

import { send } from "./call.js";
import { element, prose } from "./dom.js";
import { describe, resolve } from "./schema.js";

/** @typedef {Record<string, any>} Schema */
/** @typedef {{method: string, path: string, operation: Schema}} Row */

/** @param {string} selector */
const at = (selector) => /** @type {HTMLElement} */ (document.querySelector(selector));

/** @param {Schema} contract @returns {Row[]} */
function rows(contract) {
  return Object.entries(contract.paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]) => ({ method: method.toUpperCase(), path, operation })),
  );
}

/** @param {Schema} contract @param {Schema} given @param {string} prefix */
function parameterField(contract, given, prefix) {
  const parameter = resolve(contract, given);
  const id = `${prefix}-${parameter.in}-${parameter.name}`;
  const attributes = { id, "data-in": parameter.in, "data-name": parameter.name, required: Boolean(parameter.required) };
  const choices = parameter.schema.enum ?? (parameter.schema.type === "boolean" ? ["true", "false"] : null);
  const input = choices
    ? element("select", attributes, ...["", ...choices].map((choice) => element("option", { value: choice }, choice)))
    : element("input", { ...attributes, type: "text", spellcheck: "false" });
  const words = [describe(contract, parameter.schema), parameter.description].filter(Boolean).join(". ");
  return element("div", { class: "field" }, element("label", { for: id }, parameter.name), input, element("span", { class: "soft" }, words));
}

/** @param {Schema} contract @param {Schema} body @param {string} prefix */
function bodyField(contract, body, prefix) {
  const [[type, content]] = Object.entries(body.content);
  const id = `${prefix}-body`;
  const area = /** @type {HTMLTextAreaElement} */ (
    element("textarea", { id, "data-in": "body", "data-name": type, spellcheck: "false" })
  );
  area.value = JSON.stringify(content.example ?? {}, null, 2);
  return element("div", {}, element("label", { for: id }, `Body (${type})`), area, fieldTable(contract, resolve(contract, content.schema)));
}

/** @param {Schema} contract @param {Schema} schema */
function fieldTable(contract, schema) {
  const fields = Object.entries(schema.properties ?? {}).filter(([, field]) => !field.readOnly);
  const lines = fields.map(([name, field]) =>
    element(
      "tr",
      {},
      element("td", {}, element("code", {}, name), (schema.required ?? []).includes(name) && " *"),
      element("td", {}, describe(contract, field)),
      element("td", { class: "soft" }, field.description ?? ""),
    ),
  );
  return element("table", { "aria-label": "Fields" }, element("tbody", {}, ...lines));
}

/** @param {Schema} contract @param {Row} row */
function operationOf(contract, { method, path, operation }) {
  const output = element("div", { "aria-live": "polite" });
  const form = /** @type {HTMLFormElement} */ (
    element("form", {
      autocomplete: "off",
      submit: (event) => {
        event.preventDefault();
        void send(method, path, form, output);
      },
    })
  );
  for (const parameter of operation.parameters) form.append(parameterField(contract, parameter, operation.operationId));
  if (operation.requestBody) form.append(bodyField(contract, operation.requestBody, operation.operationId));
  form.append(element("button", { type: "submit", "aria-label": `Send ${method} ${path}` }, "Send"));
  return element(
    "details",
    { id: operation.operationId },
    element(
      "summary",
      {},
      element("span", { class: "method" }, method),
      element("span", { class: "path" }, path),
      element("span", { class: "soft" }, operation.summary),
    ),
    ...prose(operation.description ?? ""),
    form,
    output,
    answersOf(contract, operation),
  );
}

/** @param {Schema} contract @param {Schema} operation */
function answersOf(contract, operation) {
  const lines = Object.entries(operation.responses).map(([status, response]) => {
    const [content] = Object.values(response.content ?? {});
    const shape = content && Number(status) < 400 ? describe(contract, content.schema) : "";
    return element("tr", {}, element("td", {}, status), element("td", {}, ...prose(response.description)), element("td", {}, shape));
  });
  return element("table", { "aria-label": "Answers" }, element("tbody", {}, ...lines));
}

/** @param {Schema} contract */
function problemsOf(contract) {
  const lines = contract["x-problems"].map((/** @type {Schema} */ problem) =>
    element(
      "tr",
      { id: `problem-${problem.code}` },
      element("td", {}, element("code", {}, problem.code)),
      element("td", {}, String(problem.status)),
      element("td", {}, problem.title),
    ),
  );
  return element("section", {}, element("h2", { id: "problems" }, "Problems"), element("table", {}, element("tbody", {}, ...lines)));
}

/** @param {Schema} contract */
function documentsOf(contract) {
  const parts = Object.entries(contract.components.schemas).map(([name, schema]) =>
    element(
      "details",
      { id: `document-${name}` },
      element("summary", {}, element("span", { class: "path" }, name), element("span", { class: "soft" }, schema.description ?? "")),
      fieldTable(contract, schema),
    ),
  );
  return element("section", {}, element("h2", { id: "documents" }, "Documents"), ...parts);
}

/** @param {string} href @param {string} text */
const entry = (href, text) => element("li", {}, element("a", { href }, text));

/** @param {Schema} contract */
function build(contract) {
  at("#version").textContent = contract.info.version;
  at("#about").replaceChildren(...prose(contract.info.description.replaceAll(/(?<!\n)\n(?!\n)/g, " ")));
  const all = rows(contract);
  for (const { name, description } of contract.tags) {
    const group = all.filter((row) => row.operation.tags.includes(name));
    const links = group.map((row) => entry(`#${row.operation.operationId}`, row.operation.summary));
    at("#contents").append(element("h2", {}, name), element("ul", {}, ...links));
    at("#operations").append(
      element("section", {}, element("h2", {}, name), ...prose(description), ...group.map((row) => operationOf(contract, row))),
    );
  }
  at("#contents").append(element("h2", {}, "Reference"), element("ul", {}, entry("#documents", "Documents"), entry("#problems", "Problems")));
  at("#operations").append(documentsOf(contract), problemsOf(contract));
}

/** Opens and shows what the address names. */
function follow() {
  const target = location.hash && document.getElementById(decodeURIComponent(location.hash.slice(1)));
  if (!target) return;
  if (target instanceof HTMLDetailsElement) target.open = true;
  target.scrollIntoView();
}

async function showWho() {
  const token = /** @type {HTMLInputElement} */ (at("#token")).value.trim();
  const response = await fetch("/api/me", { headers: token ? { authorization: `Bearer ${token}` } : {} });
  at("#who").textContent = response.ok ? `signed in as ${(await response.json()).email}` : "not signed in";
}

const response = await fetch("/api/openapi.json");
build(await response.json());
follow();
addEventListener("hashchange", follow);
at("#token").addEventListener("change", () => void showWho());
at("#access").addEventListener("submit", (event) => {
  event.preventDefault();
  void showWho();
});
