import * as fs from "node:fs";
import type { Worker } from "node:worker_threads";

import type { SpawnFileWorker } from "@glovebox/capability-broker";
import { callScope } from "@glovebox/testkit";
import { expect, test } from "vitest";

import { spawnFileWorker } from "../../src/filesystem/file-crew.ts";
import { HostFolder, OPENERS, bytes, readText, rights } from "../host-folder.ts";
import { codeOf, rejectionOf, valueOf } from "../lab.ts";

// CWE-377, CWE-362: files that are being written, in the hands of somebody else.
const WRITE = rights("create", "write", "truncate");

test.each(OPENERS)(
  "what is written aside is seen by nobody until it is whole (%s)",
  async (opener) => {
    await using host = new HostFolder();
    host.write("in/a.txt", "old");
    const lab = host.lab({ allowHidden: true }, { options: { fileWork: { opener } } });
    const files = lab.broker.files(lab.grant());
    const scope = callScope();
    const handle = valueOf(
      await files.open(scope, "/data/a.txt", WRITE, { atomic: true, truncate: true }),
    );
    await handle.writeAt(0, bytes("half"));
    expect(await readText(files, "/data/a.txt")).toBe("old");
    const { entries } = valueOf(await files.list(scope, "/data", undefined, 10));
    expect(entries).toEqual([{ name: "a.txt", kind: "file", id: expect.any(BigInt) }]);
    const [session = ""] = host.names("in/.glovebox-tmp").filter((name) => !name.endsWith(".lock"));
    expect(session).toMatch(/^[0-9a-f]{32}$/);
    const aside = `/data/.glovebox-tmp/${session}/1`;
    for (const path of [
      aside,
      aside.toUpperCase().replace("/DATA", "/data"),
      "/data/.glovebox-tmp",
    ]) {
      expect(codeOf(await files.open(scope, path, rights("write")))).toBe("BROKER_PATH_NAME");
      expect(codeOf(await files.list(scope, path, undefined, 10))).toBe("BROKER_PATH_NAME");
      expect(codeOf(await files.rename(scope, path, "/data/b.txt"))).toBe("BROKER_PATH_NAME");
      expect(codeOf(await files.rename(scope, "/data/a.txt", path))).toBe("BROKER_PATH_NAME");
      expect(codeOf(await files.symlink(scope, ".glovebox-tmp", "/data/l"))).toBe(
        "BROKER_PATH_NAME",
      );
    }
    await handle.writeAt(4, bytes("+half"));
    await handle.close();
    expect(await readText(files, "/data/a.txt")).toBe("half+half");
    await lab.broker.close();
    expect(host.names("in")).toEqual(["a.txt"]);
  },
);

test.each(["revoke", "cancel", "dispose"] as const)(
  "nothing is published after %s",
  async (how) => {
    await using host = new HostFolder();
    host.write("in/a.txt", "old");
    const lab = host.lab();
    const grant = lab.grant();
    const scope = callScope();
    const handle = valueOf(
      await lab.broker.files(grant).open(scope, "/data/a.txt", WRITE, { atomic: true }),
    );
    await handle.writeAt(0, bytes("new"));
    if (how === "revoke") lab.broker.revoke(grant.id);
    if (how === "cancel") scope.controller.abort();
    if (how === "dispose") await handle[Symbol.asyncDispose]();
    expect(await rejectionOf(handle.writeAt(0, bytes("x")))).toMatch(/^BROKER_/);
    await lab.broker.close();
    expect([host.read("in/a.txt"), host.names("in")]).toEqual(["old", ["a.txt"]]);
  },
);

test("an exclusive name that somebody else took meanwhile is not replaced", async () => {
  await using host = new HostFolder();
  const files = host.files();
  const options = { atomic: true, exclusive: true };
  const handle = valueOf(await files.open(callScope(), "/data/a.txt", WRITE, options));
  host.write("in/a.txt", "first");
  expect(await rejectionOf(handle.close())).toBe("BROKER_FILE_EXISTS");
  expect(host.read("in/a.txt")).toBe("first");
});

test("what a crashed host left is removed by the next, and nothing of one that lives", async () => {
  await using host = new HostFolder();
  const workers: Worker[] = [];
  const spawn: SpawnFileWorker = (setup) => {
    const worker = spawnFileWorker(setup);
    workers.push(worker);
    return worker;
  };
  const crashing = host.files({}, { deps: { spawnFileWorker: spawn } });
  const living = host.files();
  const lost = valueOf(await crashing.open(callScope(), "/data/a.txt", WRITE, { atomic: true }));
  const kept = valueOf(await living.open(callScope(), "/data/b.txt", WRITE, { atomic: true }));
  await lost.writeAt(0, bytes("lost"));
  await kept.writeAt(0, bytes("kept"));
  expect(host.names("in/.glovebox-tmp")).toHaveLength(4);
  await workers[0]?.terminate();
  expect(codeOf(await host.files().stat(callScope(), "/data"))).toBe("allowed");
  expect(host.names("in/.glovebox-tmp")).toHaveLength(2);
  await kept.close();
  expect(host.read("in/b.txt")).toBe("kept");
  expect(fs.existsSync(host.path("in/a.txt"))).toBe(false);
});

test("a temporary folder is the grant's own, and gone with it", async () => {
  await using host = new HostFolder();
  const temporaryDirectory = host.path("in");
  const lab = host.lab(
    { host: { temporary: true } },
    { options: { fileWork: { temporaryDirectory } } },
  );
  const [one, two] = [lab.grant(), lab.grant()];
  const scope = callScope();
  const handle = valueOf(await lab.broker.files(one).open(scope, "/data/a.txt", WRITE));
  await handle.writeAt(0, bytes("mine"));
  expect(codeOf(await lab.broker.files(two).stat(scope, "/data/a.txt"))).toBe(
    "BROKER_FILE_NOT_FOUND",
  );
  const [user = ""] = host.names("in");
  const sessions = (): readonly string[] =>
    fs.readdirSync(host.path(`in/${user}`), { recursive: true, encoding: "utf8" });
  expect(sessions().filter((name) => name.endsWith("a.txt"))).toHaveLength(1);
  lab.broker.revoke(one.id);
  await lab.broker.files(two).stat(scope, "/data");
  expect(sessions().filter((name) => name.endsWith("a.txt"))).toHaveLength(0);
  await lab.broker.close();
  expect(sessions()).toEqual([]);
});
