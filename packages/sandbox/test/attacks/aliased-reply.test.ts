/** A caller keeps an output while the next replies arrive: it must not change (CWE-416 in spirit). */
import { expect, it } from "vitest";

import { flatPlugin } from "../support/fixtures.ts";
import { openPlugin, textOf } from "../support/open-plugin.ts";

it.each([10, 1_000, 40_000, 120_000])("hands out memory of its own for %i bytes", async (size) => {
  await using open = await openPlugin(flatPlugin());
  const kept = await Promise.all(
    Array.from({ length: 20 }, (_, at) => open.call("echo", String(at % 10).repeat(size))),
  );
  await Promise.all(Array.from({ length: 20 }, () => open.call("echo", "x".repeat(size))));
  expect(kept.map(textOf)).toEqual(kept.map((_, at) => String(at % 10).repeat(size)));
  const buffers = kept.map((outcome) => (outcome.ok ? outcome.output : new Uint8Array(0)));
  expect(new Set(buffers.map(({ buffer }) => buffer)).size).toBe(buffers.length);
  expect(buffers.every(({ buffer, byteLength }) => buffer.byteLength === byteLength)).toBe(true);
});
