/**
 * @module The host function `verify_hmac(keyName, data, mac)` of the example plugin `auth`: the key
 * stays in the host, and the plugin learns one bit (I7). All three arguments are attacker-controlled,
 * so the key is looked up by plugin and name, and the comparison takes the same time for every MAC.
 */
import { createHmac, timingSafeEqual } from "node:crypto";

import { allow, refuse } from "@glovebox/core/decision";
import type { RuntimeConfig } from "@glovebox/runtime";

type HostFunction = NonNullable<RuntimeConfig["hostFunctions"]>[string];

const RULE = "host.verify-hmac";

/** Makes the function; `keys` is by `plugin/name`. */
export function createVerifyHmac(keys: ReadonlyMap<string, Uint8Array>): HostFunction {
  return {
    parameters: ["bytes", "bytes", "bytes"],
    result: "i64",
    call: async ({ pluginId }, [keyName, data, mac]) => {
      if (!(isBytes(keyName) && isBytes(data) && isBytes(mac))) {
        return refuse("HOST_KEY_UNKNOWN", RULE, "verify_hmac takes three byte strings");
      }
      const key = keys.get(`${pluginId}/${Buffer.from(keyName).toString("latin1")}`);
      if (key === undefined) {
        return refuse("HOST_KEY_UNKNOWN", RULE, `${pluginId} has no key of this name`);
      }
      const expected = createHmac("sha256", key).update(data).digest();
      // The length of a SHA-256 MAC is no secret.
      const isRight = mac.length === expected.length && timingSafeEqual(mac, expected);
      return allow(RULE, isRight ? 1n : 0n);
    },
  };
}

function isBytes(value: unknown): value is Uint8Array {
  return value instanceof Uint8Array;
}
