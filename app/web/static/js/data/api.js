/** Speaks to the server over HTTP. A refusal is a value to handle; only an unreachable server is an exception. */

/** @import { Problem } from "../types" */

/** The server could not be reached at all; nothing is known about what it did. */
export class UnreachableError extends Error {}

/** @typedef {{ok: boolean, status: number, data: any, problem: Problem}} Answer */

/** Random UUID (version 4). `crypto.randomUUID` exists on secure origins only, and a home server may be plain HTTP. */
export function uuid() {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  bytes[6] = ((bytes[6] ?? 0) & 0x0f) | 0x40;
  bytes[8] = ((bytes[8] ?? 0) & 0x3f) | 0x80;
  const hex = [...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join("");
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)].join("-");
}

/** @param {Response} response */
const ifRefused = (response) => (/** @type {unknown} */ error) => {
  if (response.ok) throw error;
  return null;
};

/**
 * @param {string} method
 * @param {string} path
 * @param {{body?: object, key?: string, version?: number, keepalive?: boolean, signal?: AbortSignal}} [options]
 *   `key` makes a POST safe to repeat and comes back in the live event; `version` must still be the task's
 * @returns {Promise<Answer>}
 */
export async function call(method, path, { body, key, version, keepalive, signal } = {}) {
  /** @type {Record<string, string>} */
  const headers = { accept: "application/json" };
  if (body) headers["content-type"] = "application/json";
  if (key) headers["x-request-id"] = key;
  if (key && method === "POST") headers["idempotency-key"] = key;
  if (version) headers["if-match"] = `"${version}"`;
  try {
    const content = body && JSON.stringify(body);
    const response = await fetch(path, { method, headers, body: content, keepalive, signal });
    // The body of a refusal may be anything, a proxy's page too. One of a success that breaks off has not arrived.
    const data = response.status === 204 ? null : await response.json().catch(ifRefused(response));
    const retryAfter = Number(response.headers.get("retry-after")) || undefined;
    return { ok: response.ok, status: response.status, data, problem: { status: response.status, retryAfter, ...data } };
  } catch (error) {
    throw new UnreachableError(String(error));
  }
}
