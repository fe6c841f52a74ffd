/**
 * @module From YAML text to the JSON data model with a place for every value. YAML 1.2 core schema
 * only: `yes` is text, nothing is constructed, keys are text, a key occurs once, and every number
 * is finite. What comes out of here has no aliases, so it is a tree, and its size is bounded.
 */
import type { JsonValue } from "@glovebox/core/json";
import {
  Composer,
  type DocumentOptions,
  type ParseOptions,
  type SchemaOptions,
  isMap,
  isScalar,
  isSeq,
} from "yaml";

import type { Position, ProblemList } from "../problem.ts";
import { readTokens } from "./refused-syntax.ts";
import { createLineIndex, readSourceText } from "./source-text.ts";
import { childPointer, createSourceTree, type Offsets, type SourceTree } from "./source-tree.ts";

/**
 * Reads a manifest's text. Problems go to the list; nothing is answered when there is no tree to go
 * on with. The source is attacker-controlled.
 */
export function readYaml(source: string | Uint8Array, list: ProblemList): SourceTree | undefined {
  const text = readSourceText(source, list);
  if (text === undefined) return undefined;
  const positionOf = createLineIndex(text);
  const tokens = readTokens(text, positionOf, list);
  if (tokens === undefined) return undefined;

  const document = [...new Composer(COMPOSER_OPTIONS).compose(tokens)][0];
  for (const error of document?.errors ?? []) {
    list.add("MANIFEST_YAML", "", positionOf(error.pos[0]), { what: error.message });
  }
  if (document !== undefined && document.errors.length > 0) return undefined;
  return convertNodes(document?.contents, positionOf, list);
}

const COMPOSER_OPTIONS = {
  version: "1.2",
  schema: "core",
  merge: false,
  customTags: null,
  resolveKnownTags: false,
  // Checked below with a set: the composer compares all pairs of keys.
  uniqueKeys: false,
  strict: true,
  prettyErrors: false,
  logLevel: "silent",
} as const satisfies DocumentOptions & ParseOptions & SchemaOptions;

function convertNodes(
  contents: unknown,
  positionOf: (offset: number) => Position,
  list: ProblemList,
): SourceTree {
  const places = new Map<object, Map<string, Offsets>>();

  // Depth is bounded by the syntax check, so this recursion is.
  const convert = (node: unknown, pointer: string, at: number): JsonValue => {
    if (isMap(node)) {
      const map: Record<string, JsonValue> = {};
      const inMap = new Map<string, Offsets>();
      places.set(map, inMap);
      for (const pair of node.items) {
        const keyOffset = offsetOf(pair.key) ?? at;
        const key = readKey(pair.key, pointer, keyOffset);
        if (key === undefined) continue;
        const place = childPointer(pointer, key);
        if (inMap.has(key)) {
          list.add("MANIFEST_DUPLICATE_KEY", place, positionOf(keyOffset), { received: key });
          continue;
        }
        const valueOffset = offsetOf(pair.value) ?? keyOffset;
        inMap.set(key, { key: keyOffset, value: valueOffset });
        map[key] = convert(pair.value, place, valueOffset);
      }
      return map;
    }
    if (isSeq(node)) {
      const inList = new Map<string, Offsets>();
      const items = node.items.map((item, index) => {
        const offset = offsetOf(item) ?? at;
        inList.set(String(index), { key: offset, value: offset });
        return convert(item, childPointer(pointer, index), offset);
      });
      places.set(items, inList);
      return items;
    }
    const value = isScalar(node) ? node.value : null;
    if (typeof value === "string" || typeof value === "boolean" || value === null) return value;
    if (typeof value === "number" && Number.isFinite(value)) return value;
    list.add("MANIFEST_TYPE", pointer, positionOf(at), {
      what: "a number has no finite value",
      expected: "a finite number",
      received: value,
    });
    return null;
  };

  const readKey = (node: unknown, pointer: string, offset: number): string | undefined => {
    const key = isScalar(node) ? node.value : node;
    if (typeof key !== "string") {
      list.add("MANIFEST_TYPE", pointer, positionOf(offset), {
        what: "a key is not text",
        expected: "a text key; quote a number, boolean or null",
        received: key,
      });
      return undefined;
    }
    // `__proto__` would change the map's prototype in careless code further on (CWE-1321).
    if (key === "<<" || key === "__proto__") {
      list.add("MANIFEST_YAML_FEATURE", pointer, positionOf(offset), {
        what: "a manifest may not hold this key",
        received: key,
      });
      return undefined;
    }
    return key;
  };

  const start = offsetOf(contents) ?? 0;
  return createSourceTree(convert(contents, "", start), start, places, positionOf);
}

function offsetOf(node: unknown): number | undefined {
  return isMap(node) || isSeq(node) || isScalar(node) ? node.range?.[0] : undefined;
}
