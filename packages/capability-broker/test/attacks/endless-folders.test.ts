import { callScope } from "@glovebox/testkit";
import { expect, test } from "vitest";

import { HostFolder, OPENERS } from "../host-folder.ts";
import { codeOf } from "../lab.ts";

// CWE-770: what is no file still takes an inode, and depth grows by moving.
test.each(OPENERS)(
  "folders and links count, and moving makes nothing deeper (%s)",
  async (opener) => {
    await using host = new HostFolder();
    const files = host.files({ maxFiles: 6, maxDepth: 4 }, { options: { fileWork: { opener } } });
    const scope = callScope();
    for (const path of ["/data/a", "/data/a/b", "/data/a/b/c", "/data/x"]) {
      expect(codeOf(await files.mkdir(scope, path))).toBe("allowed");
    }
    expect(codeOf(await files.rename(scope, "/data/a", "/data/x/a"))).toBe("allowed");
    expect(codeOf(await files.mkdir(scope, "/data/y"))).toBe("allowed");
    expect(codeOf(await files.rename(scope, "/data/x", "/data/y/x"))).toBe("BROKER_PATH_SYNTAX");
    expect(codeOf(await files.symlink(scope, "x", "/data/l"))).toBe("allowed");
    expect(codeOf(await files.mkdir(scope, "/data/z"))).toBe("BROKER_FILE_QUOTA");
    expect(codeOf(await files.symlink(scope, "x", "/data/m"))).toBe("BROKER_FILE_QUOTA");
    expect(codeOf(await files.remove(scope, "/data/l"))).toBe("allowed");
    expect(codeOf(await files.mkdir(scope, "/data/z"))).toBe("allowed");
    expect(host.names("in")).toEqual(["x", "y", "z"]);
  },
);
