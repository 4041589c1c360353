/** How Rondo looks and which language it speaks in this browser. Both live here and not in the account. */

import { h } from "../core/dom.js";
import { LANGUAGES, t } from "../core/messages.js";
import { section } from "./account-form.js";
import { THEMES, useTheme } from "./nav.js";

/** The name a language has for itself. @param {string} language */
const nameOf = (language) => new Intl.DisplayNames(language, { type: "language" }).of(language) ?? language;

const chosenLanguage = () => {
  try {
    return localStorage.getItem("language") ?? "";
  } catch {
    return "";
  }
};

/** @param {string} language empty: as the browser says */
function useLanguage(language) {
  localStorage.setItem("language", language);
  location.reload();
}

/**
 * @param {string} name
 * @param {string} title
 * @param {[value: string, words: string][]} choices
 * @param {string} chosen
 * @param {(value: string) => void} use
 */
function segments(name, title, choices, chosen, use) {
  return h("fieldset", { class: "segments" }, h("legend", {}, title), choices.map(([value, words]) =>
    h("label", {}, h("input", { type: "radio", name, value, checked: value === chosen, onchange: () => use(value) }), h("span", {}, words))));
}

/** @returns {import("./account.js").Part} */
export function lookPart() {
  /** @type {[string, string][]} */
  const languages = [["", t("theme.auto")], ...LANGUAGES.map((each) => /** @type {[string, string]} */ ([each, nameOf(each)]))];
  const theme = segments("settings-theme", t("nav.theme"), THEMES.map((each) => [each, t(`theme.${each}`)]), document.documentElement.dataset.theme ?? "auto", useTheme);
  const language = segments("settings-language", t("account.language"), languages, chosenLanguage(), useLanguage);
  return { root: section("look", "account.look", theme, language, h("p", { class: "hint" }, t("account.lookHint"))) };
}
