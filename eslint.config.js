import js from "@eslint/js";

/** What the UI takes from the browser; anything else must be imported. */
const browser = Object.fromEntries(
  [
    "document", "window", "navigator", "location", "history", "localStorage", "indexedDB", "fetch", "crypto", "caches", "self",
    "globalThis", "addEventListener", "setTimeout", "clearTimeout", "setInterval", "clearInterval", "requestAnimationFrame",
    "matchMedia", "scrollTo", "WebSocket", "BroadcastChannel", "IntersectionObserver", "AbortController", "URL",
    "URLSearchParams", "Element", "HTMLElement", "HTMLDetailsElement", "Node", "CSS", "IDBKeyRange", "innerHeight", "scrollBy",
    "removeEventListener", "getComputedStyle",
  ].map((name) => [name, "readonly"]),
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
  { files: ["app/web/static/js/theme.js"], languageOptions: { sourceType: "script" } },
  { files: ["tests/*.js"], languageOptions: { globals: { process: "readonly" } } },
];
