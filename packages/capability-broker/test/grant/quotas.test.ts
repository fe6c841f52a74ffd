import * as fs from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import type { FileRight } from "@glovebox/core/ports";
import { callScope } from "@glovebox/testkit";
import "@glovebox/testkit/matchers";
import { startHttpServer } from "@glovebox/testkit/servers";
import { expect, test } from "vitest";

import { PUBLIC_ADDRESS, createLab, send, valueOf } from "../lab.ts";

const net = (...allowedHosts: string[]) => ({
  allowHttpOutbound: true,
  allowedHosts,
  allowInsecureHttp: true,
});
const CREATE: ReadonlySet<FileRight> = new Set(["create", "write"]);

test("what a grant has used is told beside its bounds, and what is left also of its parent's", async () => {
  await using server = await startHttpServer((_request, response) => response.end("12345"));
  await using lab = createLab({
    policy: { network: net("*.trusted.com") },
    dns: { "*": [[PUBLIC_ADDRESS]] },
    port: server.port,
  });
  const terms = { quota: { requests: 3, receivedBytes: 100 } };
  const request = { network: net("*.trusted.com") };
  const parent = valueOf(lab.broker.grant(lab.grant().pluginId, request, terms));
  const child = valueOf(
    lab.broker.attenuate(
      parent,
      { network: net("a.trusted.com") },
      { quota: { requests: 9, sentBytes: 1_000 } },
    ),
  );
  expect(lab.broker.quotas(child)).toEqual([
    { what: "requests", used: 0, max: 9, remaining: 3 },
    { what: "sentBytes", used: 0, max: 1_000, remaining: 1_000 },
    { what: "receivedBytes", used: 0, remaining: 100 },
  ]);
  for (const name of ["a", "b"])
    await send(lab.broker.http(name === "a" ? child : parent), `http://${name}.trusted.com/`, {
      method: "POST",
      body: new Uint8Array(20),
    });
  const { sentBytes } = lab.broker.usage(child);
  expect(sentBytes).toBeGreaterThan(20);
  expect(lab.broker.quotas(child)).toEqual([
    { what: "requests", used: 1, max: 9, remaining: 1 },
    { what: "sentBytes", used: sentBytes, max: 1_000, remaining: 1_000 - sentBytes },
    { what: "receivedBytes", used: 5, remaining: 90 },
  ]);
  expect(lab.broker.quotas(parent)).toMatchObject([
    { what: "requests", used: 2, max: 3, remaining: 1 },
    { what: "sentBytes", used: 2 * sentBytes },
    { what: "receivedBytes", used: 10, max: 100, remaining: 90 },
  ]);
  // Nobody reads the quota of what is no grant.
  expect(() => lab.broker.quotas({ ...parent })).toThrowCode("BROKER_GRANT_UNKNOWN");
});

test("what lies in a grant's folders is told once it was counted, and follows every change", async () => {
  const host = fs.mkdtempSync(join(tmpdir(), "broker-quotas-"));
  fs.writeFileSync(join(host, "old.txt"), Buffer.alloc(400));
  const rights = { allowRead: true, allowWrite: true };
  const root = { ...rights, quotaBytes: 1_000, maxFiles: 3 };
  await using lab = createLab({
    policy: {
      filesystem: {
        roots: [
          { guest: "/data", host, ...root },
          { guest: "/tmp", host: { temporary: true }, ...root },
        ],
      },
    },
  });
  const filesystem = { allowedPaths: ["/data", "/tmp"], ...rights };
  const grant = lab.grant({ filesystem });
  const files = lab.broker.files(grant);
  const used = () => lab.broker.quotas(grant).map(({ used: now }) => now);
  try {
    expect(lab.broker.quotas(grant)).toEqual([
      { what: "fileBytes", folder: "/data", max: 1_000 },
      { what: "files", folder: "/data", max: 3 },
      { what: "fileBytes", folder: "/tmp", max: 1_000 },
      { what: "files", folder: "/tmp", max: 3 },
    ]);
    const handle = valueOf(await files.open(callScope(), "/data/new.txt", CREATE));
    await handle.writeAt(0, new Uint8Array(100));
    expect(lab.broker.quotas(grant).slice(0, 2)).toEqual([
      { what: "fileBytes", folder: "/data", max: 1_000, used: 500, remaining: 500 },
      { what: "files", folder: "/data", max: 3, used: 2, remaining: 1 },
    ]);
    await handle.close();
    valueOf(await files.remove(callScope(), "/data/new.txt"));
    valueOf(await files.mkdir(callScope(), "/tmp/folder"));
    expect(used()).toEqual([400, 1, 0, 1]);
    // Another grant on the folder sees the same account; a temporary folder is each grant's own.
    const other = lab.grant({ filesystem });
    expect(lab.broker.quotas(other).map(({ used: now }) => now)).toEqual([
      400,
      1,
      undefined,
      undefined,
    ]);
    lab.broker.revoke(grant.id);
    await expect.poll(used, { timeout: 10_000 }).toEqual([400, 1, undefined, undefined]);
  } finally {
    fs.rmSync(host, { recursive: true });
  }
});
