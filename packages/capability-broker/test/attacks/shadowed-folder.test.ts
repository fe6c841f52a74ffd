import { callScope } from "@glovebox/testkit";
import { expect, test } from "vitest";

import { HostFolder, OPENERS, readText, rights } from "../host-folder.ts";
import { ALL_RIGHTS, codeOf } from "../lab.ts";

// A folder inside another folder's tree, with fewer rights: every way around its grant.
test.each(OPENERS)(
  "a folder inside another is only had through its own grant (%s)",
  async (opener) => {
    await using host = new HostFolder();
    host.write("in/p/private/secret.txt", "SECRET");
    host.write("in/a.txt", "a");
    const none = { allowRead: false, allowWrite: false };
    const roots = [
      { guest: "/data", host: host.path("in"), ...none, rights: ALL_RIGHTS },
      {
        guest: "/data/p/private",
        host: host.path("in/p/private"),
        ...none,
        rights: ["stat" as const],
      },
    ];
    const files = host.files(
      {},
      { policy: { filesystem: { roots } }, options: { fileWork: { opener } } },
    );
    const scope = callScope();
    for (const path of [
      "/data/p/private/secret.txt",
      "/data//p/private/secret.txt",
      "/data/p//private/secret.txt",
      "/data/./p/private/secret.txt",
      "/data/p/./private/secret.txt",
    ]) {
      expect(await readText(files, path)).toMatch(/^BROKER_(?:RIGHT|PATH)_NOT_GRANTED$/);
      expect(codeOf(await files.remove(scope, path))).toMatch(
        /^BROKER_(?:RIGHT|PATH)_NOT_GRANTED$/,
      );
    }
    for (const path of ["/data/p", "/data/p/", "/data/./p"]) {
      expect(codeOf(await files.rename(scope, path, "/data/q"))).toBe("BROKER_RIGHT_NOT_GRANTED");
      expect(codeOf(await files.rename(scope, "/data/a.txt", path))).toBe(
        "BROKER_RIGHT_NOT_GRANTED",
      );
      expect(codeOf(await files.remove(scope, path))).toBe("BROKER_RIGHT_NOT_GRANTED");
    }
    expect(codeOf(await files.symlink(scope, "p/private", "/data/l"))).toBe("allowed");
    expect(codeOf(await files.symlink(scope, "p", "/data/l2"))).toBe("allowed");
    expect(await readText(files, "/data/l/secret.txt")).toBe("BROKER_PATH_NOT_GRANTED");
    expect(await readText(files, "/data/l2/private/secret.txt")).toBe("BROKER_PATH_NOT_GRANTED");
    expect(codeOf(await files.link(scope, "/data/l2/private/secret.txt", "/data/s.txt"))).toBe(
      "BROKER_PATH_NOT_GRANTED",
    );
    expect(codeOf(await files.open(scope, "/data/l/new.txt", rights("create", "write")))).toBe(
      "BROKER_PATH_NOT_GRANTED",
    );
    expect(host.names("in/p/private")).toEqual(["secret.txt"]);
  },
);

// Without the right to links the worker has no second look at where a path leads.
test("a second spelling reaches no folder of another grant without links either", async () => {
  await using host = new HostFolder();
  host.write("in/private/secret.txt", "SECRET");
  const none = { allowRead: false, allowWrite: false };
  const roots = [
    { guest: "/data", host: host.path("in"), allowRead: true, allowWrite: true },
    { guest: "/data/private", host: host.path("in/private"), ...none },
  ];
  const files = host.files({}, { policy: { filesystem: { roots } } });
  for (const path of ["/data//private/secret.txt", "/data/./private/secret.txt"]) {
    expect(await readText(files, path)).toBe("BROKER_PATH_NOT_GRANTED");
    expect(codeOf(await files.remove(callScope(), path))).toBe("BROKER_PATH_NOT_GRANTED");
  }
  expect(host.names("in/private")).toEqual(["secret.txt"]);
});
