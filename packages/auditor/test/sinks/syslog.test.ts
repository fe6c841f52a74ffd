import { once } from "node:events";
import { createServer, type AddressInfo, type Server, type Socket } from "node:net";

import { describe, expect, test } from "vitest";

import { createSyslogSink } from "#src/sinks/syslog";

import { HOSTILE, NEVER, sentEvent } from "./sent-event.ts";

interface Receiver extends AsyncDisposable {
  readonly port: number;
  readonly sockets: Socket[];
  /** Everything that came, in order of arrival. */
  bytes(): Buffer;
}

async function receiver(): Promise<Receiver> {
  const sockets: Socket[] = [];
  const chunks: Buffer[] = [];
  const server: Server = createServer((socket) => {
    sockets.push(socket);
    socket.on("data", (chunk: Buffer) => chunks.push(chunk));
    socket.on("error", () => undefined);
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return {
    port: (server.address() as AddressInfo).port,
    sockets,
    bytes: () => Buffer.concat(chunks),
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy();
      server.close();
      await once(server, "close");
    },
  };
}

/** Takes frames apart as RFC 6587 section 3.4.1 says; throws for what is no frame. */
function framesOf(bytes: Buffer): readonly string[] {
  const frames: string[] = [];
  let at = 0;
  while (at < bytes.length) {
    const match = /^([1-9]\d{0,8}) /.exec(bytes.toString("latin1", at, at + 10));
    if (match === null) throw new Error(`no frame at ${at}`);
    const [head, length] = match;
    at += head.length;
    frames.push(bytes.toString("utf8", at, at + Number(length)));
    at += Number(length);
  }
  return frames;
}

/** RFC 5424 section 6: what a strict reader takes. */
const MESSAGE =
  /^<(\d{1,3})>1 (\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z) ([\x21-\x7e]{1,255}) ([\x21-\x7e]{1,48}) - ([\x21-\x7e]{1,32}) (\[[^ \]=]+(?: [^ \]=]+="(?:[^"\\\]]|\\["\\\]])*")*\]) \ufeff([^\n\r]*)$/u;

const OPTIONS = { host: "127.0.0.1", tls: false as const, hostName: "host.example" };

describe("syslog over TCP", () => {
  test("frames each message by its octets, whatever it says", async () => {
    await using to = await receiver();
    await using sink = createSyslogSink({ ...OPTIONS, port: to.port });
    const batch = [
      sentEvent({}, 1),
      sentEvent({ error: HOSTILE, code: HOSTILE, rule: "ü€😀" }, 2, HOSTILE),
      sentEvent({ kind: "violation" }, 3),
    ];
    expect(await sink.send(batch, NEVER)).toEqual({ rejected: 0 });
    await expect.poll(() => framesOf(to.bytes()).length).toBe(3);
    const matches = framesOf(to.bytes()).map((frame) => MESSAGE.exec(frame));
    expect(matches.map((match) => match?.[1])).toEqual(["108", "108", "106"]);
    expect(matches[0]?.[2]).toBe("2026-11-26T21:40:00.007Z");
    expect(matches[0]?.[6]).toBe(
      '[audit@32473 origin="host.example/security" index="1" class="security" success="false"]',
    );
    expect(JSON.parse(matches[0]?.[7] ?? "")).toEqual(batch[0]?.event);
  });

  test("has no byte on the wire that acts on a terminal, and no forged line", async () => {
    await using to = await receiver();
    await using sink = createSyslogSink({ ...OPTIONS, port: to.port });
    await sink.send([sentEvent({ error: HOSTILE }, 1, HOSTILE)], NEVER);
    await expect.poll(() => to.bytes().length).toBeGreaterThan(0);
    const text = to.bytes().toString().replace("\ufeff", "");
    expect(text).not.toMatch(/[\p{Cc}\p{Zl}\p{Zp}\p{Bidi_Control}\ufeff]/u);
    expect(framesOf(to.bytes())).toHaveLength(1);
  });

  test("has a header of printable ASCII, whatever the machine is called", async () => {
    await using to = await receiver();
    await using sink = createSyslogSink({ ...OPTIONS, hostName: "h ö\nst\u0085", port: to.port });
    await sink.send([sentEvent({}, 1)], NEVER);
    await expect.poll(() => framesOf(to.bytes()).length).toBe(1);
    expect(MESSAGE.exec(framesOf(to.bytes())[0] ?? "")?.[3]).toBe("hst");
  });

  test("rejects while nobody listens, and sends once somebody does", async () => {
    const gone = await receiver();
    const { port } = gone;
    await gone[Symbol.asyncDispose]();
    await using sink = createSyslogSink({ ...OPTIONS, port });
    await expect(sink.send([sentEvent()], NEVER)).rejects.toThrow("ECONNREFUSED");
  });

  test("connects again after the receiver has closed", async () => {
    await using to = await receiver();
    await using sink = createSyslogSink({ ...OPTIONS, port: to.port });
    await sink.send([sentEvent({}, 1)], NEVER);
    await expect.poll(() => to.sockets.length).toBe(1);
    to.sockets[0]?.destroy();
    await expect
      .poll(async () => {
        await sink.send([sentEvent({}, 2)], NEVER).catch(() => undefined);
        return to.sockets.length;
      })
      .toBeGreaterThan(1);
    await expect
      .poll(() => framesOf(to.bytes()).some((frame) => frame.includes('index="2"')))
      .toBe(true);
  });

  test("ends with its signal while a receiver does not read", async () => {
    await using to = await receiver();
    await using sink = createSyslogSink({ ...OPTIONS, port: to.port });
    await sink.send([sentEvent()], NEVER);
    await expect.poll(() => to.sockets.length).toBe(1);
    to.sockets[0]?.pause();
    const ending = new AbortController();
    const large = Array.from({ length: 256 }, (_, n) =>
      sentEvent({ error: "x".repeat(60_000) }, n),
    );
    const sending = sink.send(large, ending.signal);
    setImmediate(() => ending.abort());
    await expect(sending).rejects.toThrow(/abort|ECANCELED/i);
  });
});
