/** @module A schema and everything below it that is a schema, by the table of keywords. */
import type { JsonValue } from "@glovebox/core/json";

import { isMap, type JsonMap } from "../rule.ts";
import { childPointer } from "../yaml/source-tree.ts";
import { SCHEMA_KEYWORDS } from "./keyword-table.ts";

/** A schema that is a map, and where it stands in the manifest. */
export interface Subschema {
  readonly pointer: string;
  readonly value: JsonMap;
}

/** The schema itself and all schemas below, `$defs` included; bounded by the manifest's nodes. */
export function* subschemasOf(schema: Subschema): Generator<Subschema> {
  yield schema;
  for (const child of childSchemas(schema)) yield* subschemasOf(child);
}

/** The schemas directly below one; without `$defs` when only those that apply are wanted. */
export function childSchemas({ pointer, value }: Subschema, withDefs = true): Subschema[] {
  const children: Subschema[] = [];
  const add = (at: string, candidate: JsonValue | undefined): void => {
    if (isMap(candidate)) children.push({ pointer: at, value: candidate });
  };
  for (const [keyword, held] of Object.entries(value)) {
    const kind = SCHEMA_KEYWORDS.get(keyword);
    const at = childPointer(pointer, keyword);
    if (keyword === "$defs" && !withDefs) continue;
    if (kind === "schema") add(at, held);
    if ((kind === "schemas" && Array.isArray(held)) || (kind === "schemaMap" && isMap(held))) {
      for (const [key, child] of Object.entries(held as JsonMap)) add(childPointer(at, key), child);
    }
  }
  return children;
}
