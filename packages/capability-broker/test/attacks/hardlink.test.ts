import * as fs from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { callScope } from "@glovebox/testkit";
import { expect, test, describe } from "vitest";

import { OPENERS } from "../host-folder.ts";
import { codeOf, createLab, rejectionOf, valueOf } from "../lab.ts";

describe.each(OPENERS)("with %s", (opener) => {
  // CWE-62: one inode under two names, one of them outside the root.
  test("a file with a second name is neither read, written, described, renamed nor removed", async () => {
    const top = fs.mkdtempSync(join(tmpdir(), "broker-hard-"));
    const outside = join(top, "secret.txt");
    const host = join(top, "in");
    fs.mkdirSync(host);
    fs.writeFileSync(outside, "SECRET");
    fs.linkSync(outside, join(host, "hard.txt"));
    fs.writeFileSync(join(host, "a.txt"), "abc");
    try {
      await using lab = createLab({
        options: { fileWork: { opener } },
        policy: {
          filesystem: { roots: [{ guest: "/data", host, allowRead: true, allowWrite: true }] },
        },
      });
      const files = lab.broker.files(lab.grant());
      const scope = callScope();
      for (const right of ["read", "write", "append", "truncate"] as const) {
        expect(codeOf(await files.open(scope, "/data/hard.txt", new Set([right])))).toBe(
          "BROKER_FILE_KIND",
        );
      }
      expect(codeOf(await files.stat(scope, "/data/hard.txt"))).toBe("BROKER_FILE_KIND");
      expect(codeOf(await files.remove(scope, "/data/hard.txt"))).toBe("BROKER_FILE_KIND");
      expect(codeOf(await files.rename(scope, "/data/hard.txt", "/data/b.txt"))).toBe(
        "BROKER_FILE_KIND",
      );
      expect(codeOf(await files.rename(scope, "/data/a.txt", "/data/hard.txt"))).toBe(
        "BROKER_FILE_KIND",
      );
      expect(fs.readFileSync(outside, "utf8")).toBe("SECRET");
      expect(fs.statSync(outside).nlink).toBe(2);

      const handle = valueOf(await files.open(scope, "/data/a.txt", new Set(["write"])));
      fs.linkSync(join(host, "a.txt"), join(top, "late.txt"));
      expect(await rejectionOf(handle.writeAt(0, Buffer.from("x")))).toBe("BROKER_FILE_KIND");
      expect(fs.readFileSync(join(top, "late.txt"), "utf8")).toBe("abc");
    } finally {
      fs.rmSync(top, { recursive: true });
    }
  });
});
