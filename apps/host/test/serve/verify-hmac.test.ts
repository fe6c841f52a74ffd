/** @module The host function that knows the key. */
import { createHmac, randomBytes } from "node:crypto";

import { callScope } from "@glovebox/testkit";
import { expect, test } from "vitest";

import { createVerifyHmac } from "../../src/serve/verify-hmac.ts";
import "@glovebox/testkit/matchers";

const key = randomBytes(32);
const verifyHmac = createVerifyHmac(new Map([["auth/auth", key]]));
const auth = callScope({ pluginId: "auth" });
const data = Buffer.from("data");
const mac = createHmac("sha256", key).update(data).digest();

test("a right MAC is told from wrong ones", async () => {
  const ask = async (candidate: Uint8Array): Promise<unknown> => {
    const answer = await verifyHmac.call(auth, [Buffer.from("auth"), data, candidate]);
    return answer.allowed && answer.value;
  };
  expect(await ask(mac)).toBe(1n);
  expect(await ask(mac.subarray(1))).toBe(0n);
  expect(await ask(new Uint8Array(32))).toBe(0n);
  expect(await ask(new Uint8Array())).toBe(0n);
});

test("a key is for its own plugin and under its own name", async () => {
  const other = callScope({ pluginId: "other" });
  const name = Buffer.from("auth");
  expect(await verifyHmac.call(other, [name, data, mac])).toRefuse("HOST_KEY_UNKNOWN");
  expect(await verifyHmac.call(auth, [Buffer.from("x"), data, mac])).toRefuse("HOST_KEY_UNKNOWN");
  expect(await verifyHmac.call(auth, [name, data])).toRefuse("HOST_KEY_UNKNOWN");
});
