/**
 * @module Inputs whose entries are as small as they can be, of which an object each would be many
 * times the input (CWE-770): the reader holds at most four bytes for each byte, and 1 MiB.
 */
import { readModule } from "@glovebox/wasm-binary";
import { expect, it } from "vitest";

import { moduleOf, moduleWithCode, section, u32 } from "../module-bytes.ts";

const MIB = 1_048_576;

/** `count` entries of the given bytes after their count. */
function many(count: number, ...entry: readonly number[]): Uint8Array {
  const head = u32(count);
  const bytes = new Uint8Array(head.length + count * entry.length);
  bytes.set(head);
  for (let at = head.length; at < bytes.length; at += entry.length) bytes.set(entry, at);
  return bytes;
}

const COUNT = 1_000_000;

it.each<[string, Uint8Array]>([
  ["function types", moduleOf(section(1, many(COUNT, 0x60, 0, 0)))],
  ["empty structs in one group", moduleOf(section(1, 1, 0x4e, many(COUNT, 0x5f, 0)))],
  ["groups of one", moduleOf(section(1, many(COUNT, 0x4e, 1, 0x5f, 0)))],
  ["imports", moduleOf(section(1, 1, 0x60, 0, 0), section(2, many(COUNT, 0, 0, 0, 0)))],
  ["functions without bodies", moduleOf(section(3, many(COUNT, 0)))],
  [
    "functions",
    moduleOf(
      section(1, 1, 0x60, 0, 0),
      section(3, many(COUNT, 0)),
      section(10, many(COUNT, 2, 0, 0x0b)),
    ),
  ],
  ["memories", moduleOf(section(5, many(COUNT, 0, 0)))],
  ["tags", moduleOf(section(13, many(COUNT, 0, 0)))],
  ["globals", moduleOf(section(6, many(COUNT, 0x7f, 0, 0x41, 0, 0x0b)))],
  ["exports", moduleOf(section(7, many(COUNT, 0, 0, 0)))],
  ["data segments", moduleOf(section(11, many(COUNT, 1, 0)))],
  ["blocks", moduleWithCode(many(0).subarray(1), many(COUNT, 0x02, 0x40).subarray(3))],
])("a million %s", (_, bytes) => {
  const held = (): number => process.memoryUsage().arrayBuffers;
  const before = held();
  const decision = readModule(bytes);
  const grown = held() - before;
  expect(grown).toBeLessThanOrEqual(4 * bytes.length + MIB);
  // The decision is alive here, and what it holds was counted.
  expect(typeof decision.allowed).toBe("boolean");
});
