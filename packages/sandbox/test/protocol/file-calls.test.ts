/** The coding of file operations: what is encoded comes back, and no bytes make a decoder throw. */
import fc from "fast-check";
import { expect, it } from "vitest";

import {
  decodeAnswer,
  decodeFileCall,
  decodePage,
  decodeStat,
  encodeCondition,
  encodeContent,
  encodeFileCall,
  encodePage,
  encodeStat,
  FILE_CONDITIONS,
  FILE_RIGHTS,
  rightBits,
  rightsOf,
} from "../../src/protocol/file-calls.ts";

const i64 = fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n });
const u64 = fc.bigInt({ min: 0n, max: 2n ** 64n - 1n });
const kind = fc.constantFrom("file", "directory", "link");

it("gives back every call", () => {
  const call = fc.record({
    kind: fc.integer({ min: 0, max: 255 }),
    flags: fc.integer({ min: 0, max: 255 }),
    rights: fc.integer({ min: 0, max: 0xffff }),
    handle: fc.integer({ min: 0, max: 0xffffffff }),
    first: i64,
    second: i64,
    parts: fc.array(fc.uint8Array({ maxLength: 40 }), { maxLength: 2 }),
  });
  fc.assert(
    fc.property(call, (sent) => {
      expect(decodeFileCall(encodeFileCall(sent))).toEqual(sent);
    }),
  );
});

it("decodes any bytes to a call or to none", () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 64 }), (bytes) => {
      const call = decodeFileCall(bytes);
      expect(call === undefined || call.parts.length <= 2).toBe(true);
    }),
  );
});

it("gives back every stat and page", () => {
  const stat = fc.record({
    kind,
    size: u64,
    accessedNs: u64,
    modifiedNs: u64,
    changedNs: u64,
    id: u64,
    links: u64,
  });
  const page = fc.record({
    entries: fc.array(fc.record({ name: fc.string(), kind, id: u64 }), { maxLength: 20 }),
    cursor: fc.option(fc.string({ minLength: 1 }), { nil: undefined }),
  });
  fc.assert(
    fc.property(stat, page, (sentStat, sentPage) => {
      expect(decodeStat(encodeStat(sentStat))).toEqual(sentStat);
      expect(decodePage(encodePage(sentPage))).toEqual(sentPage);
    }),
  );
});

it("gives back every right, condition and content", () => {
  fc.assert(
    fc.property(fc.subarray([...FILE_RIGHTS]), fc.uint8Array(), (rights, content) => {
      expect(rightsOf(rightBits(rights))).toEqual(new Set(rights));
      expect(decodeAnswer(encodeContent(content))).toEqual(content);
    }),
  );
  for (const condition of FILE_CONDITIONS) {
    expect(decodeAnswer(encodeCondition(condition))).toBe(condition);
  }
});
