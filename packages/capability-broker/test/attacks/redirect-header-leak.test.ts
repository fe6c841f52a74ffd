import { createTestAuthority, startHttpServer } from "@glovebox/testkit/servers";
import { expect, test } from "vitest";

import { PUBLIC_ADDRESS, type Lab, createLab, send } from "../lab.ts";
import { type RawServer, startRawServer } from "../raw-server.ts";

// CWE-200, CWE-601: what was said to one server must not be said to another.
const authority = createTestAuthority();
const identity = authority.issue({ names: ["api.example.com", "*.trusted.com"] });
const network = {
  allowHttpOutbound: true,
  allowedHosts: ["api.example.com", "*.trusted.com"],
  methods: ["GET", "POST", "PUT", "HEAD"],
  certificateAuthorities: [authority.ca],
  secrets: [
    {
      name: "key",
      origin: "https://api.example.com",
      header: "x-api-key",
      template: "{{secret:key}}",
    },
  ],
};
const SECRET = "s3cr3t-value-of-the-grant";

interface Hop {
  readonly status: number;
  readonly location: string;
}

async function follow(
  hops: readonly Hop[],
  run: (lab: Lab, heads: () => readonly string[]) => Promise<void>,
  dns: Parameters<typeof createLab>[0]["dns"] = { "*": [[PUBLIC_ADDRESS]] },
): Promise<void> {
  await using server: RawServer = await startRawServer((socket, nth) => {
    const hop = hops[nth - 1];
    if (hop === undefined)
      socket.end("HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: 2\r\n\r\nok");
    else
      socket.end(
        `HTTP/1.1 ${hop.status} Found\r\nlocation: ${hop.location}\r\ncontent-length: 0\r\n\r\n`,
      );
  }, identity);
  await using lab = createLab({
    policy: { network },
    dns: dns ?? {},
    port: server.port,
    deps: { resolveSecret: async () => SECRET },
  });
  await run(lab, () => server.received().split("\r\n\r\n"));
}

const headers = [
  ["authorization", "Bearer plugin"],
  ["cookie", "a=b"],
  ["x-custom", "c"],
  ["accept", "text/plain"],
] as const;

test("only an allow-list of headers crosses an origin, and no secret does", async () => {
  await follow([{ status: 302, location: "https://a.trusted.com/x" }], async (lab, heads) => {
    const grant = lab.grant();
    const sent = await send(lab.broker.http(grant), "https://api.example.com/start", { headers });
    expect(sent).toMatchObject({ code: "allowed", body: "ok" });
    const [first = "", second = ""] = heads();
    expect(first).toContain(`x-api-key: ${SECRET}`);
    expect(first).toContain("authorization: Bearer plugin");
    expect(second).toContain("GET /x HTTP/1.1\r\nhost: a.trusted.com");
    expect(second).toContain("accept: text/plain");
    expect(second).not.toMatch(/authorization|cookie|x-custom|x-api-key|s3cr3t/);
  });
});

test("within an origin headers stay and the secret is inserted anew", async () => {
  await follow([{ status: 307, location: "/next?a=1" }], async (lab, heads) => {
    await send(lab.broker.http(lab.grant()), "https://api.example.com/start", { headers });
    const [, second = ""] = heads();
    expect(second).toContain("GET /next?a=1 HTTP/1.1");
    expect(second).toContain("authorization: Bearer plugin");
    expect(second.split(SECRET)).toHaveLength(2);
  });
});

test("what was dropped at an origin does not come back with the way back", async () => {
  const hops = [
    { status: 302, location: "https://a.trusted.com/" },
    { status: 302, location: "https://api.example.com/back" },
  ];
  await follow(hops, async (lab, heads) => {
    await send(lab.broker.http(lab.grant()), "https://api.example.com/start", { headers });
    expect(heads()[2]).toContain("GET /back");
    expect(heads()[2]).not.toContain("authorization");
  });
});

test.each([
  ["to metadata", "http://169.254.169.254/latest", "BROKER_HOST_NOT_GRANTED"],
  ["to clear text", "http://api.example.com/", "BROKER_URL_SCHEME"],
  ["with a backslash", "\\\\evil.com/", "BROKER_REDIRECT"],
  ["with user information", "https://api.example.com@evil.com/", "BROKER_URL_SYNTAX"],
  ["without a scheme to another host", "//evil.com/", "BROKER_HOST_NOT_GRANTED"],
  ["to a file", "file:///etc/passwd", "BROKER_URL_SCHEME"],
  ["that a parser would mend into a path", "https:/evil.com/", "BROKER_URL_SYNTAX"],
  ["that a parser would mend into an address", "https://127.1/", "BROKER_HOST_NAME"],
  ["without a scheme that a parser would mend", "//127.1/", "BROKER_HOST_NAME"],
  ["to another port", "https://api.example.com:8443/", "BROKER_PORT_NOT_GRANTED"],
])("a redirect %s is refused before anything is dialled for it", async (_name, location, code) => {
  await follow([{ status: 302, location }], async (lab) => {
    const sent = await send(lab.broker.http(lab.grant()), "https://api.example.com/start");
    expect(sent.code).toBe(code);
    expect(lab.dials).toHaveLength(1);
    expect(lab.lookUps).toEqual(["api.example.com"]);
    expect(lab.log.events.at(-1)?.event).toMatchObject({ kind: "network.response", code });
  });
});

test("a name that rebinds between two hops is refused at the second", async () => {
  const dns = { "api.example.com": [[PUBLIC_ADDRESS], ["127.0.0.1"]] };
  await follow(
    [{ status: 302, location: "/again" }],
    async (lab) => {
      const sent = await send(lab.broker.http(lab.grant()), "https://api.example.com/start");
      expect(sent.code).toBe("BROKER_ADDRESS_DENIED");
      expect(lab.dials).toEqual([`${PUBLIC_ADDRESS}:443`]);
    },
    dns,
  );
});

test("a circle of redirects ends at the limit", async () => {
  const circle = Array.from({ length: 50 }, () => ({ status: 302, location: "/" }));
  await follow(circle, async (lab, heads) => {
    const sent = await send(lab.broker.http(lab.grant()), "https://api.example.com/");
    expect(sent.code).toBe("BROKER_REDIRECT");
    expect(heads().length - 1).toBe(6);
  });
});

test.each([
  [303, "POST", "GET /b", ""],
  [302, "POST", "GET /b", ""],
  [307, "POST", "POST /b", "hello"],
  [308, "PUT", "PUT /b", "hello"],
  [303, "HEAD", "HEAD /b", ""],
] as const)("after a %i a %s becomes %s", async (status, method, line, body) => {
  await follow([{ status, location: "/b" }], async (lab, heads) => {
    const sent = await send(lab.broker.http(lab.grant()), "https://api.example.com/a", {
      method,
      headers: [["content-type", "text/plain"]],
      ...(method === "HEAD" ? {} : { body: Buffer.from("hello") }),
    });
    expect(sent.code).toBe("allowed");
    const text = heads().join("\r\n\r\n");
    const second = text.slice(text.lastIndexOf(line));
    expect(second).toMatch(new RegExp(`^${line} HTTP`));
    expect(second.includes("hello")).toBe(body !== "");
    expect(second.includes("content-type")).toBe(body !== "" || method === "HEAD");
  });
});

test("a body that was streamed cannot go out again", async () => {
  await follow([{ status: 307, location: "/b" }], async (lab) => {
    const sent = await send(lab.broker.http(lab.grant()), "https://api.example.com/a", {
      method: "POST",
      body: new Uint8Array(600_000),
    });
    expect(sent.code).toBe("BROKER_REDIRECT");
  });
});

test("a secret of the first request must not come back from where it redirected", async () => {
  await using server = await startRawServer((socket, nth) => {
    const [head, body] =
      nth === 1
        ? ["302 Found\r\nlocation: https://a.trusted.com/", ""]
        : ["200 OK", `the other server knows ${SECRET}`];
    socket.end(`HTTP/1.1 ${head}\r\ncontent-length: ${body.length}\r\n\r\n${body}`);
  }, identity);
  await using lab = createLab({
    policy: { network },
    dns: { "*": [[PUBLIC_ADDRESS]] },
    port: server.port,
    deps: { resolveSecret: async () => SECRET },
  });
  const sent = await send(lab.broker.http(lab.grant()), "https://api.example.com/");
  expect([sent.code, sent.body]).toEqual(["BROKER_SECRET_REFLECTED", undefined]);
  const [first = "", second = ""] = server.received().split("\r\n\r\n");
  expect([first.includes(SECRET), second.includes(SECRET)]).toEqual([true, false]);
});

test.each([200, 201, 300, 304, 305, 306, 399])(
  "a location beside status %i is not followed",
  async (status) => {
    await follow([{ status, location: "https://a.trusted.com/" }], async (lab) => {
      const sent = await send(lab.broker.http(lab.grant()), "https://api.example.com/");
      expect([sent.code, sent.status, lab.dials.length]).toEqual(["allowed", status, 1]);
    });
  },
);

test("nor does what is left of it, when the redirect comes after its end", async () => {
  const requests: string[] = [];
  await using server = await startHttpServer((request, response) => {
    requests.push(`${request.method} ${request.url}`);
    request.resume();
    request.on("end", () =>
      response.writeHead(request.url === "/a" ? 307 : 200, { location: "/b" }).end(),
    );
  });
  const insecure = { ...network, allowInsecureHttp: true, secrets: [] };
  await using lab = createLab({
    policy: { network: insecure },
    dns: { "*": [[PUBLIC_ADDRESS]] },
    port: server.port,
  });
  const sent = await send(lab.broker.http(lab.grant()), "http://api.example.com/a", {
    method: "POST",
    body: new Uint8Array(600_000),
  });
  expect([sent.code, requests]).toEqual(["BROKER_REDIRECT", ["POST /a"]]);
});
