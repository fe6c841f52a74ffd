/**
 * @module Members of a configuration file: each is read once into what it means, and what is unknown,
 * missing or of another type is refused by its place in the file.
 */
import { received } from "@glovebox/core/errors";

import { usageError } from "./errors.ts";

/** Makes a value out of what stands in a file; `where` is its place. */
export type Read<T> = (value: unknown, where: string) => T;

/** An object with these members and no other; those in `required` have to be there. */
export function object<T extends object>(
  members: { readonly [Name in keyof Required<T>]: Read<T[Name]> },
  ...required: readonly (keyof T & string)[]
): Read<T> {
  const readers = new Map<string, Read<unknown>>(Object.entries(members));
  return (value, where) => {
    if (typeof value !== "object" || value === null || Array.isArray(value)) {
      throw wrong(where, "an object", value);
    }
    const read: Record<string, unknown> = {};
    for (const [name, member] of Object.entries(value)) {
      const reader = readers.get(name);
      if (reader === undefined)
        throw wrong(where, `one of ${[...readers.keys()].join(", ")}`, name);
      read[name] = reader(member, `${where}.${name}`);
    }
    for (const name of required) {
      if (!Object.hasOwn(read, name)) throw wrong(`${where}.${name}`, "given", undefined);
    }
    // Each member was made by its reader.
    return read as T;
  };
}

/** A list. */
export function list<T>(item: Read<T>, max: number): Read<readonly T[]> {
  return (value, where) => {
    if (!Array.isArray(value) || value.length > max)
      throw wrong(where, `a list of at most ${max}`, value);
    return value.map((one, at) => item(one, `${where}[${at}]`));
  };
}

/** Text that is not empty. */
export const text: Read<string> = (value, where) => {
  if (typeof value === "string" && value !== "") return value;
  throw wrong(where, "text", value);
};

/** One of these texts. */
export function oneOf<T extends string>(...values: readonly T[]): Read<T> {
  return (value, where) => {
    const found = values.find((one) => one === value);
    if (found === undefined) throw wrong(where, `one of ${values.join(", ")}`, value);
    return found;
  };
}

/** Only `true`: a loosening is named, and not denied. */
export const yes: Read<true> = (value, where) => {
  if (value === true) return true;
  throw wrong(where, "true, or left out", value);
};

/** True or false. */
export const flag: Read<boolean> = (value, where) => {
  if (typeof value === "boolean") return value;
  throw wrong(where, "true or false", value);
};

/** A number in a range. */
export function number(min: number, max: number): Read<number> {
  return (value, where) => {
    if (typeof value === "number" && value >= min && value <= max) return value;
    throw wrong(where, `a number from ${min} to ${max}`, value);
  };
}

/** A number, or `null` for ever. */
export function orForEver(inner: Read<number>): Read<number> {
  return (value, where) => (value === null ? Infinity : inner(value, where));
}

/** That something in a configuration is not as it has to be. */
export function wrong(where: string, expected: string, value: unknown): Error {
  return usageError(`${where} must be ${expected}; received ${received(value)}`);
}
