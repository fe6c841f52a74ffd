import * as fs from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import type { FilePort } from "@glovebox/core/ports";
import { callScope } from "@glovebox/testkit";
import { afterEach, beforeEach, describe, expect, test } from "vitest";

import { OPENERS } from "../host-folder.ts";
import { type Lab, codeOf, createLab, valueOf } from "../lab.ts";

describe.each(OPENERS)("with %s", (opener) => {
  // CWE-59, CWE-22: links that lead out, and paths that climb out.
  let top = "";
  let lab: Lab;
  let files: FilePort;

  beforeEach(() => {
    top = fs.mkdtempSync(join(tmpdir(), "broker-link-"));
    for (const folder of ["in", "in/sub", "out"]) fs.mkdirSync(join(top, folder));
    fs.writeFileSync(join(top, "out/secret.txt"), "SECRET");
    fs.writeFileSync(join(top, "in/a.txt"), "abc");
    fs.symlinkSync("../out/secret.txt", join(top, "in/leaf.txt"));
    fs.symlinkSync("../out", join(top, "in/folder"));
    fs.symlinkSync("../out/new.txt", join(top, "in/dangling.txt"));
    fs.symlinkSync("a.txt", join(top, "in/inside.txt"));
    lab = createLab({
      options: { fileWork: { opener } },
      policy: {
        filesystem: {
          roots: [{ guest: "/data", host: join(top, "in"), allowRead: true, allowWrite: true }],
        },
      },
    });
    files = lab.broker.files(lab.grant());
  });
  afterEach(async () => {
    await lab.broker.close();
    fs.rmSync(top, { recursive: true });
  });

  describe("a link is not followed", () => {
    test.each(["/data/leaf.txt", "/data/folder/secret.txt", "/data/inside.txt", "/data/folder"])(
      "when %s is read, described or removed",
      async (path) => {
        expect(codeOf(await files.open(callScope(), path, new Set(["read"])))).toBe(
          "BROKER_FILE_KIND",
        );
        expect(codeOf(await files.stat(callScope(), path))).toBe("BROKER_FILE_KIND");
        expect(codeOf(await files.remove(callScope(), path))).toBe("BROKER_FILE_KIND");
        expect(fs.readFileSync(join(top, "out/secret.txt"), "utf8")).toBe("SECRET");
      },
    );

    test("when a file is written, created or renamed through it", async () => {
      const write = new Set(["write", "create", "truncate"] as const);
      for (const path of [
        "/data/leaf.txt",
        "/data/folder/secret.txt",
        "/data/folder/new.txt",
        "/data/dangling.txt",
      ]) {
        expect(codeOf(await files.open(callScope(), path, write))).toBe("BROKER_FILE_KIND");
      }
      expect(
        codeOf(await files.open(callScope(), "/data/dangling.txt", write, { exclusive: true })),
      ).toBe("BROKER_FILE_EXISTS");
      expect(codeOf(await files.rename(callScope(), "/data/a.txt", "/data/folder/a.txt"))).toBe(
        "BROKER_FILE_KIND",
      );
      expect(codeOf(await files.mkdir(callScope(), "/data/folder/x"))).toBe("BROKER_FILE_KIND");
      expect(codeOf(await files.list(callScope(), "/data/folder", undefined, 10))).toBe(
        "BROKER_FILE_KIND",
      );
      expect(fs.readdirSync(join(top, "out"))).toEqual(["secret.txt"]);
      expect(fs.readFileSync(join(top, "out/secret.txt"), "utf8")).toBe("SECRET");
    });

    test("and does not show in a listing", async () => {
      const page = valueOf(await files.list(callScope(), "/data", undefined, 10));
      expect(page.entries.map(({ name }) => name)).toEqual(["a.txt", "sub"]);
    });

    test("when the granted host folder is itself a link", async () => {
      fs.symlinkSync("in", join(top, "link"));
      await using other = createLab({
        options: { fileWork: { opener } },
        policy: {
          filesystem: {
            roots: [
              { guest: "/data", host: join(top, "link"), allowRead: true, allowWrite: false },
            ],
          },
        },
      });
      expect(codeOf(await other.broker.files(other.grant()).stat(callScope(), "/data/a.txt"))).toBe(
        "BROKER_FILE_KIND",
      );
    });
  });

  test("a folder that is swapped for a link after it was granted leads nowhere", async () => {
    valueOf(await files.stat(callScope(), "/data/sub"));
    fs.renameSync(join(top, "in"), join(top, "moved"));
    fs.symlinkSync("out", join(top, "in"));
    // The directory that was opened first is the one that is served, wherever its name points now.
    expect(codeOf(await files.open(callScope(), "/data/secret.txt", new Set(["read"])))).toBe(
      "BROKER_FILE_NOT_FOUND",
    );
    expect(codeOf(await files.open(callScope(), "/data/a.txt", new Set(["read"])))).toBe("allowed");
  });

  test.each([
    "/data/../out/secret.txt",
    "/data/sub/../../out/secret.txt",
    "/data/..",
    "/database/x",
    "/etc/passwd",
    "data/a.txt",
    "",
    "/data/a.txt\0",
  ])("the path %j is refused before a file is touched", async (path) => {
    expect(codeOf(await files.open(callScope(), path, new Set(["read"])))).toMatch(/^BROKER_PATH_/);
  });
});
