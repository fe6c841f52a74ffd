/**
 * @module Modules with changed bytes: the reader reads them or refuses them with a code and an offset,
 * and never refuses what the engine takes; it holds at most four bytes for each byte; and metering
 * makes of a valid module a valid one.
 */
import { readModule, WASM_BINARY_ERRORS } from "@glovebox/wasm-binary";
import { meterModule, METERING_ERRORS } from "@glovebox/wasm-metering";
import fc from "fast-check";

import { validated } from "../run-module.ts";
import { encode } from "./encode.ts";
import { programs } from "./program.ts";

/** Bytes that were changed. */
export interface Mutation {
  readonly bytes: Uint8Array<ArrayBuffer>;
}

const MIB = 1_048_576;
const OFFSET = /\(at byte \d+\)$/;
/** Bytes at which counts, lengths and constants change their form. */
const EDGES = [0x00, 0x01, 0x0b, 0x3f, 0x40, 0x7f, 0x80, 0xfc, 0xfd, 0xff];
const CODES = new Set([...Object.keys(WASM_BINARY_ERRORS), ...Object.keys(METERING_ERRORS)]);

/** Modules of programs with a few bytes flipped, put in, left out or copied. */
export function mutations(): fc.Arbitrary<Mutation> {
  const place = fc.double({ min: 0, max: 1, noNaN: true, maxExcluded: true });
  const byte = fc.oneof(fc.constantFrom(...EDGES), fc.nat(255));
  const change = fc.oneof(
    fc.record({ kind: fc.constant("flip" as const), place, bit: fc.nat(7) }),
    fc.record({ kind: fc.constant("set" as const), place, byte }),
    fc.record({
      kind: fc.constant("insert" as const),
      place,
      bytes: fc.array(byte, { minLength: 1, maxLength: 6 }),
    }),
    fc.record({
      kind: fc.constant("remove" as const),
      place,
      count: fc.integer({ min: 1, max: 8 }),
    }),
    fc.record({
      kind: fc.constant("copy" as const),
      place,
      from: place,
      count: fc.integer({ min: 1, max: 64 }),
    }),
    fc.record({ kind: fc.constant("cut" as const), place }),
  );
  return fc
    .tuple(
      programs({ tailCalls: true, exceptions: true, wide: true }),
      fc.array(change, { maxLength: 4 }),
    )
    .map(([program, changes]) => {
      const bytes = [...encode(program, true)];
      for (const each of changes) {
        const at = Math.floor(each.place * bytes.length);
        if (each.kind === "flip") bytes[at] = (bytes[at] ?? 0) ^ (1 << each.bit);
        else if (each.kind === "set") bytes[at] = each.byte;
        else if (each.kind === "insert") bytes.splice(at, 0, ...each.bytes);
        else if (each.kind === "remove") bytes.splice(at, each.count);
        else if (each.kind === "cut") bytes.splice(at);
        else {
          const from = Math.floor(each.from * bytes.length);
          bytes.splice(at, 0, ...bytes.slice(from, from + each.count));
        }
      }
      return { bytes: Uint8Array.from(bytes) };
    });
}

/** What is wrong with how the bytes are read and metered, or `undefined`. */
export function problemOfBytes({ bytes }: Mutation): string | undefined {
  const isValid = WebAssembly.validate(bytes);
  const before = process.memoryUsage().arrayBuffers;
  const reading = readModule(bytes);
  const held = process.memoryUsage().arrayBuffers - before;
  if (held > 4 * bytes.length + MIB) return `the reader holds ${held} bytes for ${bytes.length}`;
  if (!reading.allowed && isValid)
    return `refused what the engine takes: ${reading.code}: ${reading.reason}`;
  if (!reading.allowed && !(CODES.has(reading.code) && OFFSET.test(reading.reason)))
    return `refused without code and offset: ${reading.code}: ${reading.reason}`;
  // What the engine refuses is given to metering as well: it may refuse, but not fail.
  const decision = meterModule(validated(bytes));
  if (!decision.allowed) {
    const isExpected =
      CODES.has(decision.code) && (!isValid || decision.code === "METERING_MEMORY");
    return isExpected ? undefined : `not metered: ${decision.code}: ${decision.reason}`;
  }
  return isValid && !WebAssembly.validate(decision.value.bytes)
    ? "metering made it invalid"
    : undefined;
}
