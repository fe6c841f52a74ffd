/**
 * @module The keywords of JSON Schema 2020-12 and where each holds subschemas. Refused are the
 * keywords that name or move a schema's base: references stay within one schema's `$defs`, so that
 * nothing is ever looked up elsewhere and the graph of references is plain to see.
 */

/** What a keyword holds: data, one schema, a list or a map of schemas; or it is refused. */
export type KeywordKind = "data" | "schema" | "schemas" | "schemaMap" | "refused";

const byKind: Readonly<Record<KeywordKind, readonly string[]>> = {
  data: [
    "$schema $ref $comment type enum const multipleOf maximum exclusiveMaximum minimum",
    "exclusiveMinimum maxLength minLength pattern maxItems minItems uniqueItems maxContains",
    "minContains maxProperties minProperties required dependentRequired title description default",
    "deprecated readOnly writeOnly examples format contentEncoding contentMediaType",
  ],
  schema: [
    "items contains additionalProperties propertyNames not if then else unevaluatedItems",
    "unevaluatedProperties contentSchema",
  ],
  schemas: ["allOf anyOf oneOf prefixItems"],
  schemaMap: ["properties patternProperties dependentSchemas $defs"],
  refused: ["$id $anchor $dynamicRef $dynamicAnchor $vocabulary"],
};

/** Keyword → what it holds. */
export const SCHEMA_KEYWORDS: ReadonlyMap<string, KeywordKind> = new Map(
  Object.entries(byKind).flatMap(([kind, lines]) =>
    lines
      .flatMap((line) => line.split(" "))
      .map((keyword): [string, KeywordKind] => [keyword, kind as KeywordKind]),
  ),
);
