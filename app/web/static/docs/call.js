/** Sends what the form of an operation says, and shows what comes back. */

import { element } from "./dom.js";

const SHOWN_HEADERS = ["content-type", "etag", "location", "retry-after", "x-request-id", "server-timing", "allow"];

/**
 * @param {string} method
 * @param {string} path the template
 * @param {HTMLFormElement} form
 * @param {HTMLElement} output
 */
export async function send(method, path, form, output) {
  const { address, options } = requestOf(method, path, form);
  const button = /** @type {HTMLButtonElement} */ (form.querySelector("button"));
  button.disabled = true;
  try {
    const response = await fetch(address, options);
    output.replaceChildren(...(await shown(`${method} ${address}`, response)));
  } catch (error) {
    output.replaceChildren(element("p", { class: "status", "data-good": "false" }, `The server was not reached: ${error}`));
  } finally {
    button.disabled = false;
  }
}

/** @param {string} method @param {string} path @param {HTMLFormElement} form */
function requestOf(method, path, form) {
  /** @type {Record<string, string>} */
  const headers = { accept: "application/json" };
  const query = new URLSearchParams();
  let body;
  for (const input of /** @type {NodeListOf<HTMLInputElement>} */ (form.querySelectorAll("[data-in]"))) {
    const { in: place, name = "" } = input.dataset;
    if (place === "path") path = path.replace(`{${name}}`, encodeURIComponent(input.value.trim()));
    else if (!input.value) continue;
    else if (place === "query") query.set(name, input.value);
    else if (place === "header") headers[name] = input.value;
    else {
      body = input.value;
      headers["content-type"] = name;
    }
  }
  const token = /** @type {HTMLInputElement} */ (document.querySelector("#token")).value.trim();
  if (token) headers.authorization = `Bearer ${token}`;
  return { address: query.size ? `${path}?${query}` : path, options: { method, headers, body } };
}

/** @param {string} line @param {Response} response */
async function shown(line, response) {
  const status = `${response.status} ${response.statusText}`;
  const headers = SHOWN_HEADERS.filter((name) => response.headers.has(name));
  const text = await response.text();
  return [
    element("p", {}, element("code", {}, line)),
    element("p", { class: "status", "data-good": String(response.ok) }, status),
    element("pre", { tabindex: "0", "aria-label": "Headers" }, headers.map((name) => `${name}: ${response.headers.get(name)}`).join("\n")),
    text && element("pre", { tabindex: "0", "aria-label": "Body" }, pretty(text)),
  ].filter((part) => part !== "");
}

/** @param {string} text */
function pretty(text) {
  try {
    return JSON.stringify(JSON.parse(text), null, 2);
  } catch {
    return text;
  }
}
