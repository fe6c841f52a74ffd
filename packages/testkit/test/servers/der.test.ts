import { expect, test } from "vitest";

import { bitString, objectIdentifier, octetString, sequence, time, unsignedInteger } from "#der";

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString("hex");

test.each([
  ["an empty sequence", sequence(), "3000"],
  ["zero", unsignedInteger(Uint8Array.of(0)), "020100"],
  ["leading zeros dropped", unsignedInteger(Uint8Array.of(0, 0, 5)), "020105"],
  ["a high bit kept positive", unsignedInteger(Uint8Array.of(0x80)), "02020080"],
  ["the OID of ecdsa-with-SHA256", objectIdentifier("1.2.840.10045.4.3.2"), "06082a8648ce3d040302"],
  ["unused bits", bitString(Uint8Array.of(0x80), 7), "03020780"],
  [
    "UTCTime through 2049",
    time(Date.UTC(2049, 11, 31, 23, 59, 59)),
    "170d3439313233313233353935395a",
  ],
  [
    "GeneralizedTime from 2050 on",
    time(Date.UTC(2050, 0, 1)),
    "180f32303530303130313030303030305a",
  ],
])("encodes %s", (_what, bytes, expected) => {
  expect(hex(bytes)).toBe(expected);
});

test.each([
  [127, "047f"],
  [128, "048180"],
  [255, "0481ff"],
  [256, "04820100"],
  [65_536, "0483010000"],
])("encodes a length of %i bytes in its shortest form", (length, header) => {
  expect(hex(octetString(new Uint8Array(length))).slice(0, header.length)).toBe(header);
});
