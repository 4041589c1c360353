/* Runs before the first paint, so that a chosen theme or language never flashes, and the right words load at once. */
(() => {
  const root = document.documentElement;
  const script = /** @type {HTMLScriptElement | null} */ (document.currentScript);

  /** @param {string} name */
  const kept = (name) => {
    try {
      return localStorage.getItem(name) ?? "";
    } catch {
      return ""; // A browser that keeps nothing uses what the system says.
    }
  };

  /** @param {string} tag BCP 47 */
  const languageOf = (tag) => tag.split("-", 1)[0] ?? "";

  const languages = (root.dataset.languages ?? "").split(" ");
  const chosen = kept("language");
  const language = [chosen, ...navigator.languages.map(languageOf)].find((each) => languages.includes(each)) ?? "en";
  // The region decides how dates and numbers are written.
  root.lang = navigator.languages.find((each) => languageOf(each) === language) ?? language;
  root.dir = ["ar", "fa", "he", "ur"].includes(language) ? "rtl" : "ltr";
  root.dataset.theme = kept("theme") || "auto";

  const words = document.createElement("link");
  words.rel = "preload";
  words.as = "fetch";
  words.crossOrigin = "";
  words.href = new URL(`../messages/${language}.json`, script?.src).href;
  document.head.append(words);
})();
