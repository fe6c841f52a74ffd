/**
 * A process that a plugin has taken over sends arguments of a form that no runner makes; and a host
 * function answers with a value of another type than it declared. The first must not reach the host
 * function, the second must not look like the plugin's trap, or become a value that nobody wrote.
 */
import { allow } from "@glovebox/core/decision";
import type { HostValue, HostValueType } from "@glovebox/core/ports";
import { callScope, memoryHostServices } from "@glovebox/testkit";
import { expect, it } from "vitest";

import { OpenFiles } from "../../src/host/file-calls.ts";
import { answerHostCall } from "../../src/host/host-calls.ts";
import { parseFailure } from "../../src/host/runner-errors.ts";
import { HOST_CALL } from "../../src/protocol/frame-table.ts";
import { encodeParts } from "../../src/protocol/parts.ts";

const encoder = new TextEncoder();

function answer(type: HostValueType, sent: string, result: HostValue | undefined) {
  const target = { parameters: [type], result: type, call: async () => allow("test", result) };
  const services = { ...memoryHostServices(), functions: new Map([["target", target]]) };
  const payload = encodeParts([encoder.encode("0"), encoder.encode(sent)]);
  return answerHostCall(
    HOST_CALL.FUNCTION,
    payload,
    { scope: callScope(), services },
    new OpenFiles(),
  );
}

it("takes of a trap's place what is one, and no more than the engine notes", () => {
  const failureWith = (frames: unknown) => {
    const content = JSON.stringify({ code: "SANDBOX_TRAP", message: "unreachable", frames });
    return parseFailure(encoder.encode(content))?.details["frames"];
  };
  const forged = [[-1, 2], [1.5, 2], ["1", "2"], [2 ** 32, 1], [3], null, {}, "12", [1, null]];
  expect(failureWith([...forged, [7, 99]])).toEqual([{ function: 7, offset: 99 }]);
  for (const raw of [undefined, null, "[]", { length: 9 }]) expect(failureWith(raw)).toEqual([]);
  expect(failureWith(Array.from({ length: 100_000 }, () => [1, 2]))).toHaveLength(10);
});

it.each([
  ["i32", "1.5"],
  ["i32", "NaN"],
  ["i32", "2147483648"],
  ["i32", ""],
  ["i64", "9223372036854775808"],
  ["i64", "1e3"],
] as const)("takes an argument of type %s that is %j for a broken process", async (type, sent) => {
  await expect(answer(type, sent, 0)).rejects.toThrow("that is none");
});

it.each([
  ["i32", "-2147483648"],
  ["i64", "-9223372036854775808"],
  ["f64", "NaN"],
] as const)("takes an argument of type %s that is %j", async (type, sent) => {
  expect((await answer(type, sent, 0)).allowed).toBe(true);
});

it.each([
  ["i64", 1.5],
  ["i64", 2n ** 80n],
  ["i32", 2 ** 32],
  ["i64", new Uint8Array(1)],
  ["f64", 1n],
  ["bytes", 5],
  ["bytes", new Uint8Array(16 * 2 ** 20 + 1)],
] as const)(
  "refuses the call when a result of type %s is another (case %#)",
  async (type, result) => {
    expect(await answer(type, "0", result)).toMatchObject({
      allowed: false,
      code: "CORE_CHECK_FAILED",
    });
  },
);

it("gives no bytes for no result", async () => {
  expect(await answer("bytes", "", undefined)).toMatchObject({ value: new Uint8Array(0) });
});
