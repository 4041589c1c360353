/**
 * Every sentence a person reads comes from `messages/<language>.json`. Plural forms are separated by `|`, in the order of
 * `FORMS`, and chosen by `n`. A language is complete when it has the keys of the English file; a test says so.
 * Which language it is has been decided by `theme.js` before the first paint: `<html lang>`.
 */

/** @typedef {typeof import("../../messages/en.json")} Catalogue */
/** @typedef {keyof Catalogue} Key */

/** The order of CLDR; a language uses some of them, English and German "one" and "other". */
const FORMS = /** @type {Intl.LDMLPluralRule[]} */ (["zero", "one", "two", "few", "many", "other"]);

const root = document.documentElement;
const regional = root.lang;

/** Language of the words, without a region. */
export const language = regional.split("-", 1)[0] ?? "";

/** Languages there is a file for. */
export const LANGUAGES = (root.dataset.languages ?? "").split(" ");

const catalogue = /** @type {Catalogue} */ (
  await (await fetch(new URL(`../../messages/${language}.json`, import.meta.url))).json()
);
const plural = new Intl.PluralRules(language);
const used = plural.resolvedOptions().pluralCategories;
const forms = FORMS.filter((form) => used.includes(form));

/** Language of texts, dates and numbers: BCP 47. */
export const locale = () => regional;

/**
 * @param {Key} key
 * @param {Record<string, string | number>} [values] for the `{names}` in the sentence
 */
export function t(key, values = {}) {
  const said = (catalogue[key] ?? key).split("|");
  const index = values.n === undefined ? 0 : forms.indexOf(plural.select(Number(values.n)));
  const form = said[Math.min(index, said.length - 1)] ?? "";
  return form.replace(/\{(\w+)\}/gu, (_, name) => shown(values[name] ?? ""));
}

/** @param {string | number} value */
const shown = (value) => (typeof value === "number" ? value.toLocaleString(regional) : value);

/**
 * The sentence for a name that came from the server; the name itself, or what is given, when there is none.
 * @param {string} prefix
 * @param {string} name
 * @param {string} [otherwise]
 */
export const tOr = (prefix, name, otherwise = name) =>
  prefix + name in catalogue ? t(/** @type {Key} */ (prefix + name)) : otherwise;
