/** How well words that were typed quickly fit a text: whole words before parts of words before letters in order. */

/** @param {string} text */
const fold = (text) => text.normalize("NFD").replace(/\p{M}/gu, "").toLowerCase();

/**
 * @param {string} typed words in any order, each of which must fit
 * @param {string} text
 * @returns {number} 0 when it does not fit, more when it fits better
 */
export function fit(typed, text) {
  const within = fold(text);
  let sum = 0;
  for (const word of fold(typed).split(/\s+/u).filter(Boolean)) {
    const one = fitOf(word, within);
    if (!one) return 0;
    sum += one;
  }
  return sum && sum + 1 / (1 + within.length);
}

/** @param {string} word @param {string} text both folded */
function fitOf(word, text) {
  const at = text.indexOf(word);
  if (at === 0) return 4;
  if (at > 0) return isStart(text, at) || isStart(text, text.indexOf(` ${word}`) + 1) ? 3 : 2;
  return isInitials(word, text) ? 1 : 0;
}

/** @param {string} text @param {number} at */
const isStart = (text, at) => at > 0 && !/[\p{L}\p{N}]/u.test(text.charAt(at - 1));

/** Letters in order, the first of them where a word begins: "wpl" is "water plants". @param {string} word @param {string} text */
function isInitials(word, text) {
  const first = word.charAt(0);
  for (let from = text.indexOf(first); from >= 0; from = text.indexOf(first, from + 1)) {
    if (from > 0 && !isStart(text, from)) continue;
    let at = from;
    if ([...word].every((letter) => (at = text.indexOf(letter, at) + 1) > 0)) return true;
  }
  return false;
}
