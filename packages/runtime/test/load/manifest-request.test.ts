/** @module What a manifest asks for reaches the broker whole: the two packages do not know each other. */
import { effectiveGrant } from "@glovebox/capability-broker";
import { parseManifest } from "@glovebox/manifest-validator";
import { expect, test } from "vitest";

const LIMITS = {
  resolve_timeout_ms: 11,
  connect_timeout_ms: 12,
  first_byte_timeout_ms: 13,
  idle_timeout_ms: 14,
  total_timeout_ms: 15,
  min_bytes_per_second: 60,
  max_request_bytes: 16,
  max_response_bytes: 17,
  max_decoded_bytes: 18,
  max_head_bytes: 19,
  max_ratio: 20,
  max_codings: 1,
  max_redirects: 2,
  max_concurrent: 3,
  max_requests_per_minute: 21,
  max_look_ups_per_minute: 22,
};

test("every bound of a manifest's network block narrows the grant", () => {
  const pin = `${"A".repeat(43)}=`;
  const network = {
    allow_http_outbound: true,
    allowed_hosts: ["api.example.com"],
    ports: [8443],
    methods: ["GET"],
    path_prefixes: ["/v1"],
    spki_pins: [pin],
    secrets: ["key"],
    limits: LIMITS,
  };
  const plugin = { id: "p", version: "1.0.0", types: ["template"], abi: "flat", wasm: "p.wasm" };
  const parsed = parseManifest(JSON.stringify({ plugin, capabilities: { network } }));
  if (!parsed.ok) throw new Error(parsed.problems[0]?.message);
  const secret = {
    name: "key",
    origin: "https://api.example.com:8443",
    header: "authorization",
    template: "Bearer {{secret:key}}",
  };
  const policy = {
    network: {
      allowHttpOutbound: true,
      allowedHosts: ["*.example.com"],
      ports: [443, 8443],
      methods: ["GET", "POST"],
      secrets: [secret, { ...secret, name: "other", template: "{{secret:other}}", header: "x" }],
    },
  };
  const grant = effectiveGrant(parsed.manifest.capabilities, policy);
  if (!grant.allowed) throw new Error(grant.reason);
  const granted = grant.value.network;
  expect(Object.values(granted?.limits ?? {}).toSorted((one, other) => one - other)).toEqual(
    Object.values(LIMITS).toSorted((one, other) => one - other),
  );
  expect(granted).toMatchObject({
    hosts: [{ endpoints: ["https:8443"] }],
    methods: ["GET"],
    pathPrefixes: ["/v1"],
    pins: [[pin]],
    secrets: [{ name: "key" }],
  });
});
