/** CWE-770, CWE-779: a flood of events fills the queue, and must keep out neither operators nor memory. */
import { describe, expect, test } from "vitest";
import "@glovebox/testkit/matchers";

import { event, type Faults, faultyFileSystem, kindsOf, logDirectory, taken } from "../fixture.ts";

/** A log whose disk is stuck until `release`. */
async function stuckLog(maxQueuedEvents: number) {
  const directory = await logDirectory();
  const gate = Promise.withResolvers<void>();
  const faults: Faults = {};
  const auditor = await directory.open(
    { maxQueuedEvents },
    { fileSystem: faultyFileSystem(faults) },
  );
  faults.sync = (path) => (path.includes("/wal/") ? gate.promise : undefined);
  return { directory, auditor, release: () => gate.resolve() };
}

describe("a full queue", () => {
  test("refuses, says when to come back, and takes again once the disk has caught up", async () => {
    const { directory, auditor, release } = await stuckLog(64);
    await using _ = directory;
    for (let n = 0; n < 56; n += 1) taken(auditor, event("deny"));
    const refusal = auditor.record({}, event("deny"));
    expect(refusal).toRefuse("AUDITOR_QUEUE_FULL");
    expect(refusal).toMatchObject({ retryAfterMs: 50 });
    release();
    await auditor.flush();
    taken(auditor, event("deny"));
    await auditor.close();
    expect((await kindsOf(directory)).filter((kind) => kind === "deny")).toHaveLength(57);
  });

  test("keeps room for operators, violations and quarantine, and no endless room", async () => {
    const { directory, auditor, release } = await stuckLog(64);
    await using _ = directory;
    while (auditor.record({}, event("deny")).allowed);
    const kinds = ["operator", "violation", "quarantine", "revoke", "throttle", "alert"];
    for (const kind of kinds) taken(auditor, event(kind));
    expect(auditor.record({}, event("deny"))).toRefuse("AUDITOR_QUEUE_FULL");
    while (auditor.record({}, event("operator")).allowed);
    expect(auditor.record({}, event("operator"))).toRefuse("AUDITOR_QUEUE_FULL");
    release();
    await auditor.close();
    expect(await kindsOf(directory)).toEqual(expect.arrayContaining(kinds));
  });

  test("is full by bytes too, so that large events cannot take more memory", async () => {
    const { directory, auditor, release } = await stuckLog(1_048_576);
    await using _ = directory;
    const large = event("deny", { error: "x".repeat(65_000) });
    let count = 0;
    while (auditor.record({}, large).allowed) count += 1;
    expect(auditor.record({}, large)).toRefuse("AUDITOR_QUEUE_FULL");
    expect(count * 65_000).toBeLessThan(33_554_432);
    taken(auditor, event("violation", { error: "x".repeat(65_000) }));
    release();
    await auditor.close();
  });
});

test("refused events leave no trace in the log, and take no place", async () => {
  const { directory, auditor, release } = await stuckLog(8);
  await using _ = directory;
  while (auditor.record({}, event("deny")).allowed);
  for (let n = 0; n < 1_000; n += 1) auditor.record({}, event("deny"));
  const { place } = taken(auditor, event("operator"));
  expect(place).toBe(8);
  release();
  await auditor.close();
  expect(await kindsOf(directory)).toHaveLength(10);
});
