import { allow, type Decision } from "@glovebox/core/decision";
import { callScope, memoryHostServices } from "@glovebox/testkit";
import { expect, it, vi } from "vitest";

import { flatPlugin } from "../support/fixtures.ts";
import { codeOf, openPlugin, textOf } from "../support/open-plugin.ts";

const NOTHING = new Uint8Array(0);

it("listens to the signal of a call that lasts, and ends the call when it is aborted", async () => {
  await using open = await openPlugin(flatPlugin());
  const scope = callScope();
  const listened = vi.spyOn(scope.signal, "addEventListener");
  const spinning = open.plugin.call(scope, "spin", NOTHING);
  await vi.waitFor(() => expect(listened).toHaveBeenCalledOnce());
  scope.controller.abort();
  expect(codeOf(await spinning)).toBe("SANDBOX_ABORTED");
});

it("takes its listener back when the call ends by itself", async () => {
  const answer = Promise.withResolvers<Decision<undefined>>();
  await using open = await openPlugin(
    `(module
      (import "extism:host/env" "alloc" (func $alloc (param i64) (result i64)))
      (import "extism:host/env" "var_get" (func $var_get (param i64) (result i64)))
      (func (export "ask") (result i32) (drop (call $var_get (call $alloc (i64.const 8)))) (i32.const 0)))`,
    {
      abi: "extism",
      services: memoryHostServices({ variables: { get: () => answer.promise } }),
    },
  );
  const scope = callScope();
  const listened = vi.spyOn(scope.signal, "addEventListener");
  const forgotten = vi.spyOn(scope.signal, "removeEventListener");
  const asking = open.plugin.call(scope, "ask", NOTHING);
  await vi.waitFor(() => expect(listened).toHaveBeenCalled());
  answer.resolve(allow("test", undefined));
  expect(textOf(await asking)).toBe("");
  expect(forgotten).toHaveBeenCalledWith("abort", listened.mock.calls[0]?.[1]);
});

it("aborts a call that waits without ending the process of the one that runs", async () => {
  await using open = await openPlugin(flatPlugin(), { limits: { cpuMs: 300 } });
  const spinning = open.call("spin");
  const scope = callScope();
  const listened = vi.spyOn(scope.signal, "addEventListener");
  const waiting = open.plugin.call(scope, "echo", NOTHING);
  await vi.waitFor(() => expect(listened).toHaveBeenCalledOnce());
  scope.controller.abort();
  expect(codeOf(await waiting)).toBe("SANDBOX_ABORTED");
  expect(codeOf(await spinning)).toBe("SANDBOX_CPU_LIMIT");
});

it("refuses a call whose signal was aborted before it began", async () => {
  await using open = await openPlugin(flatPlugin());
  const scope = callScope();
  scope.controller.abort();
  expect(codeOf(await open.plugin.call(scope, "spin", NOTHING))).toBe("SANDBOX_ABORTED");
});
