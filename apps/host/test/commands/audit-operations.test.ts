/** @module The commands of `audit` that change logs: holds, pruning, keys; and each is in the log. */
import { cp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";

import { openAuditor } from "@glovebox/auditor";
import { fakeClock, pluginDirectory } from "@glovebox/testkit";
import { describe, expect, test } from "vitest";

import { jsonLines, runHere } from "../in-process.ts";

const WHY = ["--reason", "case 7", "--operator", "dpo"];
const DAY_MS = 86_400_000;

interface Logs extends AsyncDisposable {
  readonly directory: string;
  readonly path: string;
  /** What the operator did, from the log. */
  said(): Promise<readonly unknown[]>;
}

/** Logs of `calls` calls by alice, a hundred days ago; closed. */
async function logs(calls = 1): Promise<Logs> {
  const files = await pluginDirectory({});
  const directory = join(files.path, "audit");
  const clock = fakeClock();
  clock.setWallMs(Date.now() - 100 * DAY_MS);
  const auditor = await openAuditor({ directory }, { clock });
  for (let n = 0; n < calls; n += 1) {
    auditor.record({}, { kind: "call", success: true, userId: "alice" });
  }
  await auditor.close();
  return {
    directory,
    path: files.path,
    async said() {
      const asked = ["--actor", "operator:dpo", "--order", "oldest", "--json"];
      const { out } = await runHere("audit", "query", directory, ...asked);
      const { events } = JSON.parse(out) as {
        events: { event: { rule?: string; kind: string } }[];
      };
      return events.map(({ event }) => event.rule ?? event.kind);
    },
    [Symbol.asyncDispose]: () => files[Symbol.asyncDispose](),
  };
}

describe("audit hold", () => {
  test("places, lists and lifts; while a hold stands nothing is pruned or erased", async () => {
    await using t = await logs(300);
    const onClass = await runHere(
      "audit",
      "hold",
      "place",
      t.directory,
      "--class",
      "activity",
      ...WHY,
    );
    const onAlice = await runHere(
      "audit",
      "hold",
      "place",
      t.directory,
      "--person",
      "alice",
      ...WHY,
    );
    expect([onClass.exit, onAlice.exit]).toEqual([0, 0]);
    const listed = await runHere("audit", "hold", "list", t.directory);
    expect(jsonLines(listed.out)).toEqual([...jsonLines(onClass.out), ...jsonLines(onAlice.out)]);
    expect(listed.out).not.toContain("alice");

    const pruned = await runHere("audit", "prune", t.directory, ...WHY);
    expect(jsonLines(pruned.out)).toContainEqual(
      expect.objectContaining({ class: "activity", removed: 0, minimumIndex: 0 }),
    );
    const held = await runHere("audit", "erase", t.directory, "alice", ...WHY);
    expect([held.exit, held.err]).toEqual([1, expect.stringMatching(/^AUDITOR_HELD: /)]);

    for (const hold of jsonLines(listed.out) as { id: string }[]) {
      expect((await runHere("audit", "hold", "lift", t.directory, hold.id, ...WHY)).exit).toBe(0);
    }
    expect((await runHere("audit", "hold", "list", t.directory)).out).toBe("");
    expect((await runHere("audit", "erase", t.directory, "alice", ...WHY)).exit).toBe(0);
    expect(await t.said()).toEqual([
      "hold.place",
      "hold.place",
      "hold.lift",
      "hold.lift",
      "erasure.begin",
      "erasure.end",
    ]);
  });

  test.each([
    ["neither class nor person", []],
    ["both", ["--class", "activity", "--person", "alice"]],
    ["an unknown class", ["--class", "all"]],
  ])("refuses %s as wrong usage", async (_, options) => {
    await using t = await logs();
    expect((await runHere("audit", "hold", "place", t.directory, ...options, ...WHY)).exit).toBe(2);
  });

  test("refuses a person of whom nothing is kept, and a hold that is not there", async () => {
    await using t = await logs();
    const place = ["audit", "hold", "place", t.directory, "--person", "nobody", ...WHY];
    expect((await runHere(...place)).err).toMatch(/^AUDITOR_PERSON_UNKNOWN: /);
    const lift = await runHere("audit", "hold", "lift", t.directory, "x", ...WHY);
    expect(lift.err).toMatch(/^AUDITOR_HOLD: /);
  });
});

describe("audit prune", () => {
  test("removes what is older than its class is kept, publishes the minimum index, and says so", async () => {
    await using t = await logs(600);
    const kept = await runHere("audit", "prune", t.directory, "--days", "activity=ever", ...WHY);
    expect(jsonLines(kept.out)).toContainEqual({ class: "activity", removed: 0, minimumIndex: 0 });
    const pruned = await runHere("audit", "prune", t.directory, ...WHY);
    expect(pruned.exit).toBe(0);
    expect(jsonLines(pruned.out)).toContainEqual({
      class: "activity",
      removed: 512,
      minimumIndex: 512,
    });
    const note = await readFile(join(t.directory, "activity", "minimum-index"), "utf8");
    expect(note.split("\n").slice(0, 3)).toEqual([
      "glovebox.minimum-index/v1",
      expect.stringMatching(/\/activity$/),
      "512",
    ]);
    // Whole, but for what the log says is gone.
    const verified = await runHere("audit", "verify", t.directory, "--json");
    expect([verified.exit, JSON.parse(verified.out)]).toMatchObject([
      4,
      { ok: true, kind: "PRUNED" },
    ]);
    expect(await t.said()).toEqual(["prune"]);
  });

  test("follows the windows of the configuration, and the option before them", async () => {
    await using t = await logs(300);
    const config = join(t.path, "audit.json");
    await writeFile(config, JSON.stringify({ retentionDays: { activity: 1_000, security: null } }));
    const options = ["--config", config, ...WHY];
    const kept = await runHere("audit", "prune", t.directory, ...options);
    expect(jsonLines(kept.out)).toContainEqual({ class: "activity", removed: 0, minimumIndex: 0 });
    const pruned = await runHere("audit", "prune", t.directory, "--days", "activity=7", ...options);
    expect(jsonLines(pruned.out)).toContainEqual(expect.objectContaining({ removed: 256 }));
  });

  test.each(["activity", "activity=x", "all=3", "activity=1=2"])(
    "refuses --days %s as wrong usage",
    async (days) => {
      await using t = await logs();
      expect((await runHere("audit", "prune", t.directory, "--days", days, ...WHY)).exit).toBe(2);
    },
  );
});

describe("audit rewrap", () => {
  test("wraps the keys of persons anew, also into a secret store, and everybody is still known", async () => {
    await using t = await logs();
    const old = await readFile(`${t.directory}.keys/wrapping.key`);
    const first = await runHere("audit", "rewrap", t.directory, ...WHY);
    expect([first.exit, JSON.parse(first.out)]).toEqual([0, { rewrapped: 1 }]);
    expect(await readFile(`${t.directory}.keys/wrapping.key`)).not.toEqual(old);

    const key = join(t.path, "secret");
    const config = join(t.path, "audit.json");
    await writeFile(key, Buffer.alloc(32, 7));
    await writeFile(config, JSON.stringify({ wrappingKeyFile: "secret" }));
    const into = ["--new-wrapping-key", key, ...WHY];
    expect((await runHere("audit", "rewrap", t.directory, ...into)).exit).toBe(0);
    expect(await readdir(`${t.directory}.keys`)).not.toContain("wrapping.key");
    const without = await runHere("audit", "export", t.directory, "alice", ...WHY);
    expect(without.err).toMatch(/^AUDITOR_SUBJECT_KEYS: /);
    const found = await runHere(
      "audit",
      "export",
      t.directory,
      "alice",
      "--config",
      config,
      ...WHY,
    );
    expect(found.out).toContain('"userId":"alice"');
    expect(await t.said()).toEqual([
      "key.rewrap.begin",
      "key.rewrap.end",
      "key.rewrap.begin",
      "key.rewrap.end",
      "export.person",
    ]);
  });

  test("refuses a key of another length", async () => {
    await using t = await logs();
    const key = join(t.path, "short");
    await writeFile(key, "short");
    const ran = await runHere("audit", "rewrap", t.directory, "--new-wrapping-key", key, ...WHY);
    expect(ran.exit).toBe(2);
  });
});

describe("audit keys", () => {
  test("prints lines that make a policy, by which the logs verify", async () => {
    await using t = await logs();
    const { out } = await runHere("audit", "keys", t.directory, "--witness", "w.example");
    expect(out.split("\n")).toEqual([
      expect.stringMatching(/^log \S+\/security\+/),
      expect.stringMatching(/^log \S+\/activity\+/),
      expect.stringMatching(/^log \S+\/operations\+/),
      expect.stringMatching(/^witness w\.example w\.example\+/),
      "",
    ]);
    const policy = join(t.path, "policy");
    const verify = ["audit", "verify", t.directory, "--policy", policy, "--since"];
    await writeFile(policy, `${out}quorum none\n`);
    expect((await runHere(...verify, `${t.directory}.checkpoints`)).exit).toBe(0);
    // Nobody has cosigned: a quorum of one is not met.
    await writeFile(policy, `${out}quorum w.example\n`);
    const few = await runHere(...verify, `${t.directory}.checkpoints`);
    expect([few.exit, few.err]).toEqual([1, expect.stringMatching(/^HOST_AUDIT_BROKEN: .*quorum/)]);
    await writeFile(policy, "quorum nobody\n");
    expect((await runHere(...verify, `${t.directory}.checkpoints`)).exit).toBe(2);
  });
});

test("audit schema prints the table of a mirror", async () => {
  const { out } = await runHere("audit", "schema", "--table", "a.events");
  expect(out).toMatch(/^CREATE TABLE IF NOT EXISTS a\.events \(.*\);\n$/);
  expect((await runHere("audit", "schema", "--table", "a;b")).err).toMatch(/^AUDITOR_OPTION: /);
});

test("evidence of two histories is kept, and checked without the log", async () => {
  await using t = await logs(5);
  const log = join(t.directory, "security");
  const other = `${t.directory}-other`;
  await cp(t.directory, other, { recursive: true });
  for (const kept of ["security", "activity", "operations"]) {
    await cp(`${t.directory}.${kept}.key`, `${other}.${kept}.key`);
  }
  await cp(`${t.directory}.keys`, `${other}.keys`, { recursive: true });
  for (const directory of [t.directory, other]) {
    const auditor = await openAuditor({ directory });
    auditor.record({}, { kind: "operator", success: true, details: { at: directory } });
    await auditor.close();
  }
  const file = join(t.path, "evidence");
  const verified = await runHere(
    "audit",
    "verify",
    log,
    "--since",
    join(other, "security", "checkpoint"),
    "--evidence",
    file,
  );
  expect([verified.exit, verified.err]).toEqual([1, expect.stringMatching(/DIVERGED/)]);
  const { out } = await runHere("audit", "keys", t.directory);
  const key = /^log (\S+)$/m.exec(out)?.[1] ?? "";
  await rm(t.directory, { recursive: true });
  const checked = await runHere("audit", "check-evidence", file, "--key", key);
  expect([checked.exit, checked.out.match(/\/security\n/g)]).toMatchObject([0, { length: 2 }]);
  const foreign = /\/activity\+/.test(out)
    ? (/^log (\S+\/activity\S+)$/m.exec(out)?.[1] ?? "")
    : "";
  const refused = await runHere("audit", "check-evidence", file, "--key", foreign);
  expect([refused.exit, refused.out]).toEqual([1, ""]);
  expect((await runHere("audit", "check-evidence", file, "--key", "x")).exit).toBe(2);
});
