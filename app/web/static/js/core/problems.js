/** Refusals in the words of the language. English is the server's own; others say what the code means. */

import { language, t, tOr } from "./messages.js";

/** @import { Problem } from "../types" */

/** @param {string} prefix @param {string} code @param {string} said by the server */
const worded = (prefix, code, said) => (language === "en" && said ? said : tOr(prefix, code, said));

/** What is wrong with a field. @param {{field: string, code: string, message: string}} error */
export const fieldWords = ({ field, code, message }) =>
  worded("refusal.", `${field}.${code}`, "") || worded("refusal.", code, message);

/** Why something was refused: the first field that is wrong, else what happened. @param {Problem} problem */
export function problemWords({ status, code = "", detail = "", title = "", retryAfter, errors = [] }) {
  if (status === 429 && retryAfter) return t("auth.wait", { n: retryAfter });
  if (errors[0]) return fieldWords(errors[0]);
  return worded("problem.", code, detail || title) || t("error.other", { status: String(status) });
}
