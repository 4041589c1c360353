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

let keeping = false;

/**
 * Kept at once, since a page that goes away still makes changes, of what is being typed, and may go without a word; all that
 * are made together are kept together.
 * @param {string} key of a change that is made now
 */
export function madeHere(key) {
  keys.add(key);
  if (keeping) return;
  keeping = true;
  queueMicrotask(() => {
    keeping = false;
    store();
  });
}

/** @param {string} key whether a change was made in this window */
export const isOwn = (key) => keys.has(key);

function store() {
  try {
    sessionStorage.setItem(NAME, JSON.stringify([...keys].slice(-KEPT)));
  } catch {
    // Where nothing can be kept, only a reload makes news of what was done here.
  }
}
