/** Makes elements. Text is only ever text: nothing here reads markup. */

/** @typedef {Node | string | null | undefined | false} Child */

/**
 * @param {string} tag
 * @param {Record<string, string | boolean | ((event: Event) => void)>} [attributes] functions listen to the event of their name
 * @param {...Child} children
 * @returns {HTMLElement}
 */
export function element(tag, attributes = {}, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (typeof value === "function") made.addEventListener(name, value);
    else if (value === true) made.setAttribute(name, "");
    else if (value !== false) made.setAttribute(name, value);
  }
  made.append(...children.filter((child) => child !== null && child !== undefined && child !== false));
  return made;
}

/** @param {string} text with `code` between backticks, in paragraphs @returns {HTMLElement[]} */
export function prose(text) {
  return text.split("\n\n").map((paragraph) => {
    const parts = paragraph.split("`").map((part, index) => (index % 2 ? element("code", {}, part) : part));
    return element("p", {}, ...parts);
  });
}
