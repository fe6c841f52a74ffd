/** @module Every receiver that a configuration can name gets every event of a log. */
import { execFileSync } from "node:child_process";
import { once } from "node:events";
import { readFile, stat, symlink, writeFile } from "node:fs/promises";
import { createServer } from "node:http";
import { type AddressInfo, createServer as createTcpServer } from "node:net";
import { join } from "node:path";
import { createServer as createTlsServer } from "node:tls";

import { openAuditor } from "@glovebox/auditor";
import type { EventLogger } from "@glovebox/auditor/sinks";
import { pluginDirectory } from "@glovebox/testkit";
import { createTestAuthority } from "@glovebox/testkit/servers";
import { expect, test } from "vitest";
import "@glovebox/testkit/matchers";

import { readAuditConfig } from "../../../src/commands/audit/audit-config.ts";
import { openSinks } from "../../../src/commands/audit/open-sinks.ts";

const SILENT: EventLogger = {
  info: () => undefined,
  warn: () => undefined,
  error: () => undefined,
};

/** Records an event in a log whose sinks are these, and waits until they have it. */
async function deliver(path: string, sinks: readonly object[], logger = SILENT): Promise<void> {
  const file = join(path, "audit.json");
  await writeFile(file, JSON.stringify({ sinks }));
  const config = await readAuditConfig(file);
  const auditor = await openAuditor({ directory: join(path, "audit"), classes: ["security"] });
  try {
    const opened = await openSinks(config.sinks, logger);
    const deliveries = (await Promise.all(opened.map((sink) => auditor.forward(sink)))).flat();
    auditor.record({}, { kind: "operator", success: true, rule: "test.marked" });
    await auditor.flush();
    for (const delivery of deliveries) await delivery.drained();
  } finally {
    await auditor.close();
  }
}

test("files of lines, of JSON and of OCSF, which only their owner can read", async () => {
  await using files = await pluginDirectory({});
  const at = (name: string): string => join(files.path, name);
  const sinks = [
    { type: "json-lines", path: "events.jsonl" },
    { type: "ocsf", path: "events.ocsf" },
  ];
  await deliver(files.path, sinks);
  await deliver(files.path, sinks);
  for (const name of ["events.jsonl", "events.ocsf"]) {
    const lines = (await readFile(at(name), "utf8")).trimEnd().split("\n");
    expect(lines.filter((line) => line.includes("test.marked"))).toHaveLength(2);
    expect((await stat(at(name))).mode & 0o777).toBe(0o600);
  }
  expect(await readFile(at("events.ocsf"), "utf8")).toContain('"class_uid":3004');
});

test.each(["link", "pipe"])("a %s in place of a file is refused", async (kind) => {
  await using files = await pluginDirectory({ target: "kept" });
  const path = join(files.path, "events");
  if (kind === "link") await symlink(join(files.path, "target"), path);
  else execFileSync("mkfifo", [path]);
  const sinks = [{ type: "logger" }, { type: "json-lines", path: "events" }];
  await expect(deliver(files.path, sinks)).rejects.toThrowCode("HOST_FILE");
  expect(await readFile(join(files.path, "target"), "utf8")).toBe("kept");
});

test("a collector of OTLP, with headers from a file", async () => {
  await using files = await pluginDirectory({ headers: '{"authorization":"Bearer t"}' });
  const bodies: string[] = [];
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on("data", (chunk: Buffer) => chunks.push(chunk));
    request.on("end", () => {
      bodies.push(`${request.headers.authorization} ${Buffer.concat(chunks).toString()}`);
      response.end("{}");
    });
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1/logs`;
  await deliver(files.path, [{ type: "otlp", url, headersFile: "headers" }]);
  server.close();
  server.closeAllConnections();
  expect(bodies.join("")).toMatch(/^Bearer t .*test\.marked/s);
});

test.each(["[]", "secret", '{"a":1}'])(
  "headers that are %s are refused, and not shown",
  async (headers) => {
    await using files = await pluginDirectory({ headers });
    const sinks = [{ type: "otlp", url: "https://127.0.0.1:9/", headersFile: "headers" }];
    await expect(deliver(files.path, sinks)).rejects.toMatchObject({
      code: "HOST_USAGE",
      message: expect.not.stringContaining("secret"),
    });
  },
);

test.each(["tls", "mutual tls", "clear"])("a receiver of syslog over %s", async (transport) => {
  const authority = createTestAuthority();
  const { cert, key } = authority.issue({ names: ["host.example"] });
  await using files = await pluginDirectory({
    "ca.pem": authority.ca,
    "host.pem": cert,
    "host.key": key,
  });
  const chunks: Buffer[] = [];
  const take = (socket: NodeJS.ReadableStream): void => {
    socket.on("data", (chunk: Buffer) => chunks.push(chunk));
    socket.on("error", () => undefined);
  };
  const isMutual = transport === "mutual tls";
  const asking = isMutual ? { requestCert: true, rejectUnauthorized: true } : {};
  const server =
    transport === "clear"
      ? createTcpServer(take)
      : createTlsServer({ ...authority.issue(), ca: authority.ca, ...asking }, take);
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  const how = {
    ...(transport === "clear" ? { clear: true } : { caFile: "ca.pem" }),
    ...(isMutual ? { certificateFile: "host.pem", keyFile: "host.key" } : {}),
  };
  await deliver(files.path, [{ type: "syslog", host: "localhost", port, ...how }]);
  await expect.poll(() => Buffer.concat(chunks).toString()).toContain("test.marked");
  server.close();
});

test("the host's own logger", async () => {
  await using files = await pluginDirectory({});
  const messages: unknown[] = [];
  const log = (fields: object): void => void messages.push(fields);
  await deliver(files.path, [{ type: "logger" }], { info: log, warn: log, error: log });
  expect(JSON.stringify(messages)).toContain("test.marked");
});

test("a database that is not there holds nothing back, and is let go of at the end", async () => {
  await using files = await pluginDirectory({ db: "postgres://u@127.0.0.1:9/none" });
  const auditor = await openAuditor({ directory: join(files.path, "audit") });
  const config = { type: "postgres", connectionFile: join(files.path, "db") } as const;
  const [sink] = await openSinks([config], SILENT);
  if (sink === undefined) throw new Error("no sink");
  const [delivery] = await auditor.forward(sink);
  await expect.poll(() => delivery?.state().error).toMatch(/ECONNREFUSED/);
  await auditor.close();
});

test("a table whose name would be a statement is refused", async () => {
  await using files = await pluginDirectory({ db: "postgres://u@127.0.0.1:9/none" });
  const sinks = [{ type: "postgres", connectionFile: "db", table: "a; DROP TABLE b" }];
  await expect(deliver(files.path, sinks)).rejects.toThrowCode("AUDITOR_OPTION");
});
