import { expect, it } from "vitest";

import { MAX_STDERR_CHARACTERS } from "../../src/limits.ts";
import { lastWordsOf } from "../support/last-words.ts";

it("gives a process nothing of the host's environment, and the permission model", async () => {
  const words = await lastWordsOf(`console.error(JSON.stringify([
    process.env, process.cwd(), process.permission.has("fs.write"),
    process.permission.has("fs.read", "/etc/hostname"), process.permission.has("child"),
  ]))`);
  const [{ PWD = "/", ...environment }, ...others] = JSON.parse(words) as [
    Record<string, string>,
    ...unknown[],
  ];
  expect(PWD).toBe("/"); // bubblewrap says where it is
  expect([environment, ...others]).toEqual([
    { OPENSSL_CONF: "/dev/null", MALLOC_ARENA_MAX: "1" },
    "/",
    false,
    false,
    false,
  ]);
});

it("starts an engine without code from strings and without __proto__", async () => {
  const words = await lastWordsOf(`
    const attempt = (what) => { try { return what(); } catch (error) { return error.name; } };
    console.error(JSON.stringify([
      attempt(() => new Function("return 1")()), "__proto__" in {}, typeof gc,
    ]))`);
  expect(JSON.parse(words)).toEqual(["EvalError", false, "function"]);
});

it("reads all that a process writes to standard error, and keeps little of it", async () => {
  const words = await lastWordsOf(`require("node:fs").writeSync(2, "last words ".repeat(100_000))`);
  expect(words.length).toBeGreaterThan(MAX_STDERR_CHARACTERS - 20);
  expect(words.length).toBeLessThanOrEqual(MAX_STDERR_CHARACTERS);
});
