import * as fs from "node:fs";

import { callScope } from "@glovebox/testkit";
import { expect, test } from "vitest";

import { HostFolder, OPENERS } from "../host-folder.ts";
import { codeOf, valueOf } from "../lab.ts";

const TIMES = { accessedMs: 1_000, modifiedMs: 2_000 };
const ITSELF = { followLinks: false };

// CWE-59: a link's own times may be set, those of what it leads to outside never.
test.each(OPENERS)(
  "times set through a link or on it reach nothing outside (%s)",
  async (opener) => {
    await using host = new HostFolder();
    host.write("in/sub/a.txt", "inside");
    fs.symlinkSync("../out/secret.txt", host.path("in/out.txt"));
    fs.symlinkSync("../out", host.path("in/outdir"));
    fs.symlinkSync("own", host.path("out/own"));
    fs.linkSync(host.path("out/own"), host.path("in/hard"));
    const watched = ["out", "out/secret.txt", "out/own"];
    const outside = (): readonly unknown[] =>
      watched.map((name) => {
        const { mtimeNs, ctimeNs } = fs.lstatSync(host.path(name), { bigint: true });
        return [name, mtimeNs, ctimeNs];
      });
    const before = outside();
    const more = { options: { fileWork: { opener } } };
    const files = host.files({}, more);
    const scope = callScope();

    for (const name of ["out.txt", "outdir"]) {
      expect(codeOf(await files.setTimes(scope, `/data/${name}`, TIMES))).toBe("BROKER_FILE_KIND");
      expect(codeOf(await files.setTimes(scope, `/data/${name}`, TIMES, ITSELF))).toBe("allowed");
      expect(fs.lstatSync(host.path(`in/${name}`)).mtimeMs).toBe(2_000);
    }
    const beyond = await files.setTimes(scope, "/data/outdir/secret.txt", TIMES, ITSELF);
    expect(codeOf(beyond)).toBe("BROKER_FILE_KIND");
    // One inode under two names, one of them outside: its times are those of both.
    const shared = await files.setTimes(scope, "/data/hard", TIMES, ITSELF);
    expect(shared).toMatchObject({ code: "BROKER_FILE_KIND", condition: "EPERM" });

    const timesOnly = host.files({ rights: ["setTimes"] }, more);
    expect(codeOf(await timesOnly.setTimes(scope, "/data/sub/a.txt", TIMES))).toBe("allowed");
    for (const options of [ITSELF, {}]) {
      const link = await timesOnly.setTimes(scope, "/data/out.txt", { modifiedMs: 3_000 }, options);
      expect(codeOf(link)).toBe("BROKER_FILE_KIND");
    }
    const linksOnly = host.files({ rights: ["link", "stat"] }, more);
    const untimed = await linksOnly.setTimes(scope, "/data/out.txt", { modifiedMs: 3_000 }, ITSELF);
    expect(codeOf(untimed)).toBe("BROKER_RIGHT_NOT_GRANTED");
    expect(fs.lstatSync(host.path("in/out.txt")).mtimeMs).toBe(2_000);
    expect(outside()).toEqual(before);
  },
);

test.each(OPENERS)(
  "the times of a link follow its names: all inside, or not set (%s)",
  async (opener) => {
    await using host = new HostFolder();
    const files = host.files({}, { options: { fileWork: { opener } } });
    const scope = callScope();
    const set = async (name: string): Promise<string> =>
      codeOf(await files.setTimes(scope, `/data/${name}`, TIMES, ITSELF));
    valueOf(await files.symlink(scope, "none", "/data/a"));
    valueOf(await files.link(scope, "/data/a", "/data/b"));
    expect(await set("b")).toBe("allowed");
    fs.linkSync(host.path("in/a"), host.path("out/c"));
    expect(await set("b")).toBe("BROKER_FILE_KIND");
    // As many names as were counted, but one of them is outside.
    valueOf(await files.remove(scope, "/data/a"));
    expect(await set("b")).toBe("BROKER_FILE_KIND");
    expect(codeOf(await files.link(scope, "/data/b", "/data/d"))).toBe("BROKER_FILE_KIND");
    fs.unlinkSync(host.path("out/c"));
    expect(await set("b")).toBe("allowed");
  },
);
