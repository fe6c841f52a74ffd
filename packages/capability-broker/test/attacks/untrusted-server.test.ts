import { X509Certificate, createHash } from "node:crypto";
import tls, { type TlsOptions } from "node:tls";

import type { CapabilityRequest } from "@glovebox/capability-broker";
import { type CertificateKind, createTestAuthority } from "@glovebox/testkit/servers";
import { expect, test } from "vitest";

import { PUBLIC_ADDRESS, createLab, send } from "../lab.ts";
import { startRawServer } from "../raw-server.ts";

// CWE-295: certificates of every wrong kind, keys that are not pinned, protocols of the past.
const authority = createTestAuthority();
const foreign = createTestAuthority("Foreign");
const names = ["api.example.com"];
const OK = "HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: 2\r\n\r\nok";
type Server = Parameters<typeof startRawServer>[1];
type Policy = NonNullable<Parameters<typeof createLab>[0]["policy"]["network"]>;

const granted = { allowHttpOutbound: true, allowedHosts: names };

async function ask(
  server: Server,
  more: Partial<Policy> = {},
  request?: CapabilityRequest,
  url = "https://api.example.com/",
) {
  await using running = await startRawServer((socket) => socket.end(OK), server);
  await using lab = createLab({
    policy: {
      network: {
        ...granted,
        certificateAuthorities: [authority.ca],
        ...more,
      },
    },
    dns: { "*": [[PUBLIC_ADDRESS]] },
    port: running.port,
  });
  const { code } = await send(lab.broker.http(lab.grant(request)), url);
  return { code, received: running.received() };
}

const pin = (cert: string): string =>
  createHash("sha256")
    .update(new X509Certificate(cert).publicKey.export({ type: "spki", format: "der" }))
    .digest("base64");

test("a good certificate is accepted", async () => {
  expect((await ask(authority.issue({ names }))).code).toBe("allowed");
});

test.each<readonly [string, Server]>([
  ...(["self-signed", "wrong-name", "expired", "not-yet-valid", "cn-only"] as const).map(
    (kind: CertificateKind) => [kind, authority.issue({ kind, names })] as const,
  ),
  ["of a foreign authority", foreign.issue({ names })],
  ["for every name below com", authority.issue({ names: ["*.com"] })],
  ["for an address only", authority.issue({ names: [], addresses: ["127.0.0.1"] })],
  [
    "over TLS 1.1",
    {
      ...authority.issue({ names }),
      minVersion: "TLSv1",
      maxVersion: "TLSv1.1",
      ciphers: "DEFAULT@SECLEVEL=0",
    },
  ],
])("a certificate %s gets no request", async (_name, server) => {
  expect(await ask(server)).toEqual({ code: "BROKER_TLS", received: "" });
});

test("a revoked certificate gets no request, and one that no list covers neither", async () => {
  const [good, revoked] = [authority.issue({ names }), authority.issue({ names })];
  const lists = { revocationLists: [authority.revocationList([revoked])] };
  expect((await ask(good, lists)).code).toBe("allowed");
  expect(await ask(revoked, lists)).toEqual({ code: "BROKER_TLS", received: "" });
  const uncovered = { revocationLists: [foreign.revocationList([])] };
  expect((await ask(good, uncovered)).code).toBe("BROKER_TLS");
});

test("TLS 1.1 gets no request, whatever the process takes for its own connections", async () => {
  const { DEFAULT_CIPHERS, DEFAULT_MIN_VERSION } = tls;
  Object.assign(tls, { DEFAULT_CIPHERS: "DEFAULT@SECLEVEL=0", DEFAULT_MIN_VERSION: "TLSv1" });
  try {
    const old = {
      minVersion: "TLSv1",
      maxVersion: "TLSv1.1",
      ciphers: "DEFAULT@SECLEVEL=0",
    } as const;
    expect(await ask({ ...authority.issue({ names }), ...old })).toEqual({
      code: "BROKER_TLS",
      received: "",
    });
  } finally {
    Object.assign(tls, { DEFAULT_CIPHERS, DEFAULT_MIN_VERSION });
  }
});

test("a key must be in the list of the policy and in that of the plugin", async () => {
  const identity = authority.issue({ names });
  const [own, other] = [pin(identity.cert), pin(authority.issue({ names }).cert)];
  for (const [mine, theirs, code] of [
    [own, other, "BROKER_TLS_PIN"],
    [other, own, "BROKER_TLS_PIN"],
    [own, own, "allowed"],
  ] as const) {
    const request = { network: { ...granted, spkiPins: [theirs] } };
    expect((await ask(identity, { spkiPins: [mine] }, request)).code).toBe(code);
  }
});

test("an address is asked for by no name, and answered by a certificate for it", async () => {
  const asked: string[] = [];
  const SNICallback: TlsOptions["SNICallback"] = (name, done) => {
    asked.push(name);
    done(null);
  };
  const allowedHosts = [PUBLIC_ADDRESS];
  for (const [addresses, code] of [
    [[PUBLIC_ADDRESS], "allowed"],
    [["8.8.8.8"], "BROKER_TLS"],
  ] as const) {
    const identity = authority.issue({ names: [], addresses });
    const server = { ...identity, SNICallback };
    const url = `https://${PUBLIC_ADDRESS}/`;
    expect((await ask(server, { allowedHosts }, undefined, url)).code).toBe(code);
  }
  expect(asked).toEqual([]);
});

test("a key outside the pins gets no request; one of a list is enough", async () => {
  const identity = authority.issue({ names });
  const other = pin(authority.issue({ names }).cert);
  expect((await ask(identity, { spkiPins: [other, pin(identity.cert)] })).code).toBe("allowed");
  expect(await ask(identity, { spkiPins: [other] })).toEqual({
    code: "BROKER_TLS_PIN",
    received: "",
  });
});
