/**
 * Every sentence a person reads comes from `messages/<language>.json`. Plural forms are separated by `|` and chosen
 * by `n`. A language is complete when it has the keys of the English file; a test says so.
 */

/** @typedef {typeof import("../../messages/en.json")} Catalogue */
/** @typedef {keyof Catalogue} Key */

/** Languages there is a file for. */
const LANGUAGES = ["en"];

const language = LANGUAGES.find((each) => navigator.language.startsWith(each)) ?? "en";
const catalogue = /** @type {Catalogue} */ (
  await (await fetch(new URL(`../../messages/${language}.json`, import.meta.url))).json()
);
const plural = new Intl.PluralRules(language);
const regional = navigator.language.startsWith(language) ? navigator.language : language;

/** Language of texts, dates and numbers: BCP 47. */
export const locale = () => regional;

/**
 * @param {Key} key
 * @param {Record<string, string | number>} [values] for the `{names}` in the sentence
 */
export function t(key, values = {}) {
  const [one = "", other = one] = catalogue[key].split("|");
  const form = values.n === undefined || plural.select(Number(values.n)) === "one" ? one : other;
  return form.replace(/\{(\w+)\}/gu, (_, name) => shown(values[name] ?? ""));
}

/** @param {string | number} value */
const shown = (value) => (typeof value === "number" ? value.toLocaleString(regional) : value);

/**
 * The sentence for a name that came from the server; the name itself when there is none.
 * @param {string} prefix
 * @param {string} name
 */
export const tOr = (prefix, name) => (prefix + name in catalogue ? t(/** @type {Key} */ (prefix + name)) : name);
