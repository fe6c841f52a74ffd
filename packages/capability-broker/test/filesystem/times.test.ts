import * as fs from "node:fs";

import { callScope } from "@glovebox/testkit";
import { expect, test } from "vitest";

import { createSetTimes } from "#times";

import { HostFolder, OPENERS, rights } from "../host-folder.ts";
import { codeOf, rejectionOf, valueOf } from "../lab.ts";

const ACCESSED = 1_700_000_000_123_456_789n;
const MODIFIED = 1_600_000_000_987_654_321n;
const TIMES = {
  accessedMs: Number(ACCESSED) / 1e6,
  modifiedMs: Number(MODIFIED) / 1e6,
  exactNs: { accessed: ACCESSED, modified: MODIFIED },
};

test.each(OPENERS)(
  "times are kept to the nanosecond, by path and by handle (%s)",
  async (opener) => {
    await using host = new HostFolder();
    host.write("in/a.txt", "a");
    host.write("in/sub/b.txt", "b");
    const files = host.files({}, { options: { fileWork: { opener } } });
    const scope = callScope();
    const exact = { accessed: ACCESSED, modified: MODIFIED };
    valueOf(await files.setTimes(scope, "/data/sub", TIMES));
    expect(valueOf(await files.stat(scope, "/data/sub")).exactNs).toMatchObject(exact);
    await using handle = valueOf(
      await files.open(scope, "/data/a.txt", rights("read", "setTimes")),
    );
    await handle.setTimes(TIMES);
    const stat = await handle.stat();
    expect(stat.exactNs).toMatchObject(exact);
    expect(stat.exactNs?.changed).toBe(
      fs.statSync(host.path("in/a.txt"), { bigint: true }).ctimeNs,
    );
    // An absent time stays as it is, to the last digit; without exact ones milliseconds count.
    await handle.setTimes({ modifiedMs: -0.5, exactNs: { accessed: 1n } });
    const { exactNs } = valueOf(await files.stat(scope, "/data/a.txt"));
    expect(exactNs).toMatchObject({ accessed: ACCESSED, modified: -500_000n });
  },
);

test("what is no time is refused before anything is set", async () => {
  await using host = new HostFolder();
  host.write("in/a.txt", "a");
  const before = fs.statSync(host.path("in/a.txt"));
  const files = host.files();
  const scope = callScope();
  await using handle = valueOf(await files.open(scope, "/data/a.txt", rights("read", "setTimes")));
  const wrong: object[] = [
    { modifiedMs: Number.NaN },
    { accessedMs: Infinity },
    { modifiedMs: 1, exactNs: { modified: 1 } },
    { modifiedMs: 1, exactNs: { modified: 1n << 94n } },
  ];
  for (const times of wrong) {
    expect(codeOf(await files.setTimes(scope, "/data/a.txt", times))).toMatch(/^BROKER_FILE_/);
    expect(await rejectionOf(handle.setTimes(times))).toMatch(/^BROKER_FILE_/);
  }
  expect(fs.statSync(host.path("in/a.txt"))).toEqual(before);
});

test("without system calls times are set as exactly as Node.js can, of a link itself too", async () => {
  await using host = new HostFolder();
  fs.symlinkSync("../out/secret.txt", host.path("in/l"));
  const before = fs.statSync(host.path("out/secret.txt"), { bigint: true });
  const O_PATH = 0o10000000;
  const link = fs.openSync(host.path("in/l"), O_PATH | fs.constants.O_NOFOLLOW);
  try {
    createSetTimes(undefined)(link, TIMES);
    createSetTimes(undefined)(link, { accessedMs: 5_000 });
  } finally {
    fs.closeSync(link);
  }
  const { atimeMs, mtimeMs } = fs.lstatSync(host.path("in/l"));
  expect(atimeMs).toBe(5_000);
  expect(mtimeMs).toBeCloseTo(TIMES.modifiedMs, 2);
  expect(fs.statSync(host.path("out/secret.txt"), { bigint: true })).toEqual(before);
});
