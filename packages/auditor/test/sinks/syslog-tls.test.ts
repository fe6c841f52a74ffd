/** Syslog over TLS (RFC 5425): events go to the receiver that the certificate names, or nowhere. */
import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { type AddressInfo, createServer as createTcpServer, type Socket } from "node:net";
import { join } from "node:path";
import { createServer, type TLSSocket, type TlsOptions } from "node:tls";

import { pluginDirectory } from "@glovebox/testkit";
import { createTestAuthority } from "@glovebox/testkit/servers";
import { describe, expect, test } from "vitest";

import { createSyslogSink } from "#src/sinks/syslog";

import { HOSTILE, NEVER, sentEvent } from "./sent-event.ts";

const AUTHORITY = createTestAuthority();

interface Receiver extends AsyncDisposable {
  readonly port: number;
  text(): string;
  protocols(): readonly (string | null)[];
  /** Whom the certificates of the clients name. */
  clients(): readonly unknown[];
}

async function receiver(options: TlsOptions): Promise<Receiver> {
  const chunks: Buffer[] = [];
  const sockets: TLSSocket[] = [];
  const server = createServer(options, (socket) => {
    sockets.push(socket);
    socket.on("data", (chunk: Buffer) => chunks.push(chunk));
    socket.on("error", () => undefined);
  });
  server.on("tlsClientError", () => undefined);
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return {
    port: (server.address() as AddressInfo).port,
    text: () => Buffer.concat(chunks).toString(),
    clients: () => sockets.map((socket) => socket.getPeerCertificate().subject.CN),
    protocols: () => sockets.map((socket) => socket.getProtocol()),
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy();
      server.close();
      await once(server, "close");
    },
  };
}

describe("syslog over TLS", () => {
  test.each(["localhost", "127.0.0.1"])(
    "sends octet-counted messages, encrypted, to %s",
    async (host) => {
      await using to = await receiver(AUTHORITY.issue());
      const tls = { ca: AUTHORITY.ca };
      await using sink = createSyslogSink({ host, port: to.port, tls, hostName: "h" });
      const batch = [sentEvent({}, 1), sentEvent({ error: HOSTILE }, 2, HOSTILE)];
      expect(await sink.send(batch, NEVER)).toEqual({ rejected: 0 });
      await expect.poll(() => to.text()).toContain('index="2"');
      const [length = "", rest = ""] = to.text().split(/ (.*)/s);
      const first = Buffer.from(rest).subarray(0, Number(length)).toString();
      expect(first).toMatch(/^<108>1 .*"v":1\}$/);
      expect(to.text().replaceAll("\ufeff", "")).not.toMatch(
        /[\p{Cc}\p{Zl}\p{Zp}\p{Bidi_Control}]/u,
      );
      expect(to.protocols()[0]).toMatch(/^TLSv1\.[23]$/);
    },
  );

  test.each(["expired", "not-yet-valid", "wrong-name", "self-signed"] as const)(
    "sends nothing to a receiver whose certificate is %s",
    async (kind) => {
      await using to = await receiver(AUTHORITY.issue({ kind }));
      const tls = { ca: AUTHORITY.ca };
      await using sink = createSyslogSink({ host: "localhost", port: to.port, tls });
      await expect(sink.send([sentEvent()], NEVER)).rejects.toMatchObject({
        code: expect.stringMatching(/CERT|ALTNAME|SELF_SIGNED/),
      });
      expect(to.text()).toBe("");
    },
  );

  test("trusts nobody but the authorities that it was given", async () => {
    await using to = await receiver(createTestAuthority().issue());
    const tls = { ca: AUTHORITY.ca };
    await using sink = createSyslogSink({ host: "localhost", port: to.port, tls });
    await expect(sink.send([sentEvent()], NEVER)).rejects.toMatchObject({
      code: expect.stringMatching(/CERT|ISSUER|SIGNATURE/),
    });
    expect(to.text()).toBe("");
  });

  describe.each(["TLSv1.2", "TLSv1.3"] as const)(
    "to a receiver that asks who sends, by %s",
    (version) => {
      const asking = (): TlsOptions => ({
        ...AUTHORITY.issue(),
        ca: AUTHORITY.ca,
        requestCert: true,
        rejectUnauthorized: true,
        maxVersion: version,
      });

      test("sends with its certificate", async () => {
        await using to = await receiver(asking());
        const tls = { ca: AUTHORITY.ca, ...AUTHORITY.issue({ names: ["host.example"] }) };
        await using sink = createSyslogSink({ host: "localhost", port: to.port, tls });
        expect(await sink.send([sentEvent({}, 7)], NEVER)).toEqual({ rejected: 0 });
        await expect.poll(() => to.text(), { timeout: 10_000 }).toContain('index="7"');
        expect(to.clients()).toEqual(["host.example"]);
        expect(to.protocols()).toEqual([version]);
      });

      // By TLS 1.3 a client has connected before the server has looked at its certificate.
      test.each([
        ["none", () => ({})],
        ["another authority's", () => createTestAuthority().issue()],
      ])("takes nothing for sent with %s", async (_, certificate) => {
        await using to = await receiver(asking());
        const tls = { ca: AUTHORITY.ca, ...certificate() };
        await using sink = createSyslogSink({ host: "localhost", port: to.port, tls });
        for (let again = 0; again < 2; again += 1) {
          await expect(sink.send([sentEvent()], NEVER)).rejects.toBeInstanceOf(Error);
        }
        expect(to.text()).toBe("");
      });
    },
  );

  test.skipIf(spawnSync("openssl", ["version"]).status !== 0)(
    "sends to a receiver that gives no ticket (skipped where openssl is not installed)",
    async () => {
      await using files = await pluginDirectory({ ...AUTHORITY.issue() });
      const [cert, key] = ["cert", "key"].map((name) => join(files.path, name));
      const options = ["-accept", "127.0.0.1:0", "-num_tickets", "0", "-cert", cert, "-key", key];
      const server = spawn("openssl", ["s_server", ...options.map(String)]);
      let text = "";
      server.stdout.on("data", (chunk: Buffer) => (text += chunk.toString()));
      const ended = once(server, "exit");
      try {
        await expect.poll(() => text, { timeout: 10_000 }).toMatch(/ACCEPT \S+:\d+/);
        const port = Number(/ACCEPT \S+:(\d+)/.exec(text)?.[1]);
        await using sink = createSyslogSink({ host: "localhost", port, tls: { ca: AUTHORITY.ca } });
        expect(await sink.send([sentEvent({}, 7)], NEVER)).toEqual({ rejected: 0 });
        await expect.poll(() => text, { timeout: 10_000 }).toContain('index="7"');
      } finally {
        server.kill("SIGKILL");
        await ended;
      }
    },
  );

  test("ends with its signal at a receiver that never greets", async () => {
    const sockets: Socket[] = [];
    const mute = createTcpServer((socket) => {
      sockets.push(socket);
      socket.on("error", () => undefined);
    }).listen(0, "127.0.0.1");
    await once(mute, "listening");
    const { port } = mute.address() as AddressInfo;
    await using sink = createSyslogSink({ host: "localhost", port, tls: { ca: AUTHORITY.ca } });
    const ending = new AbortController();
    const sending = sink.send([sentEvent()], ending.signal);
    setImmediate(() => ending.abort());
    await expect(sending).rejects.toThrow("aborted");
    for (const socket of sockets) socket.destroy();
    mute.close();
  });
});
