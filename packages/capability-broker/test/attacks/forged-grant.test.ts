import { createBroker, effectiveGrant } from "@glovebox/capability-broker";
import { decidePath } from "@glovebox/capability-broker/filesystem";
import { decideUrl } from "@glovebox/capability-broker/network";
import { callScope } from "@glovebox/testkit";
import "@glovebox/testkit/matchers";
import { expect, test } from "vitest";

import { codeOf, createLab, forgetfulLog, pluginId, send, valueOf } from "../lab.ts";

// CWE-501: an object that looks like a grant, or another plugin's.
const network = { allowHttpOutbound: true, allowedHosts: ["api.example.com"] };

test("a copy of a grant carries no authority", async () => {
  await using lab = createLab({ policy: { network } });
  const grant = lab.grant();
  expect(() => lab.broker.http({ ...grant })).toThrowCode("BROKER_GRANT_UNKNOWN");
  expect(() => lab.broker.files(structuredClone(grant))).toThrowCode("BROKER_GRANT_UNKNOWN");
  const forged = structuredClone(grant.network);
  if (forged === undefined) throw new Error("no grant");
  expect(() => decideUrl(forged, "https://api.example.com/", "GET")).toThrowCode(
    "BROKER_GRANT_UNKNOWN",
  );
  expect(() =>
    decidePath(
      {
        folders: [],
        totals: { maxOpenFiles: 1, maxReadBytesPerCall: 1, maxWrittenBytesPerCall: 1 },
      },
      "/",
      new Set(),
    ),
  ).toThrowCode("BROKER_GRANT_UNKNOWN");
});

test("a grant of one broker is none for another", async () => {
  await using one = createLab({ policy: { network } });
  await using other = createLab({ policy: { network } });
  const grant = one.grant();
  expect(() => other.broker.http(grant)).toThrowCode("BROKER_GRANT_UNKNOWN");
});

test("a grant cannot be widened after it was made", async () => {
  const allowedHosts = ["api.example.com"];
  const grant = valueOf(effectiveGrant({ network }, { network: { ...network, allowedHosts } }));
  allowedHosts.push("evil.com");
  expect(Object.isFrozen(grant.network?.hosts[0]?.pattern)).toBe(true);
  expect(() => ((grant.network?.hosts ?? []) as unknown[]).push({})).toThrow(TypeError);
});

test("a plugin cannot use a grant of another plugin", async () => {
  await using lab = createLab({ policy: { network } });
  const sent = await send(lab.broker.http(lab.grant()), "https://api.example.com/", {
    scope: callScope({ pluginId: "other" }),
  });
  expect(sent.code).toBe("BROKER_FOREIGN_SCOPE");
  expect(lab.lookUps).toEqual([]);
});

test("a broker holds a bounded number of grants, and one that ends makes room", async () => {
  const broker = createBroker({ log: forgetfulLog });
  const first = valueOf(broker.grant(pluginId(), {}));
  for (let count = 1; count < 10_000; count += 1) broker.grant(pluginId(), {});
  expect(codeOf(broker.grant(pluginId(), {}))).toBe("BROKER_GRANTS_FULL");
  expect(codeOf(broker.attenuate(first, {}))).toBe("BROKER_GRANTS_FULL");
  broker.revoke(first.id);
  expect(codeOf(broker.grant(pluginId(), {}))).toBe("allowed");
  await broker.close();
});
