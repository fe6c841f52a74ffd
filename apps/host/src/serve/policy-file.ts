/** @module The host's policy from a file: what any plugin may be allowed at most, as JSON. */
import { parseBoundedJson } from "@glovebox/core/json";
import type { RuntimeConfig } from "@glovebox/runtime";

import { HostError } from "../errors.ts";
import { MAX_POLICY_BYTES } from "../limits.ts";

/**
 * Reads a policy's text; what it says is checked by the runtime and the capability broker.
 *
 * @throws {@link HostError} (`HOST_POLICY`)
 */
export function parsePolicyText(bytes: Uint8Array): NonNullable<RuntimeConfig["policy"]> {
  const parsed = parseBoundedJson(bytes, { maxBytes: MAX_POLICY_BYTES });
  if (!parsed.allowed) throw new HostError("HOST_POLICY", { message: parsed.reason });
  const isObject =
    typeof parsed.value === "object" && parsed.value !== null && !Array.isArray(parsed.value);
  if (!isObject) throw new HostError("HOST_POLICY", { message: "a policy is an object" });
  return parsed.value as unknown as NonNullable<RuntimeConfig["policy"]>;
}
