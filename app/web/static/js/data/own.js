/**
 * Which changes were made in this window: an event about one of them is no news here, and after a reload neither.
 */

/** So many of the last ones are known after a reload, which brings only the events that had not come before it. */
const KEPT = 100;
const NAME = "own-changes";

/** @returns {string[]} */
function kept() {
  try {
    return JSON.parse(sessionStorage.getItem(NAME) ?? "[]");
  } catch {
    return []; // A browser that keeps nothing knows only what it has just done.
  }
}

/** @type {Set<string>} keys of changes */
const keys = new Set(kept());

/** @param {string} key of a change that is made now */
export const madeHere = (key) => void keys.add(key);

/** @param {string} key whether a change was made in this window */
export const isOwn = (key) => keys.has(key);

addEventListener("pagehide", () => {
  // Where nothing can be kept nothing was made either: a page that only asks who you are must not fail.
  if (keys.size) sessionStorage.setItem(NAME, JSON.stringify([...keys].slice(-KEPT)));
});
