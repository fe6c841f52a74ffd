import * as fs from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import type { HostPolicy } from "@glovebox/capability-broker";
import type { FileRight } from "@glovebox/core/ports";
import { callScope } from "@glovebox/testkit";
import { afterEach, beforeEach, expect, test, describe } from "vitest";

import { OPENERS } from "../host-folder.ts";
import { codeOf, createLab, rejectionOf, valueOf } from "../lab.ts";

describe.each(OPENERS)("with %s", (opener) => {
  // CWE-770: many writers, each of whom sees room for one.
  const WRITE: ReadonlySet<FileRight> = new Set(["write", "create", "truncate"]);
  let host = "";
  let policy: HostPolicy;
  beforeEach(() => {
    host = fs.mkdtempSync(join(tmpdir(), "broker-quota-"));
    fs.writeFileSync(join(host, "old.txt"), Buffer.alloc(400));
    const root = {
      host,
      allowRead: true,
      allowWrite: true,
      quotaBytes: 1_000,
      maxFiles: 4,
      maxFileBytes: 500,
    };
    policy = {
      filesystem: {
        roots: [
          { guest: "/one", ...root },
          { guest: "/two", ...root },
        ],
      },
    };
  });
  afterEach(() => fs.rmSync(host, { recursive: true }));

  function bytesBelow(): number {
    return fs.readdirSync(host).reduce((sum, name) => sum + fs.statSync(join(host, name)).size, 0);
  }

  test("parallel writes through two grants and two folders share one quota", async () => {
    await using lab = createLab({ options: { fileWork: { opener } }, policy });
    const ports = [lab.broker.files(lab.grant()), lab.broker.files(lab.grant())];
    const handles = await Promise.all(
      ["/one/a.txt", "/two/b.txt"].map(async (path, at) =>
        valueOf(
          (await (ports[at] ?? ports[0])?.open(callScope(), path, WRITE)) ?? {
            allowed: false,
            code: "",
            rule: "",
            reason: "",
          },
        ),
      ),
    );
    const ends = await Promise.all(
      handles.flatMap((handle) =>
        [0, 100, 200, 300, 400].map((at) => rejectionOf(handle.writeAt(at, Buffer.alloc(100)))),
      ),
    );
    expect(bytesBelow()).toBeLessThanOrEqual(1_000);
    expect(ends).toContain("BROKER_FILE_QUOTA");
    expect(ends.filter((end) => end === "resolved")).not.toHaveLength(10);
  });

  test("parallel creations stop at the number of files", async () => {
    await using lab = createLab({ options: { fileWork: { opener } }, policy });
    const files = lab.broker.files(lab.grant());
    const made = await Promise.all(
      Array.from({ length: 12 }, (_, at) => files.open(callScope(), `/one/f${at}.txt`, WRITE)),
    );
    expect(made.map(codeOf).filter((code) => code === "allowed")).toHaveLength(3);
    expect(fs.readdirSync(host)).toHaveLength(4);
  });

  test("a sparse write far past the end is refused, and room comes back with removal", async () => {
    await using lab = createLab({ options: { fileWork: { opener } }, policy });
    const files = lab.broker.files(lab.grant());
    const handle = valueOf(await files.open(callScope(), "/one/a.txt", WRITE));
    expect(await rejectionOf(handle.writeAt(2 ** 40, Buffer.alloc(1)))).toBe("BROKER_FILE_SIZE");
    await handle.truncate(500);
    const other = valueOf(await files.open(callScope(), "/one/b.txt", WRITE));
    expect(await rejectionOf(other.truncate(200))).toBe("BROKER_FILE_QUOTA");
    expect(codeOf(await files.remove(callScope(), "/one/a.txt"))).toBe("allowed");
    // The removed file still has its bytes on disk while it is open.
    expect(await rejectionOf(other.truncate(200))).toBe("BROKER_FILE_QUOTA");
    expect(await rejectionOf(handle.writeAt(0, Buffer.alloc(1)))).toBe("BROKER_FILE_KIND");
    await handle.close();
    expect(await rejectionOf(other.truncate(200))).toBe("resolved");
  });
});
