import * as fs from "node:fs";

import { callScope } from "@glovebox/testkit";
import { expect, test } from "vitest";

import { HostFolder, OPENERS, readText, rights, writeText } from "../host-folder.ts";
import { codeOf, valueOf } from "../lab.ts";

// CWE-59, with the right to links: they are followed inside the granted folder and nowhere else.
test.each(OPENERS)("links that a host or a plugin made do not lead out (%s)", async (opener) => {
  await using host = new HostFolder();
  host.write("in/sub/a.txt", "inside");
  host.write("in/.hidden.txt", "HIDDEN");
  host.write("in/run.exe", "MZ");
  const hostLinks: Readonly<Record<string, string>> = {
    "out.txt": "../out/secret.txt",
    "sub/out.txt": "../../out/secret.txt",
    "abs.txt": host.path("out/secret.txt"),
    outdir: "../out",
    "back.txt": "../in/sub/a.txt",
    "proc.txt": "/proc/self/environ",
    "hidden.txt": ".hidden.txt",
    "exe.txt": "run.exe",
    "loop.txt": "loop.txt",
    "a-b.txt": "b-a.txt",
    "b-a.txt": "a-b.txt",
  };
  for (const [name, target] of Object.entries(hostLinks))
    fs.symlinkSync(target, host.path(`in/${name}`));
  const files = host.files({ extensions: [".txt"] }, { options: { fileWork: { opener } } });
  const scope = callScope();
  for (const name of [...Object.keys(hostLinks), "outdir/secret.txt"]) {
    const path = `/data/${name}`;
    expect([name, await readText(files, path)]).toEqual([name, expect.stringMatching(/^BROKER_/)]);
    const written = await files.open(scope, path, rights("create", "write"));
    expect([name, codeOf(written)]).toEqual([name, expect.stringMatching(/^BROKER_/)]);
    expect(codeOf(await files.stat(scope, path))).toMatch(/^BROKER_/);
  }
  for (const target of [
    "../out",
    "sub/../../out",
    "/etc",
    "",
    ".hidden.txt",
    "..",
    "a\0b",
    "a\\b",
  ]) {
    expect(codeOf(await files.symlink(scope, target, "/data/new"))).toMatch(/^BROKER_/);
  }
  // Moved up, a link that stayed inside would lead out.
  expect(codeOf(await files.symlink(scope, "../sub/a.txt", "/data/sub/up.txt"))).toBe("allowed");
  expect(await readText(files, "/data/sub/up.txt")).toBe("inside");
  expect(codeOf(await files.rename(scope, "/data/sub/up.txt", "/data/up.txt"))).toBe(
    "BROKER_FILE_KIND",
  );
  expect(host.read("out/secret.txt")).toBe("SECRET");
  expect(host.names("out")).toEqual(["secret.txt"]);
});

test.each(OPENERS)(
  "links inside are followed, read, told of and removed as links (%s)",
  async (opener) => {
    await using host = new HostFolder();
    host.write("in/sub/a.txt", "inside");
    const files = host.files({}, { options: { fileWork: { opener } } });
    const scope = callScope();
    valueOf(await files.symlink(scope, "sub", "/data/l"));
    valueOf(await files.symlink(scope, "l/a.txt", "/data/m.txt"));
    expect(await readText(files, "/data/m.txt")).toBe("inside");
    await writeText(files, "/data/m.txt", "changed");
    expect(host.read("in/sub/a.txt")).toBe("changed");
    expect(valueOf(await files.readLink(scope, "/data/m.txt"))).toBe("l/a.txt");
    expect(valueOf(await files.stat(scope, "/data/m.txt", { followLinks: false })).kind).toBe(
      "link",
    );
    expect(valueOf(await files.stat(scope, "/data/m.txt")).kind).toBe("file");
    const noFollow = await files.open(scope, "/data/m.txt", rights("read"), { followLinks: false });
    expect(noFollow).toMatchObject({ code: "BROKER_FILE_KIND", condition: "ELOOP" });
    const { entries } = valueOf(await files.list(scope, "/data", undefined, 10));
    expect(entries.map(({ name, kind }) => `${name} ${kind}`)).toEqual([
      "l link",
      "m.txt link",
      "sub directory",
    ]);
    valueOf(await files.remove(scope, "/data/l"));
    expect(host.names("in")).toEqual(["m.txt", "sub"]);
  },
);

test.each(OPENERS)(
  "a second name is only served while all names are inside (%s)",
  async (opener) => {
    await using host = new HostFolder();
    host.write("in/a.txt", "inside");
    fs.linkSync(host.path("out/secret.txt"), host.path("in/outside.txt"));
    const more = { options: { fileWork: { opener } } };
    const scope = callScope();
    const first = host.files({}, more);
    valueOf(await first.link(scope, "/data/a.txt", "/data/b.txt"));
    // Also after a restart, when the names are counted anew.
    for (const files of [first, host.files({}, more)]) {
      expect(await readText(files, "/data/b.txt")).toBe("inside");
      expect(await readText(files, "/data/outside.txt")).toBe("BROKER_FILE_KIND");
      expect(codeOf(await files.link(scope, "/data/outside.txt", "/data/c.txt"))).toBe(
        "BROKER_FILE_KIND",
      );
      expect(codeOf(await files.remove(scope, "/data/outside.txt"))).toBe("BROKER_FILE_KIND");
    }
    fs.linkSync(host.path("in/a.txt"), host.path("out/third.txt"));
    expect(await readText(first, "/data/a.txt")).toBe("BROKER_FILE_KIND");
    const withoutRight = host.files({ rights: ["read", "stat"] }, more);
    expect(await readText(withoutRight, "/data/b.txt")).toBe("BROKER_FILE_KIND");
    expect(codeOf(await withoutRight.link(scope, "/data/a.txt", "/data/d.txt"))).toBe(
      "BROKER_RIGHT_NOT_GRANTED",
    );
  },
);

test.each(OPENERS)(
  "a second name for a link is a link, and no way out either (%s)",
  async (opener) => {
    await using host = new HostFolder();
    host.write("in/sub/a.txt", "inside");
    for (const [name, target] of [
      ["out.txt", "../out/secret.txt"],
      ["abs.txt", host.path("out/secret.txt")],
      ["hidden.txt", ".hidden.txt"],
    ] as const)
      fs.symlinkSync(target, host.path(`in/${name}`));
    fs.symlinkSync("sub", host.path("out/shared"));
    fs.linkSync(host.path("out/shared"), host.path("in/shared"));
    const files = host.files({}, { options: { fileWork: { opener } } });
    const scope = callScope();
    const link = async (from: string, to: string): Promise<string> =>
      codeOf(await files.link(scope, `/data/${from}`, `/data/${to}`));
    for (const name of ["out.txt", "abs.txt", "hidden.txt", "shared"])
      expect([name, await link(name, "new")]).toEqual([name, expect.stringMatching(/^BROKER_/)]);
    // The text of a link means something else in another folder: there it would lead out.
    valueOf(await files.symlink(scope, "../sub/a.txt", "/data/sub/up.txt"));
    expect(await link("sub/up.txt", "up.txt")).toBe("BROKER_FILE_KIND");
    expect(await link("sub", "folder")).toBe("BROKER_FILE_KIND");
    expect(host.names("in")).toEqual(["abs.txt", "hidden.txt", "out.txt", "shared", "sub"]);
    expect(fs.lstatSync(host.path("out/shared")).nlink).toBe(2);

    expect(await link("sub/up.txt", "sub/too.txt")).toBe("allowed");
    expect(fs.lstatSync(host.path("in/sub/too.txt")).isSymbolicLink()).toBe(true);
    expect(fs.lstatSync(host.path("in/sub/a.txt")).nlink).toBe(1);
    expect(await readText(files, "/data/sub/too.txt")).toBe("inside");
    // What the new name stands for is judged at each use: a folder on its way becomes a link out.
    fs.renameSync(host.path("in/sub"), host.path("in/moved"));
    fs.symlinkSync("../out", host.path("in/sub"));
    fs.writeFileSync(host.path("out/a.txt"), "OUTSIDE");
    expect(await readText(files, "/data/moved/too.txt")).toBe("BROKER_FILE_KIND");
    const removed = await files.remove(scope, "/data/moved/too.txt");
    expect([codeOf(removed), host.names("in/moved")]).toEqual(["allowed", ["a.txt", "up.txt"]]);
    const withoutRight = host.files({ rights: ["read", "stat"] });
    expect(codeOf(await withoutRight.link(scope, "/data/moved/up.txt", "/data/moved/x"))).toBe(
      "BROKER_RIGHT_NOT_GRANTED",
    );
  },
);
