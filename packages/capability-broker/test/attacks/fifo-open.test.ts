import { execFileSync } from "node:child_process";
import * as fs from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { callScope } from "@glovebox/testkit";
import { expect, test, describe } from "vitest";

import { OPENERS } from "../host-folder.ts";
import { codeOf, createLab } from "../lab.ts";

describe.each(OPENERS)("with %s", (opener) => {
  // Four blocking opens of a FIFO freeze libuv's whole pool: files, look-ups and crypto (CWE-400).
  test("a FIFO is refused without opening it, however often", async () => {
    const host = fs.mkdtempSync(join(tmpdir(), "broker-fifo-"));
    execFileSync("mkfifo", [join(host, "pipe.txt")]);
    try {
      await using lab = createLab({
        options: { fileWork: { opener } },
        policy: {
          filesystem: { roots: [{ guest: "/data", host, allowRead: true, allowWrite: true }] },
        },
      });
      const files = lab.broker.files(lab.grant());
      for (const rights of [
        ["read"],
        ["write"],
        ["append"],
        ["truncate"],
        ["create", "write"],
      ] as const) {
        const opened = await Promise.all(
          Array.from({ length: 8 }, () =>
            files.open(callScope(), "/data/pipe.txt", new Set(rights)),
          ),
        );
        expect(new Set(opened.map(codeOf))).toEqual(new Set(["BROKER_FILE_KIND"]));
      }
      // The pool still answers.
      await fs.promises.stat(host);
    } finally {
      fs.rmSync(host, { recursive: true });
    }
  });
});
