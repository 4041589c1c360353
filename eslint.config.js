import js from "@eslint/js";

/** What the UI takes from the browser; anything else must be imported. */
const browser = Object.fromEntries(
  [
    "document", "window", "navigator", "location", "history", "localStorage", "sessionStorage", "indexedDB", "fetch", "crypto", "caches", "self",
    "globalThis", "addEventListener", "setTimeout", "clearTimeout", "setInterval", "clearInterval", "requestAnimationFrame",
    "matchMedia", "scrollTo", "WebSocket", "BroadcastChannel", "IntersectionObserver", "AbortController", "URL",
    "URLSearchParams", "Element", "HTMLElement", "HTMLDetailsElement", "Node", "Text", "CSS", "IDBKeyRange", "innerHeight", "scrollBy",
    "removeEventListener", "getComputedStyle", "queueMicrotask",
  ].map((name) => [name, "readonly"]),
);

/** Where a text is that a person reads. Sentences come from the catalogue. */
const SHOWN = [
  ['CallExpression[callee.name="h"] > ObjectExpression ~ ', ""],
  ['CallExpression[callee.name="h"] > ObjectExpression ~ ArrayExpression > ', ""],
  ["CallExpression[callee.name=/^(toast|unseen)$/] > ", ""],
  ["AssignmentExpression[left.property.name=/^(textContent|title|placeholder|ariaLabel)$/] > ", ".right"],
  ["Property[key.value=/^(aria-label|aria-description|title|placeholder|alt)$/] > ", ".value"],
  ["Property[key.name=/^(title|placeholder|alt)$/] > ", ".value"],
];
/** Two letters are a word; Rondo's name and what stands on keys are no sentences. */
const WORD = "/(?<!\\p{L})(?!(?:Rondo|Esc|Ctrl|Del)(?!\\p{L}))\\p{L}{2}/u";
const SPOKEN = SHOWN.flatMap(([place, role]) =>
  [`${place}Literal${role}[value=${WORD}]`, `${place}TemplateLiteral${role} > TemplateElement[value.raw=${WORD}]`].map((selector) => ({
    selector,
    message: "A person reads this: put it into messages/*.json.",
  })),
);

export default [
  { ignores: [".venv/", "node_modules/", "test-results/"] },
  js.configs.recommended,
  {
    files: ["app/web/static/**/*.js"],
    languageOptions: { ecmaVersion: 2024, sourceType: "module", globals: browser },
    linterOptions: { reportUnusedDisableDirectives: "error" },
    rules: {
      "max-lines": ["error", 300],
      complexity: ["error", 18],
      eqeqeq: ["error", "always", { null: "ignore" }],
      "no-console": "error",
      "no-eval": "error",
      "no-implied-eval": "error",
      "no-unused-vars": ["error", { argsIgnorePattern: "^_" }],
      "no-var": "error",
      "prefer-const": "error",
      // Strings never become markup: the page is built from text nodes and templates.
      "no-restricted-properties": [
        "error",
        ...["innerHTML", "outerHTML", "insertAdjacentHTML"].map((property) => ({ property, message: "Text goes in as text." })),
        { object: "document", property: "write", message: "Text goes in as text." },
      ],
    },
  },
  { files: ["app/web/static/js/**/*.js"], rules: { "no-restricted-syntax": ["error", ...SPOKEN] } },
  { files: ["app/web/static/js/theme.js"], languageOptions: { sourceType: "script" } },
  { files: ["tests/*.js"], languageOptions: { globals: { process: "readonly" } } },
];
