/** Says in a few words what a JSON Schema of the contract means. */

/** @typedef {Record<string, any>} Schema */

/** @param {Schema} contract @param {Schema} node @returns {Schema} */
export function resolve(contract, node) {
  if (!node.$ref) return node;
  return node.$ref
    .slice(2)
    .split("/")
    .reduce((/** @type {Schema} */ at, /** @type {string} */ key) => at[key], contract);
}

/** @param {Schema} contract @param {Schema} given @returns {string} */
export function describe(contract, given) {
  if (given.$ref && given.$ref.includes("/schemas/")) return given.$ref.split("/").pop();
  const schema = resolve(contract, given);
  if (schema.enum) return schema.enum.join(" | ");
  if (schema.anyOf) return schema.anyOf.map((/** @type {Schema} */ each) => describe(contract, each)).join(" or ");
  const type = [schema.type ?? "anything"].flat().join(" or ");
  if (schema.items) return `list of ${describe(contract, schema.items)}`;
  const limits = [
    schema.format,
    schema.maxLength && `at most ${schema.maxLength.toLocaleString("en")} characters`,
    schema.minimum !== undefined && schema.maximum !== undefined && `${schema.minimum} to ${schema.maximum}`,
    schema.default !== undefined && `default ${JSON.stringify(schema.default)}`,
  ].filter(Boolean);
  return limits.length ? `${type} (${limits.join(", ")})` : type;
}
