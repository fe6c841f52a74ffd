/**
 * @module Every code that a problem in a plugin.yaml can carry, and the error for misuse. Types,
 * advice and docs/errors/manifest-validator.md are derived from this one table. Codes are stable.
 */
import {
  type ErrorCodeTable,
  SecurityError,
  type SecurityErrorOptions,
} from "@glovebox/core/errors";

/** The codes of this package: what each means and what to do about it. */
export const MANIFEST_ERRORS = {
  MANIFEST_USAGE: {
    summary: "The manifest validator was called with something it does not take",
    advice: "Pass the text or the bytes of a plugin.yaml, or an array of parsed manifests.",
  },
  MANIFEST_CHECK_FAILED: {
    summary: "A check of the manifest failed and so refuses",
    advice: "Report the manifest as a defect of the validator.",
  },
  MANIFEST_SIZE: {
    summary: "The manifest is larger, deeper or longer than its bounds",
    advice: "Keep plugin.yaml within the bounds listed in the package's README.",
  },
  MANIFEST_ENCODING: {
    summary: "The manifest is not plain UTF-8 text",
    advice: "Save plugin.yaml as UTF-8 without a byte order mark and without control characters.",
  },
  MANIFEST_YAML: {
    summary: "The manifest is not well-formed YAML",
    advice: "Correct the YAML at the place named.",
  },
  MANIFEST_YAML_FEATURE: {
    summary: "The manifest uses a YAML feature that a manifest may not use",
    advice:
      "Write plain maps, lists and scalars: no tags, anchors, aliases, merge keys or directives.",
  },
  MANIFEST_DUPLICATE_KEY: {
    summary: "A key occurs twice in one map",
    advice: "Keep one of the two.",
  },
  MANIFEST_UNKNOWN_KEY: {
    summary: "A key is not known",
    advice: "Remove or correct the key; outside strict mode it is a warning and is ignored.",
  },
  MANIFEST_MISSING: {
    summary: "A required key is missing",
    advice: "Add the key.",
  },
  MANIFEST_TYPE: {
    summary: "A value has the wrong type",
    advice:
      "Write a value of the expected type; quote text that YAML reads as a number, boolean or null.",
  },
  MANIFEST_ID: {
    summary: "A plugin id is malformed",
    advice: "Use 1 to 64 lower-case letters, digits and hyphens.",
  },
  MANIFEST_VERSION: {
    summary: "The plugin's version is malformed",
    advice:
      "Use three numbers separated by dots, such as 1.2.0, without pre-release or build parts.",
  },
  MANIFEST_VALUE: {
    summary: "A value is not one of those allowed",
    advice: "Use one of the values listed as expected, each at most once.",
  },
  MANIFEST_TEXT: {
    summary: "A text meant for people holds characters that could mislead them, or is too long",
    advice: "Write one line of visible characters without control or bidirectional ones.",
  },
  MANIFEST_MODULES: {
    summary: "The manifest does not say clearly which WebAssembly modules it has",
    advice: "Give either wasm (one path) or modules (a list of name and path, the main one last).",
  },
  MANIFEST_PATH: {
    summary: "A path is not written in its one normal form",
    advice:
      "Write package paths relative and guest paths absolute, with single slashes and no . or .. parts.",
  },
  MANIFEST_HOST: {
    summary: "A host pattern is malformed",
    advice:
      "Write a lower-case host name, or *. followed by one; no scheme, port, path or other wildcard.",
  },
  MANIFEST_LIMIT: {
    summary: "A limit or a port is not a usable number",
    advice: "Write a whole number in the range that the message names.",
  },
  MANIFEST_FUNCTION: {
    summary: "A function's name is malformed",
    advice:
      "Use the name of the module's export: 1 to 128 printable ASCII characters without spaces.",
  },
  MANIFEST_SCHEMA: {
    summary: "A function's schema is not a JSON Schema 2020-12 that the host accepts",
    advice:
      "Correct the schema; references are #/$defs/NAME, not recursive, and unknown keywords are refused.",
  },
  MANIFEST_SCHEMA_COST: {
    summary: "A function's schema could make checking a value take too long",
    advice:
      "Simplify the pattern, bound the array with maxItems, or share fewer nested references.",
  },
  MANIFEST_RANGE: {
    summary: "A dependency's version range is malformed",
    advice: "Use a semantic version range such as ^1.0.0 or >=1.2.0 <2.0.0.",
  },
  MANIFEST_DEPENDENCY_MISSING: {
    summary: "A plugin that another one depends on is not there",
    advice: "Load the missing plugin too, or remove the dependency.",
  },
  MANIFEST_DEPENDENCY_VERSION: {
    summary: "A plugin is there, but not in a version that another one accepts",
    advice: "Load a version inside the range, or widen the range.",
  },
  MANIFEST_CYCLE: {
    summary: "Plugins depend on each other in a circle",
    advice: "Remove one of the dependencies of the circle.",
  },
  MANIFEST_PLUGIN_DUPLICATE: {
    summary: "Two manifests have the same plugin id",
    advice: "Load one of the two, or give one another id.",
  },
  MANIFEST_TOO_MANY_PROBLEMS: {
    summary: "The manifest has more problems than are listed",
    advice: "Correct those listed and check again.",
  },
} as const satisfies ErrorCodeTable;

/** A code of {@link MANIFEST_ERRORS}. */
export type ManifestErrorCode = keyof typeof MANIFEST_ERRORS;

/** Thrown only on misuse (`MANIFEST_USAGE`); what is wrong with a manifest is returned. */
export class ManifestError extends SecurityError<ManifestErrorCode> {
  static override readonly brand: symbol = Symbol.for("@glovebox/manifest-validator/ManifestError");

  constructor(code: ManifestErrorCode, options: SecurityErrorOptions = {}) {
    super(code, MANIFEST_ERRORS[code], options);
  }
}
