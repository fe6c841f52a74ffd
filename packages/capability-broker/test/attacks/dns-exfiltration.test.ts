import type { Inspection, Transform } from "@glovebox/capability-broker";
import { callScope, fakeClock } from "@glovebox/testkit";
import { startHttpServer } from "@glovebox/testkit/servers";
import { expect, test } from "vitest";

import { PUBLIC_ADDRESS, createLab, pluginId, send, valueOf } from "../lab.ts";
import { startRawServer } from "../raw-server.ts";

// CWE-200: data leaves in labels, paths, queries and header names as well as in bodies.
const network = {
  allowHttpOutbound: true,
  allowedHosts: ["*.trusted.com"],
  allowInsecureHttp: true,
};
const dns = { "*": [[PUBLIC_ADDRESS]] };

/** Blocks the word in whatever it sees; holds back what could be its beginning. */
function scanner(word: string): Inspection & { readonly seen: string[] } {
  const seen: string[] = [];
  const transform = (): Transform => {
    let held = "";
    const step = (text: string, keep: number): ReturnType<Transform["push"]> => {
      held += text;
      if (held.includes(word)) {
        return { release: new Uint8Array(), block: { rule: "word", reason: "the word" } };
      }
      const free = Math.max(held.length - keep, 0);
      const release = Buffer.from(held.slice(0, free), "latin1");
      held = held.slice(free);
      return { release };
    };
    return {
      push: (chunk) => step(Buffer.from(chunk).toString("latin1"), word.length - 1),
      end: () => step("", 0),
    };
  };
  return {
    seen,
    outgoing(_scope, { part, name }) {
      seen.push(name === undefined ? part : `${part} ${name}`);
      return transform();
    },
  };
}

test.each<readonly [string, string, readonly (readonly [string, string])[]]>([
  ["a label", "http://passw0rd.trusted.com/", []],
  ["a path", "http://a.trusted.com/passw0rd", []],
  ["a query", "http://a.trusted.com/?q=passw0rd", []],
  ["a header's value", "http://a.trusted.com/", [["x-a", "passw0rd"]]],
  ["a header's name", "http://a.trusted.com/", [["x-passw0rd", "a"]]],
])(
  "what a scanner finds in %s reaches neither a resolver nor a server",
  async (_n, url, headers) => {
    await using lab = createLab({
      policy: { network },
      dns,
      options: { inspection: scanner("passw0rd") },
    });
    const sent = await send(lab.broker.http(lab.grant()), url, { headers });
    expect(sent.code).toBe("BROKER_SCANNER");
    expect(lab.lookUps).toEqual([]);
    expect(lab.dials).toEqual([]);
  },
);

test("what is split over two writes of a body is found, and its beginning not sent", async () => {
  await using server = await startRawServer(() => undefined);
  await using lab = createLab({
    policy: { network },
    dns,
    port: server.port,
    options: { inspection: scanner("passw0rd") },
  });
  const port = lab.broker.http(lab.grant());
  const request = { method: "POST", url: "http://a.trusted.com/", headers: [] };
  await using exchange = valueOf(await port.begin(callScope(), request));
  await exchange.writeBody(Buffer.from("abc passw"));
  await expect(exchange.writeBody(Buffer.from("0rd"))).rejects.toMatchObject({
    code: "BROKER_SCANNER",
  });
  expect(server.received()).not.toContain("passw");
  const kinds = lab.log.events.map(({ event }) => [event.kind, event.code]);
  expect(kinds).toContainEqual(["network.inspection", "BROKER_SCANNER"]);
  expect(kinds).toContainEqual(["network.response", "BROKER_SCANNER"]);
});

test("what a scanner lets pass arrives whole", async () => {
  const inspection = scanner("passw0rd");
  let body = "";
  await using server = await startHttpServer((request, response) => {
    request.on("data", (chunk) => (body += String(chunk)));
    request.on("end", () => response.end("fine"));
  });
  await using lab = createLab({
    policy: { network },
    dns,
    port: server.port,
    options: { inspection },
  });
  const sent = await send(lab.broker.http(lab.grant()), "http://a.trusted.com/", {
    method: "POST",
    headers: [["x-a", "b"]],
    body: Buffer.from("all of this"),
  });
  expect([sent.code, body]).toEqual(["allowed", "all of this"]);
  expect(inspection.seen).toEqual(["url", "dns", "header x-a", "body"]);
});

test("names, paths, headers and bodies count against what a grant may send", async () => {
  await using lab = createLab({ policy: { network }, dns });
  const grant = valueOf(lab.broker.grant(pluginId(), { network }, { quota: { sentBytes: 100 } }));
  const port = lab.broker.http(grant);
  const label = "x".repeat(30);
  expect((await send(port, `http://${label}.trusted.com/`)).code).toBe("BROKER_CONNECT");
  expect(lab.broker.usage(grant).sentBytes).toBe(
    `http://${label}.trusted.com/`.length + `${label}.trusted.com`.length,
  );
  const lookUps = lab.lookUps.length;
  expect((await send(port, `http://${label}.trusted.com/`)).code).toBe("BROKER_QUOTA");
  expect(lab.lookUps).toHaveLength(lookUps);
});

test.each([
  ["the value of a header", [["x-a", "y".repeat(100)]], undefined],
  ["the name of a header", [[`x-${"y".repeat(100)}`, "a"]], undefined],
  ["a body", [], new Uint8Array(100)],
] as const)("%s is not sent beyond what a grant may send", async (_name, headers, body) => {
  await using server = await startRawServer((socket) =>
    socket.end("HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: 0\r\n\r\n"),
  );
  await using lab = createLab({ policy: { network }, dns, port: server.port });
  const grant = valueOf(lab.broker.grant(pluginId(), { network }, { quota: { sentBytes: 100 } }));
  const sent = await send(lab.broker.http(grant), "http://a.trusted.com/", {
    method: "POST",
    headers,
    ...(body === undefined ? {} : { body }),
  });
  expect([sent.code, server.received()]).toEqual(["BROKER_QUOTA", ""]);
  expect(lab.broker.usage(grant).sentBytes).toBeLessThanOrEqual(100);
});

test("look-ups have a quota of their own", async () => {
  const limits = { maxLookUpsPerMinute: 2 };
  await using lab = createLab({
    policy: { network: { ...network, limits } },
    dns: {},
    deps: { clock: fakeClock() },
  });
  const port = lab.broker.http(lab.grant());
  for (const name of ["a", "b", "c"]) await send(port, `http://${name}.trusted.com/`);
  expect(lab.lookUps).toEqual(["a.trusted.com", "b.trusted.com"]);
  expect(lab.log.events.at(-1)?.event.code).toBe("BROKER_NETWORK_RATE");
});

test.each([
  ["a method outside the grant", "DELETE", [], "BROKER_METHOD"],
  ["a reserved header", "GET", [["host", "evil.com"]], "BROKER_HEADER"],
] as const)("%s is refused before the look-up", async (_name, method, headers, code) => {
  await using lab = createLab({ policy: { network }, dns });
  const sent = await send(lab.broker.http(lab.grant()), "http://a.trusted.com/", {
    method,
    headers,
  });
  expect(sent.code).toBe(code);
  expect(lab.lookUps).toEqual([]);
});

test("a query is in no event, of an allowed request as of a refused one", async () => {
  await using server = await startHttpServer((_request, response) => response.end("fine"));
  await using lab = createLab({ policy: { network }, dns, port: server.port });
  const port = lab.broker.http(lab.grant());
  const sent = [
    await send(port, "http://a.trusted.com/path?passw0rd"),
    await send(port, "http://evil.com/path?passw0rd"),
    await send(port, "http://a.trusted.com/path?passw0rd", { method: "DELETE" }),
  ];
  expect(sent.map(({ code }) => code)).toEqual([
    "allowed",
    "BROKER_HOST_NOT_GRANTED",
    "BROKER_METHOD",
  ]);
  const log = JSON.stringify(lab.log.events.map(({ event }) => event));
  expect(log).toContain("/path");
  expect(log).not.toContain("passw0rd");
});

test("a scanner that fails lets nothing out, and takes no place from what follows", async () => {
  let isBroken = true;
  const working = scanner("passw0rd");
  await using lab = createLab({
    policy: { network: { ...network, limits: { maxConcurrent: 1 } } },
    dns,
    options: {
      inspection: {
        outgoing(scope, part) {
          if (isBroken) throw new Error("out of memory");
          return working.outgoing?.(scope, part);
        },
      },
    },
  });
  const port = lab.broker.http(lab.grant());
  for (let at = 0; at < 2; at += 1)
    expect((await send(port, "http://a.trusted.com/")).code).not.toMatch(/^allowed$|_BUSY$/);
  expect(lab.lookUps).toEqual([]);
  isBroken = false;
  expect((await send(port, "http://a.trusted.com/")).code).toBe("BROKER_CONNECT");
});

test.each(["maxRequestsPerMinute", "maxLookUpsPerMinute", "maxConcurrent"] as const)(
  "%s of 0 lets nothing out",
  async (name) => {
    const limits = { [name]: 0 };
    await using lab = createLab({ policy: { network: { ...network, limits } }, dns });
    const { code } = await send(lab.broker.http(lab.grant()), "http://a.trusted.com/");
    expect([code, lab.lookUps]).toEqual([expect.stringMatching(/^BROKER_NETWORK_/), []]);
  },
);

test.each<readonly [string, Pick<ReturnType<Transform["push"]>, "block">, string]>([
  ["blocks and releases all the same", { block: { rule: "word", reason: "the word" } }, ""],
  ["would change what it sees", {}, "*"],
])("a scanner that %s lets nothing out", async (_name, answer, more) => {
  const transform: Transform = {
    push: (chunk) => ({ release: Buffer.concat([chunk, Buffer.from(more)]), ...answer }),
    end: () => ({ release: new Uint8Array() }),
  };
  await using lab = createLab({
    policy: { network },
    dns,
    options: { inspection: { outgoing: () => transform } },
  });
  const { code } = await send(lab.broker.http(lab.grant()), "http://a.trusted.com/");
  expect([code, lab.lookUps]).toEqual(["BROKER_SCANNER", []]);
});
