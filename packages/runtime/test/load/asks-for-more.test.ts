/** @module An update that asks for more than the version before it is seen, also where nobody is asked. */
import type { JsonValue } from "@glovebox/core/json";
import { afterAll, beforeAll, expect, test } from "vitest";

import { flatPlugin, openRuntime, type TestRuntime } from "../open-runtime.ts";

const wasm = flatPlugin({ run: "(local.get $at) (local.get $length)" });
const reading = { allow_read: true, allow_write: false, allowed_paths: ["/data"] };

let open: TestRuntime;
beforeAll(async () => {
  open = await openRuntime();
});
afterAll(() => open[Symbol.asyncDispose]());

async function loadAsking(id: string, version: string, filesystem: JsonValue): Promise<void> {
  const resources = { max_memory_bytes: 1_048_576 };
  await open.load({ id, version, wasm, capabilities: { filesystem, resources } });
}

async function lastLoad(id: string): Promise<unknown> {
  const loads = (await open.events()).filter(
    ({ kind, pluginId, details }) => kind === "load" && pluginId === id && details?.["runner"],
  );
  return loads.at(-1)?.details?.["asksForMore"];
}

test("beyond the version before it", async () => {
  await loadAsking("plain", "1.0.0", reading);
  expect(await lastLoad("plain")).toBeUndefined();
  await loadAsking("plain", "1.0.1", { ...reading, allow_write: true });
  expect(await lastLoad("plain")).toEqual(["+ may now also write to /data"]);
  const [info] = open.runtime.list().filter(({ id }) => id === "plain");
  expect(info?.warnings).toContain("asks for more: + may now also write to /data");
});
