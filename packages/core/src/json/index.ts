/** @module The door @glovebox/core/json. Canonical and bounded JSON. */
export { canonicalJson } from "./canonical-json.ts";
export { JsonError } from "./json-error.ts";
export { parseBoundedJson } from "./parse-bounded-json.ts";
export type { JsonLimits } from "./limits.ts";
export type { JsonValue } from "./value.ts";
