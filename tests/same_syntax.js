/** Reads `[[name, written, served], …]` and fails where the two do not mean the same: their syntax trees must be equal. */

import { readFileSync } from "node:fs";
import { parse } from "espree";

/** Where something stands is no meaning. */
const NO_MEANING = new Set(["start", "end", "loc", "range"]);

/** @param {string} source */
const tree = (source) =>
  JSON.stringify(parse(source, { ecmaVersion: "latest", sourceType: "module" }), (key, value) =>
    NO_MEANING.has(key) ? undefined : value instanceof RegExp ? String(value) : value,
  );

const scripts = JSON.parse(readFileSync(0, "utf8"));
const different = scripts.filter(([, written, served]) => tree(written) !== tree(served)).map(([name]) => name);
for (const name of different) process.stderr.write(`${name}: served differs from written\n`);
process.exitCode = different.length > 0 || scripts.length === 0 ? 1 : 0;
