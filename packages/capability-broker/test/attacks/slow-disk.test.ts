import * as fs from "node:fs";
import { stat } from "node:fs/promises";
import { join } from "node:path";
import { Worker } from "node:worker_threads";

import type { SpawnFileWorker } from "@glovebox/capability-broker";
import { callScope, fakeClock } from "@glovebox/testkit";
import { expect, test } from "vitest";

import { HostFolder, OPENERS, readText, rights } from "../host-folder.ts";
import { type Lab, codeOf, rejectionOf, valueOf } from "../lab.ts";

// CWE-400: a disk that does not answer, and folders without end.
const spawnFileWorker: SpawnFileWorker = (workerData) =>
  new Worker(new URL("../stalling-worker.ts", import.meta.url), {
    workerData,
    execArgv: ["--conditions=@glovebox/source", "--no-warnings"],
    // As the broker's own: its thread closes what a lost worker kept, and a second close by Node.js
    // would hit whoever has the number by then.
    trackUnmanagedFds: false,
  });

function slowLab(host: HostFolder): {
  readonly lab: Lab;
  readonly clock: ReturnType<typeof fakeClock>;
} {
  const clock = fakeClock();
  const root = { allowRead: true, allowWrite: true };
  host.write("in/a.txt", "a");
  host.write("in/stall.txt", "x");
  host.write("fast/b.txt", "b");
  const roots = [
    { guest: "/slow", host: host.path("in"), ...root },
    { guest: "/fast", host: host.path("fast"), ...root },
  ];
  // The walk opens each name with openSync, which is what stalls here.
  const options = { fileWork: { opener: "walk" as const } };
  const lab = host.lab(
    {},
    { policy: { filesystem: { roots } }, options, deps: { clock, spawnFileWorker } },
  );
  return { lab, clock };
}

test("a stalled disk ends its own work at the deadline, and nobody else's", async () => {
  await using host = new HostFolder();
  const { lab, clock } = slowLab(host);
  const files = lab.broker.files(lab.grant());
  const open = valueOf(await files.open(callScope(), "/slow/a.txt", rights("read")));
  const stalled = files.open(callScope(), "/slow/stall.txt", rights("read"));
  // Other folders, the event loop and libuv's pool go on meanwhile.
  expect(await readText(files, "/fast/b.txt")).toBe("b");
  expect((await stat(host.path("fast/b.txt"))).size).toBe(1);
  const waiting = rejectionOf(open.readAt(0, 1));
  clock.advance(10_000);
  expect(codeOf(await stalled)).toBe("BROKER_FILE_STALLED");
  expect(await waiting).toBe("BROKER_FILE_STALLED");
  expect(await rejectionOf(open.stat())).toBe("BROKER_FILE_STALLED");
  expect(await readText(files, "/slow/a.txt")).toBe("a");
  expect(lab.log.events.some(({ event: { code } }) => code === "BROKER_FILE_STALLED")).toBe(true);
});

test("what waits behind a stalled disk is bounded, and ends with its call", async () => {
  await using host = new HostFolder();
  const { lab, clock } = slowLab(host);
  const files = lab.broker.files(lab.grant());
  const scope = callScope();
  const asked = Array.from({ length: 80 }, () => files.stat(scope, "/slow/stall.txt"));
  const first = await Promise.race(asked);
  expect(codeOf(first)).toBe("BROKER_FILE_BUSY");
  scope.controller.abort();
  const codes = (await Promise.all(asked)).map(codeOf);
  expect(codes.filter((code) => code === "BROKER_CANCELLED")).toHaveLength(64);
  expect(codes.filter((code) => code === "BROKER_FILE_BUSY")).toHaveLength(16);
  clock.advance(10_000);
});

test.each(OPENERS)(
  "a folder with more names than a listing reads is refused (%s)",
  async (opener) => {
    await using host = new HostFolder();
    for (let at = 0; at <= 10_000; at += 1) fs.writeFileSync(join(host.path("in"), `f${at}`), "");
    const files = host.files({}, { options: { fileWork: { opener } } });
    expect(codeOf(await files.list(callScope(), "/data", undefined, 10))).toBe("BROKER_FILE_QUOTA");
  },
);
