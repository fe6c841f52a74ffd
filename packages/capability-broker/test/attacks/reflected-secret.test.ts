import type { Socket } from "node:net";
import { gzipSync } from "node:zlib";

import { createTestAuthority } from "@glovebox/testkit/servers";
import fc from "fast-check";
import { expect, test } from "vitest";

import { createSecretSearch } from "#secret";

import { PUBLIC_ADDRESS, type Sent, createLab, send } from "../lab.ts";
import { startRawServer } from "../raw-server.ts";

// CWE-201, CWE-522: a plugin must never read the secret that a request of its was given.
const authority = createTestAuthority();
const identity = authority.issue({ names: ["api.example.com"] });
const SECRET = "sk_live_51H8/abc+def==";
const secret = {
  name: "stripe",
  origin: "https://api.example.com",
  header: "authorization",
  template: "Bearer {{secret:stripe}}",
  methods: ["GET"],
  pathPrefix: "/v1",
};
const policy = {
  network: {
    allowHttpOutbound: true,
    allowedHosts: ["api.example.com"],
    certificateAuthorities: [authority.ca],
    secrets: [secret],
  },
};

interface Tried extends Sent {
  readonly received: string;
  readonly log: string;
  readonly traffic: string;
}

async function ask(
  answer: (socket: Socket) => void,
  options: Parameters<typeof send>[2] & { url?: string } = {},
  resolveSecret: (name: string) => Promise<string> = async () => SECRET,
): Promise<Tried> {
  const { url = "https://api.example.com/v1/charges", ...rest } = options;
  const records: unknown[] = [];
  await using server = await startRawServer(answer, identity);
  await using lab = createLab({
    policy,
    dns: { "*": [[PUBLIC_ADDRESS]] },
    port: server.port,
    deps: { resolveSecret },
    options: { traffic: (record) => records.push(record) },
  });
  const sent = await send(lab.broker.http(lab.grant()), url, rest);
  const log = JSON.stringify(lab.log.events.map(({ event }) => event));
  return { ...sent, received: server.received(), log, traffic: JSON.stringify(records) };
}

const plain = (head: string, body: string | Buffer) => (socket: Socket) => {
  socket.write(
    `HTTP/1.1 200 OK\r\nconnection: close\r\n${head}content-length: ${body.length}\r\n\r\n`,
  );
  socket.end(body);
};

test("the secret is on the wire, and nowhere else", async () => {
  const sent = await ask(plain("", "fine"));
  expect(sent).toMatchObject({ code: "allowed", body: "fine" });
  expect(sent.received).toContain(`authorization: Bearer ${SECRET}\r\n`);
  expect(sent.log).not.toContain("sk_live");
  expect(sent.traffic).not.toContain("sk_live");
  expect(sent.traffic).toContain("(the secret stripe)");
});

const alignments = ["", "a", "ab"];
test.each<readonly [string, (socket: Socket) => void]>([
  ["the body", plain("", `you sent ${SECRET}.`)],
  ["a header", plain(`x-echo: Bearer ${SECRET}\r\n`, "")],
  [
    "the reason phrase",
    (socket) => socket.end(`HTTP/1.1 200 ${SECRET}\r\ncontent-length: 0\r\n\r\n`),
  ],
  [
    "a trailer",
    (socket) =>
      socket.end(
        `HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n1\r\nx\r\n0\r\nx-t: ${SECRET}\r\n\r\n`,
      ),
  ],
  ["a coded body", plain("content-encoding: gzip\r\n", gzipSync(`you sent ${SECRET}.`))],
  ["percent form", plain("", encodeURIComponent(`x ${SECRET} y`))],
  [
    "percent form of every byte",
    plain("", Array.from(Buffer.from(SECRET), (byte) => `%${byte.toString(16)}`).join("")),
  ],
  ["a redirect", plain("location: https://api.example.com/?k=" + SECRET + "\r\n", "")],
  ...alignments.map((before): readonly [string, (socket: Socket) => void] => [
    `base64 after ${before.length} bytes`,
    plain("", Buffer.from(`${before}${SECRET} and more`).toString("base64")),
  ]),
  ...alignments.map((before): readonly [string, (socket: Socket) => void] => [
    `base64url after ${before.length} bytes`,
    plain("", Buffer.from(`${before}${SECRET}`).toString("base64url")),
  ]),
])("a server that sends it back in %s ends the response", async (_name, answer) => {
  const sent = await ask(answer);
  expect(sent.code).toBe("BROKER_SECRET_REFLECTED");
  expect(sent.body).toBeUndefined();
  expect(sent.log).toContain('"code":"BROKER_SECRET_REFLECTED"');
  expect(sent.log).not.toContain("sk_live");
  expect(sent.traffic).not.toContain("sk_live");
});

test("no split of the stream lets a byte of it through", () => {
  const forms = [
    SECRET,
    encodeURIComponent(SECRET),
    Buffer.from(`a${SECRET}`).toString("base64"),
    Array.from(Buffer.from(SECRET), (byte) => `%${byte.toString(16)}`).join(""),
  ];
  fc.assert(
    fc.property(
      fc.constantFrom(...forms),
      fc.nat({ max: 200 }),
      fc.array(fc.integer({ min: 1, max: 40 }), { minLength: 1, maxLength: 30 }),
      (form, before, sizes) => {
        const whole = Buffer.from(`${"x".repeat(before)}${form}${"y".repeat(100)}`);
        const search = createSecretSearch([SECRET]);
        if (search === undefined) throw new Error("no search");
        let released = 0;
        let isFound = false;
        for (let at = 0, nth = 0; at < whole.length && !isFound; nth += 1) {
          const size = sizes[nth % sizes.length] ?? 1;
          const step = search.push(whole.subarray(at, at + size));
          at += size;
          if (step === undefined) isFound = true;
          else released += step.length;
        }
        expect(isFound).toBe(true);
        expect(released).toBeLessThanOrEqual(before);
      },
    ),
  );
});

test("no single cut lets a byte of it through, whatever the alphabet", () => {
  // In base64 these characters become + and /, which base64url writes in another way.
  for (const value of [SECRET, ">>>???~~~key>>>???~~~"]) {
    const aligned = ["", "a", "ab"].map((before) => Buffer.from(`${before}${value} and more`));
    const forms = [
      value,
      ...aligned.flatMap((bytes) => [bytes.toString("base64"), bytes.toString("base64url")]),
      Array.from(Buffer.from(value), (byte) => `%${byte.toString(16)}`).join(""),
      Array.from(Buffer.from(value), (byte) => `%${byte.toString(16).toUpperCase()}`).join(""),
    ];
    for (const form of forms) {
      for (let cut = 0; cut < form.length; cut += 1) {
        const search = createSecretSearch([value]);
        const first = search?.push(Buffer.from(`before ${form.slice(0, cut)}`));
        if (first === undefined) continue;
        expect(first.length).toBeLessThanOrEqual("before ".length);
        expect([form, cut, search?.push(Buffer.from(`${form.slice(cut)} behind`))]).toEqual([
          form,
          cut,
          undefined,
        ]);
      }
    }
  }
});

test("what holds no secret comes through whole, however it is split", () => {
  fc.assert(
    fc.property(fc.array(fc.uint8Array({ maxLength: 50 }), { maxLength: 20 }), (chunks) => {
      const search = createSecretSearch([SECRET]);
      const out = chunks.map((chunk) => search?.push(chunk) ?? Buffer.from("found"));
      expect(Buffer.concat([...out, search?.end() ?? new Uint8Array()])).toEqual(
        Buffer.concat(chunks),
      );
    }),
  );
});

test.each([
  ["another path", { url: "https://api.example.com/v2" }],
  ["a path that steps out", { url: "https://api.example.com/v1/%2e%2e/v2" }],
  ["another method", { method: "POST" }],
])("%s gets no secret", async (_name, options) => {
  const sent = await ask(plain("", "fine"), options);
  expect(sent.code).toBe("allowed");
  expect(sent.received).not.toContain("authorization");
});

test("a placeholder of the plugin's is text, and its header of the same name is refused", async () => {
  const url = "https://api.example.com/v1/{{secret:stripe}}";
  const headers = [["x-a", "{{secret:stripe}}"]] as const;
  const sent = await ask(plain("", "fine"), { url, headers });
  expect(sent.code).toBe("allowed");
  expect(sent.received.split(SECRET)).toHaveLength(2);
  expect(sent.received).toContain("x-a: {{secret:stripe}}");
  const doubled = await ask(plain("", "fine"), { headers: [["Authorization", "Bearer mine"]] });
  expect(doubled.code).toBe("BROKER_HEADER");
  expect(doubled.received).toBe("");
});

test.each<readonly [string, (name: string) => Promise<string>]>([
  ["that fails with the secret in its error", () => Promise.reject(new Error(SECRET))],
  ["that answers a line break", async () => `${SECRET}\r\nx: y`],
  ["that answers three characters", async () => "abc"],
  ["that answers more than a search can hold back", async () => "x".repeat(4_097)],
  ["that answers no text", async () => Buffer.from(SECRET) as never],
])("a resolver %s refuses the request, and says nothing of the value", async (_name, resolve) => {
  const sent = await ask(plain("", "fine"), {}, resolve);
  expect(sent.code).toBe("BROKER_SECRET");
  expect(sent.received).toBe("");
  expect(sent.log).not.toContain("sk_live");
});

test("credentials of the plugin and of the server are left out of traffic records", async () => {
  const sent = await ask(plain("set-cookie: sid=cr3dential\r\nx-plain: shown\r\n", "fine"), {
    url: "https://api.example.com/v2",
    headers: [
      ["authorization", "Bearer cr3dential"],
      ["cookie", "sid=cr3dential"],
      ["x-api-key", "cr3dential"],
      ["x-csrf-token", "cr3dential"],
      ["x-seen", "seen"],
    ],
  });
  expect(sent.code).toBe("allowed");
  expect(sent.received).toContain("cr3dential");
  expect(sent.traffic).not.toContain("cr3dential");
  expect(sent.traffic.split("(left out)")).toHaveLength(6);
  expect(sent.traffic).toContain('"shown"');
  expect(sent.traffic).toContain('"seen"');
});
