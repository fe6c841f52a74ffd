/**
 * A WASI program leaves its folder through links that it makes itself: `m -> "."`, `n -> "m/.."`, then
 * `n/outside.txt` (node:wasi reads and writes outside so; CWE-59). The links are made, and lead nowhere.
 */
import type { HostServices } from "@glovebox/core/ports";
import { memoryHostServices } from "@glovebox/testkit";
import { memoryFiles, type MemoryFilesOptions } from "@glovebox/testkit/files";
import { expect, it } from "vitest";

import { codeOf, openPlugin } from "../support/open-plugin.ts";

const SECRET = "/outside.txt";

/** A command that makes links and then opens a path; it exits with 100 + the error, or with 1. */
function linkingPlugin(links: readonly (readonly [string, string])[], path: string): string {
  let at = 64;
  let data = "";
  const place = (text: string): string => {
    data += `(data (i32.const ${at}) "${text}")`;
    const range = `(i32.const ${at}) (i32.const ${text.length})`;
    at += text.length + 1;
    return range;
  };
  const made = links.map(
    ([target, name]) => `(if (call $symlink ${place(target)} (i32.const 3) ${place(name)})
      (then (call $exit (i32.const 99))))`,
  );
  return `(module
    (import "wasi_snapshot_preview1" "path_symlink"
      (func $symlink (param i32 i32 i32 i32 i32) (result i32)))
    (import "wasi_snapshot_preview1" "path_open"
      (func $open (param i32 i32 i32 i32 i32 i64 i64 i32 i32) (result i32)))
    (import "wasi_snapshot_preview1" "proc_exit" (func $exit (param i32)))
    (memory (export "memory") 1)
    (func (export "_start") (local $error i32)
      ${made.join("\n")}
      (local.set $error (call $open (i32.const 3) (i32.const 1) ${place(path)} (i32.const 0)
        (i64.const 66) (i64.const 0) (i32.const 0) (i32.const 32)))
      (if (i32.eqz (local.get $error)) (then (call $exit (i32.const 1))))
      (call $exit (i32.add (local.get $error) (i32.const 100))))
    ${data})`;
}

const RIGHTS = ["read", "write", "list", "stat", "link"] as const;

async function errorOf(
  links: readonly (readonly [string, string])[],
  path: string,
  options: MemoryFilesOptions = {},
): Promise<unknown> {
  const files = memoryFiles({
    files: { [SECRET]: "secret", "/data/inside.txt": "inside" },
    folders: ["/data"],
    rights: RIGHTS,
    ...options,
  });
  const services: HostServices = { ...memoryHostServices(), files };
  await using open = await openPlugin(linkingPlugin(links, path), { abi: "wasi", services });
  const outcome = await open.call("_start");
  expect(codeOf(outcome)).toBe("SANDBOX_PLUGIN_ERROR");
  expect(files.contentOf(SECRET)).toEqual(new TextEncoder().encode("secret"));
  expect(files.openFiles).toBe(0);
  const exitCode = outcome.ok ? 0 : Number(outcome.error.details["exitCode"]);
  return exitCode === 1 ? "opened" : exitCode - 100;
}

const ACCES = 2;
const NOTCAPABLE = 76;

it.each([
  [
    "up through a link to itself",
    [
      [".", "m"],
      ["m/..", "n"],
    ],
    "n/outside.txt",
    ACCES,
  ],
  ["up in one link", [["../outside.txt", "up"]], "up", ACCES],
  [
    "up twice through folders",
    [
      ["sub/../..", "up"],
      [".", "sub"],
    ],
    "up/outside.txt",
    ACCES,
  ],
  ["without a link", [], "../outside.txt", NOTCAPABLE],
  ["by an absolute path", [], "/outside.txt", NOTCAPABLE],
  ["up from a link's own place", [[".", "m"]], "m/../outside.txt", NOTCAPABLE],
] as const)("cannot open a file outside, %s", async (_how, links, path, errno) => {
  expect(await errorOf(links, path)).toBe(errno);
});

it("follows the same links to what is inside", async () => {
  expect(
    await errorOf(
      [
        [".", "m"],
        ["m/inside.txt", "n"],
      ],
      "n",
    ),
  ).toBe("opened");
});

it("makes no link at all without the right to them, which no grant has by default", async () => {
  expect(await errorOf([[".", "m"]], "m/inside.txt", { rights: ["read", "write", "stat"] })).toBe(
    99 - 100,
  );
});
