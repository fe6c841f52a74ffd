/**
 * @module A manifest's data together with the places of its parts. Places are kept per map and
 * looked up by walking a JSON pointer (RFC 6901), not stored by pointer: with long keys above many
 * values the pointers would be far larger than the text they point into.
 */
import type { JsonValue } from "@glovebox/core/json";

import type { Position } from "../problem.ts";

/** A manifest's data, and where each value and key stands. */
export interface SourceTree {
  readonly root: JsonValue;
  /** The value at a JSON pointer, or `undefined`. */
  valueAt(pointer: string): JsonValue | undefined;
  /** Where a value begins; for a pointer that leads nowhere, where its nearest parent begins. */
  valuePosition(pointer: string): Position;
  /** Where the key of a value begins; as {@link SourceTree.valuePosition} for one without key. */
  keyPosition(pointer: string): Position;
}

/** Offsets of one entry of a map or list; in a list the two are the same. */
export interface Offsets {
  readonly key: number;
  readonly value: number;
}

/** Joins data, offsets per container, and lines. */
export function createSourceTree(
  root: JsonValue,
  rootOffset: number,
  places: ReadonlyMap<object, ReadonlyMap<string, Offsets>>,
  positionOf: (offset: number) => Position,
): SourceTree {
  const walk = (pointer: string): { value: JsonValue | undefined; offsets: Offsets } => {
    let value: JsonValue | undefined = root;
    let offsets: Offsets = { key: rootOffset, value: rootOffset };
    for (const key of splitPointer(pointer)) {
      const inside: Offsets | undefined = isContainer(value)
        ? places.get(value)?.get(key)
        : undefined;
      if (inside === undefined) return { value: undefined, offsets };
      offsets = inside;
      value = (value as Readonly<Record<string, JsonValue>>)[key];
    }
    return { value, offsets };
  };
  return {
    root,
    valueAt: (pointer) => walk(pointer).value,
    valuePosition: (pointer) => positionOf(walk(pointer).offsets.value),
    keyPosition: (pointer) => positionOf(walk(pointer).offsets.key),
  };
}

/** A JSON pointer one level down. */
export function childPointer(pointer: string, key: string | number): string {
  return `${pointer}/${String(key).replaceAll("~", "~0").replaceAll("/", "~1")}`;
}

/** The keys of a JSON pointer, unescaped. */
export function splitPointer(pointer: string): string[] {
  return pointer
    .split("/")
    .slice(1)
    .map((part) => part.replaceAll("~1", "/").replaceAll("~0", "~"));
}

function isContainer(value: JsonValue | undefined): value is JsonValue & object {
  return typeof value === "object" && value !== null;
}
