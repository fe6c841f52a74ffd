/** @module The commands `audit query`, `audit export` and `audit erase`. */
import { readdir } from "node:fs/promises";
import { join } from "node:path";

import { openAuditor } from "@glovebox/auditor";
import { pluginDirectory } from "@glovebox/testkit";
import { describe, expect, test } from "vitest";

import { runHere as run } from "../in-process.ts";

const HOSTILE = "\u001b[2Jforged\nline\u202e";
const WHY = ["--reason", "GDPR 17(1)(b)", "--operator", "dpo"];

/** Logs of two calls by alice, one by bob, one refusal with hostile text; closed. */
async function logs() {
  const files = await pluginDirectory({});
  const directory = join(files.path, "audit");
  const auditor = await openAuditor({ directory });
  for (const userId of ["alice", "bob", "alice"]) {
    auditor.record({}, { kind: "call", success: true, userId, personal: { ip: "203.0.113.9" } });
  }
  auditor.record({}, { kind: "deny", success: false, code: "BROKER_X", error: HOSTILE });
  await auditor.close();
  return { files, directory };
}

describe("audit query", () => {
  test("answers events as JSON, a page at a time, and nothing personal", async () => {
    const { files, directory } = await logs();
    await using _ = files;
    const first = await run(
      "audit",
      "query",
      directory,
      "--kind",
      "call",
      "--limit",
      "2",
      "--json",
    );
    expect(first).toMatchObject({ exit: 0, err: "" });
    const page = JSON.parse(first.out) as { events: { event: { kind: string } }[]; cursor: string };
    expect(page.events.map(({ event }) => event.kind)).toEqual(["call", "call"]);
    const rest = ["--limit", "2", "--cursor", page.cursor, "--json"];
    const second = await run("audit", "query", directory, "--kind", "call", ...rest);
    expect(JSON.parse(second.out)).toMatchObject({
      events: [{ event: { kind: "call" } }],
      cursor: null,
    });
    expect(first.out + second.out).not.toMatch(/alice|203\.0\.113/);
  });

  test("shows text of a plugin so that it cannot act on the terminal", async () => {
    const { files, directory } = await logs();
    await using _ = files;
    const shown = await run("audit", "query", directory, "--decision", "refused");
    expect(shown.out.split("\n")).toHaveLength(2);
    expect(shown.out).toContain("BROKER_X");
    const json = await run("audit", "query", directory, "--decision", "refused", "--json");
    for (const { out } of [shown, json])
      expect(out.trimEnd()).not.toMatch(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/u);
  });

  test.each([
    ["--kind", "dance"],
    ["--limit", "0"],
    ["--limit", "many"],
    ["--since", "yesterday"],
    ["--decision", "maybe"],
    ["--cursor", "???"],
  ])("refuses %s %s as wrong usage", async (...option) => {
    const { files, directory } = await logs();
    await using _ = files;
    expect((await run("audit", "query", directory, ...option)).exit).toBe(2);
  });

  test("fails where there are no logs", async () => {
    await using files = await pluginDirectory({});
    expect(await run("audit", "query", files.path)).toMatchObject({ exit: 1 });
  });
});

describe("audit export and erase", () => {
  test("write what is kept of a person, and then nothing any more", async () => {
    const { files, directory } = await logs();
    await using _ = files;
    const before = await run("audit", "export", directory, "alice", ...WHY);
    expect(before.exit).toBe(0);
    const personal = before.out
      .trimEnd()
      .split("\n")
      .map((line) => (JSON.parse(line) as { personal?: unknown }).personal)
      .filter((fields) => fields !== undefined);
    const alice = { userId: "alice", ip: "203.0.113.9" };
    expect(personal).toEqual([alice, alice]);

    const erased = await run("audit", "erase", directory, "alice", ...WHY);
    expect(erased.exit).toBe(0);
    expect(JSON.parse(erased.out)).toMatchObject({ keyFingerprint: expect.any(String) });
    expect(await readdir(`${directory}.keys/keys`)).toHaveLength(1);
    const after = await run("audit", "export", directory, "alice", ...WHY);
    expect(after.exit).toBe(1);
    expect(after.firstError).toMatch(/^AUDITOR_PERSON_UNKNOWN: /);
    expect((await run("audit", "verify", directory)).exit).toBe(4);

    const said = await run(
      "audit",
      "query",
      directory,
      "--actor",
      "operator:dpo",
      "--order",
      "oldest",
      "--json",
    );
    const { events } = JSON.parse(said.out) as { events: { event: { rule: string } }[] };
    expect(events.map(({ event }) => event.rule)).toEqual([
      "export.person",
      "erasure.begin",
      "erasure.end",
    ]);
  });

  test("need a reason, an operator, and a person or the named option", async () => {
    const { files, directory } = await logs();
    await using _ = files;
    for (const wrong of [
      ["erase", directory, "alice"],
      ["erase", directory, "alice", "--reason", "x", "--operator", "two words"],
      ["export", directory, ...WHY],
      ["export", directory, "alice", "--plaintext", ...WHY],
    ]) {
      expect((await run("audit", ...wrong)).exit).toBe(2);
    }
    const all = await run("audit", "export", directory, "--plaintext", "--kind", "call", ...WHY);
    expect(all.out.match(/alice/g)).toHaveLength(2);
    expect(all.out.match(/bob/g)).toHaveLength(1);
  });
});
