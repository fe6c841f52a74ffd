/** Paths of WASI programs: whatever they are, what goes to the host stays below the descriptor's directory. */
import fc from "fast-check";
import { expect, it } from "vitest";

import { ERRNO, WasiError } from "../../src/abi/wasi/errno.ts";
import type { FileClient } from "../../src/abi/wasi/file-client.ts";
import { resolvePath } from "../../src/abi/wasi/paths.ts";
import type { StatAnswer } from "../../src/protocol/file-calls.ts";

const NOTHING = { size: 0n, accessedNs: 0n, modifiedNs: 0n, changedNs: 0n, id: 0n, links: 1n };

/** A file system where every name is a folder, but those that `links` names. */
function files(links: Readonly<Record<string, string>> = {}): FileClient {
  const asked: Partial<FileClient> = {
    stat: (path: string): StatAnswer => ({
      ...NOTHING,
      kind: Object.hasOwn(links, path) ? "link" : "directory",
    }),
    readLink: (path: string) => new TextEncoder().encode(links[path] ?? ""),
  };
  return asked as FileClient;
}

const errnoOf = (run: () => unknown): number => {
  try {
    run();
    return ERRNO.SUCCESS;
  } catch (error) {
    if (error instanceof WasiError) return error.errno;
    throw error;
  }
};

it.each([
  ["a/b", "/data/a/b"],
  ["./a//b/.", "/data/a/b"],
  ["a/../b", "/data/b"],
  ["a/..", "/data"],
  [".", "/data"],
])("takes %s for %s", (relative, path) => {
  expect(resolvePath("/data", relative, files())).toMatchObject({ path });
});

it("goes up from where a link leads to", () => {
  const linked = files({ "/data/l": "x/y" });
  expect(resolvePath("/data", "l/../z", linked).path).toBe("/data/x/z");
});

it.each([
  ["", ERRNO.NOENT],
  ["a\0b", ERRNO.INVAL],
  ["/a", ERRNO.NOTCAPABLE],
  ["..", ERRNO.NOTCAPABLE],
  ["a/../..", ERRNO.NOTCAPABLE],
  ["up/../a", ERRNO.NOTCAPABLE],
  ["root/../a", ERRNO.NOTCAPABLE],
  ["loop/../a", ERRNO.LOOP],
])("refuses %j with %d", (relative, errno) => {
  const linked = files({ "/data/up": "../..", "/data/root": "/", "/data/loop": "loop" });
  expect(errnoOf(() => resolvePath("/data", relative, linked))).toBe(errno);
});

it("never makes a path outside, or one that is not in normal form", () => {
  const part = fc.constantFrom("..", ".", "", "a", "b", "l", "...");
  const target = fc.array(part, { maxLength: 5 }).map((parts) => parts.join("/"));
  fc.assert(
    fc.property(fc.array(part, { maxLength: 12 }), target, (parts, link) => {
      const linked = files({ "/data/l": link, "/data/a/l": link });
      let path = "/data";
      const errno = errnoOf(() => ({ path } = resolvePath("/data", parts.join("/"), linked)));
      expect(Object.values(ERRNO)).toContain(errno);
      expect(path).toMatch(/^\/data(\/(?!\.{1,2}(\/|$))[^/]+)*$/);
    }),
  );
});
