import { randomBytes } from "node:crypto";

import fc from "fast-check";
import { describe, expect, test } from "vitest";
import "@glovebox/testkit/matchers";

import type { LoggedEvent } from "#src/event/event-members";
import { Malformed } from "#src/event/write-event";
import { openFields, sealFields } from "#src/subject/personal-fields";

const KEY = { subject: "a".repeat(22), key: randomBytes(32) };

function eventOf(sealed: ReturnType<typeof sealFields>, subject = KEY.subject) {
  const enc = JSON.parse(sealed.encJson) as LoggedEvent["enc"];
  const pii = JSON.parse(sealed.piiJson) as LoggedEvent["pii"];
  return { subject, enc: enc ?? {}, pii: pii ?? {} };
}

describe("personal fields", () => {
  test("come back as they were, whatever their text", () => {
    const name = fc
      .stringMatching(/^[A-Za-z][A-Za-z0-9._-]{0,20}$/)
      .filter((key) => key !== "userId");
    const text = fc
      .string({ unit: "binary", maxLength: 40 })
      .filter((value) => value.isWellFormed());
    fc.assert(
      fc.property(text, fc.dictionary(name, text, { maxKeys: 5 }), (userId, personal) => {
        const fields = openFields(KEY, eventOf(sealFields(KEY, userId, personal)));
        if (!fields.allowed) throw new Error(fields.reason);
        expect(Object.fromEntries(fields.value)).toEqual({ userId, ...personal });
      }),
      { numRuns: 100 },
    );
  });

  test("show nothing of themselves, and no two sealings are alike", () => {
    const [one, other] = [
      sealFields(KEY, "alice", { email: "a@b" }),
      sealFields(KEY, "alice", { email: "a@b" }),
    ];
    expect(JSON.stringify(one)).not.toContain("alice");
    expect(one.encJson).not.toBe(other.encJson);
    expect(one.piiJson).not.toBe(other.piiJson);
  });

  test("are not read with another key, under another pseudonym, or after a change", () => {
    const sealed = eventOf(sealFields(KEY, "alice"));
    const flip = (text = ""): string => (text.startsWith("A") ? "B" : "A") + text.slice(1);
    const tries = [
      openFields({ ...KEY, key: randomBytes(32) }, sealed),
      openFields({ ...KEY, subject: "b".repeat(22) }, { ...sealed, subject: "b".repeat(22) }),
      openFields(KEY, { ...sealed, subject: "b".repeat(22) }),
      openFields(KEY, { ...sealed, enc: { ...sealed.enc, ct: flip(sealed.enc["ct"]) } }),
      openFields(KEY, { ...sealed, enc: { ...sealed.enc, iv: flip(sealed.enc["iv"]) } }),
      openFields(KEY, { ...sealed, enc: { ...sealed.enc, tag: "AAAA" } }),
      openFields(KEY, { ...sealed, enc: {} }),
      openFields(KEY, { ...sealed, pii: { userId: flip(sealed.pii["userId"]) } }),
      openFields(KEY, { ...sealed, pii: {} }),
    ];
    for (const one of tries) expect(one).toRefuse("AUDITOR_PERSONAL_FIELDS");
  });

  test.each([
    [{ "two words": "x" }],
    [{ userId: "another" }],
    [{ "": "x" }],
    [{ email: "\ud800" }],
    [{ email: 1 as unknown as string }],
    [Object.fromEntries(Array.from({ length: 33 }, (_, n) => [`f${n}`, ""]))],
  ])("refuse the names and values %j", (personal) => {
    expect(() => sealFields(KEY, "alice", personal)).toThrow(Malformed);
  });
});
