/**
 * @module Canonical JSON (RFC 8785): one value, one text, so that a digest or signature over it
 * means the value. Whatever has two readings is an error instead of a guess.
 */
import { received } from "../errors/index.ts";
import { JsonError } from "./json-error.ts";
import { MAX_DEPTH_CEILING } from "./limits.ts";
import type { JsonValue } from "./value.ts";

/**
 * Writes a value in canonical form: no white space, members sorted by the UTF-16 code units of their
 * keys (RFC 8785 section 3.2.3), numbers as ECMAScript prints them (3.2.2.3), −0 as 0.
 *
 * @throws {@link JsonError} (`JSON_VALUE`) for `undefined`, a function, a bigint, a number that is
 *   not finite, or an object that is neither an array nor plain; (`JSON_LONE_SURROGATE`) for a string
 *   with half a surrogate pair; (`JSON_DEPTH`) beyond 1,000 levels, so also for a cycle.
 * @example
 * ```ts
 * canonicalJson({ b: 1.0, a: ["€"] }); // '{"a":["€"],"b":1}'
 * ```
 */
export function canonicalJson(value: JsonValue): string {
  return write(value, [], 0);
}

type Path = (string | number)[];

function write(value: unknown, path: Path, depth: number): string {
  if (typeof value === "string") return writeString(value, path);
  if (value === null || typeof value === "boolean" || Number.isFinite(value)) return String(value);
  if (typeof value !== "object") throw unwritable(value, path);
  if (depth >= MAX_DEPTH_CEILING) throw tooDeep(path);
  if (Array.isArray(value)) return writeArray(value, path, depth + 1);
  if (isPlain(value)) return writeObject(value, path, depth + 1);
  throw unwritable(value, path);
}

function writeArray(items: readonly unknown[], path: Path, depth: number): string {
  let text = "[";
  // By index and not by iteration: a hole must be met as undefined, and refused.
  for (let index = 0; index < items.length; index++) {
    path.push(index);
    text += (index === 0 ? "" : ",") + write(items[index], path, depth);
    path.pop();
  }
  return `${text}]`;
}

function writeObject(
  members: Readonly<Record<string, unknown>>,
  path: Path,
  depth: number,
): string {
  let text = "{";
  // The default order of sort() is that of UTF-16 code units, as RFC 8785 wants.
  for (const key of Object.keys(members).sort()) {
    path.push(key);
    text += `${text === "{" ? "" : ","}${writeString(key, path)}:${write(members[key], path, depth)}`;
    path.pop();
  }
  return `${text}}`;
}

function writeString(text: string, path: Path): string {
  if (!text.isWellFormed()) {
    throw new JsonError("JSON_LONE_SURROGATE", {
      message: `the string at ${pointer(path)} holds half of a surrogate pair, which has no UTF-8 form`,
    });
  }
  // For well-formed strings JSON.stringify escapes exactly as RFC 8785 section 3.2.2.2 says.
  return JSON.stringify(text);
}

/** An instance of a class would lose its meaning: two different values, one text. */
function isPlain(value: object): value is Readonly<Record<string, unknown>> {
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === Object.prototype || prototype === null;
}

function unwritable(value: unknown, path: Path): JsonError {
  return new JsonError("JSON_VALUE", {
    message: `the value at ${pointer(path)} has no JSON form; received ${received(value)}`,
  });
}

function tooDeep(path: Path): JsonError {
  return new JsonError("JSON_DEPTH", {
    message: `a value is nested more than ${MAX_DEPTH_CEILING} levels deep or contains itself, at ${pointer(path.slice(0, 8))}/…`,
  });
}

/** RFC 6901. */
function pointer(path: Path): string {
  const tokens = path.map((part) => `/${String(part).replaceAll("~", "~0").replaceAll("/", "~1")}`);
  return received(tokens.join(""));
}
