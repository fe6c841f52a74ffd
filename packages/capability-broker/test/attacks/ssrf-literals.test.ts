import { describe, expect, test } from "vitest";

import { createLab, send } from "../lab.ts";

// CWE-918. Every spelling of an address that is not public, under a grant of every public host.
const SPELLINGS = [
  "127.0.0.1",
  "2130706433",
  "0x7f000001",
  "0x7f.1",
  "0177.0.0.1",
  "127.1",
  "127.0.0.1.",
  "0.0.0.0",
  "0",
  "10.0.0.1",
  "172.16.0.1",
  "192.168.0.1",
  "100.64.0.1",
  "169.254.169.254",
  "2852039166",
  "168.63.129.16",
  "192.0.0.192",
  "198.18.0.1",
  "224.0.0.1",
  "240.0.0.1",
  "255.255.255.255",
  "127%2e0%2e0%2e1",
  "①②⑦.⓪.⓪.①",
  "[::1]",
  "[::]",
  "[::ffff:127.0.0.1]",
  "[::ffff:7f00:1]",
  "[::7f00:1]",
  "[64:ff9b::7f00:1]",
  "[64:ff9b:1::1]",
  "[2002:7f00:1::]",
  "[2001::1]",
  "[2001:db8::1]",
  "[3fff::1]",
  "[5f00::1]",
  "[fc00::1]",
  "[fd00:ec2::254]",
  "[fe80::1]",
  "[fe80::1%25eth0]",
  "[fec0::1]",
  "[ff02::1]",
  "[100::1]",
  "[4000::1]",
  "localhost",
  "foo.localhost",
  "ip6-localhost",
  "metadata.google.internal",
  "intranet",
  "printer.local",
  "foo.home.arpa",
  "foo.onion",
];

describe("an address that is not public", () => {
  test.each(SPELLINGS)("is not dialled as %s", async (host) => {
    await using lab = createLab({
      policy: {
        network: {
          allowHttpOutbound: true,
          allowedHosts: [],
          anyPublicHost: true,
          allowInsecureHttp: true,
        },
      },
      dns: { "*": [["127.0.0.1"]] },
    });
    const { code } = await send(lab.broker.http(lab.grant()), `http://${host}/`);
    expect(code).toMatch(/^BROKER_(?:ADDRESS_DENIED|HOST_NAME|HOST_SPECIAL|URL_SYNTAX)$/);
    expect(lab.dials).toEqual([]);
  });

  test("is not dialled although it is granted, when it is denied or the host's own", async () => {
    const network = {
      allowHttpOutbound: true,
      allowedHosts: ["10.1.2.3:80", "8.8.8.8", "10.1.2.4:80"],
      allowInsecureHttp: true,
      privateCidrs: ["10.1.2.0/24"],
    };
    await using lab = createLab({
      policy: { network, denyCidrs: ["10.1.2.3/32", "8.8.8.0/24"] },
      deps: { localAddresses: () => ["10.1.2.4"] },
    });
    const port = lab.broker.http(lab.grant());
    for (const host of ["10.1.2.3", "8.8.8.8", "10.1.2.4"]) {
      expect((await send(port, `http://${host}/`)).code).toBe("BROKER_ADDRESS_DENIED");
    }
    expect(lab.dials).toEqual([]);
  });
});
