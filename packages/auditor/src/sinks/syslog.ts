/**
 * @module Syslog: RFC 5424 messages over TCP or TLS with octet counting (RFC 6587 section 3.4.1,
 * RFC 5425 section 4.3), which is the only framing that a line feed in a message cannot break. Syslog
 * has no acknowledgement: what the kernel took may still be lost with the connection, so that a batch
 * during which it broke is sent again.
 */
import { once } from "node:events";
import { connect as connectTcp, isIP, type Socket } from "node:net";
import { hostname } from "node:os";
import { connect as connectTls, type ConnectionOptions, TLSSocket } from "node:tls";

import { encodeLogLine } from "@glovebox/core/encode";

import { SYSLOG_ACCEPT_MS } from "../limits.ts";
import { severityOf } from "./severity.ts";
import type { Sink, SinkEvent } from "./sink.ts";

/** Where the receiver is. */
export interface SyslogOptions {
  /** Names the sink in the log, and its position. Default: that of the protocol. */
  readonly name?: string;
  /** Name or address of the receiver. */
  readonly host: string;
  /** Default: 6514 with TLS, 601 without. */
  readonly port?: number;
  /** Options of the TLS connection; `false` is a loosening: events go over the network in the clear. */
  readonly tls: ConnectionOptions | false;
  /** HOSTNAME of each message. Default: the machine's. */
  readonly hostName?: string;
  /** 0–23. Default 13, "log audit". */
  readonly facility?: number;
}

const BYTE_ORDER_MARK = "\ufeff";
const APP_NAME = "glovebox";
/** SD-ID with the private enterprise number that RFC 5612 keeps for documentation and examples. */
const STRUCTURED_DATA_ID = "audit@32473";

/** Sends events as syslog messages. */
export function createSyslogSink(options: SyslogOptions): Sink {
  const { name = "syslog", hostName = hostname(), facility = 13 } = options;
  let socket: Socket | undefined;

  async function connected(signal: AbortSignal): Promise<Socket> {
    if (socket !== undefined && !socket.destroyed && socket.writable) return socket;
    const opening = open(options);
    const stop = (): void => void opening.destroy(new Error("aborted"));
    signal.addEventListener("abort", stop, { once: true });
    try {
      await once(opening, opening instanceof TLSSocket ? "secureConnect" : "connect");
      // What a receiver says back means nothing in this protocol; unread it would fill a buffer.
      opening.resume();
      if (opening instanceof TLSSocket) await accepted(opening);
    } finally {
      signal.removeEventListener("abort", stop);
    }
    opening.on("error", () => undefined);
    socket = opening;
    return opening;
  }

  return {
    name,
    async send(batch, signal) {
      const to = await connected(signal);
      signal.throwIfAborted();
      const frames = batch.map((event) => frameOf(messageOf(event, hostName, facility)));
      await new Promise<void>((resolve, reject) => {
        const stop = (): void => void to.destroy(new Error("aborted"));
        signal.addEventListener("abort", stop, { once: true });
        to.write(Buffer.concat(frames), (error) => {
          signal.removeEventListener("abort", stop);
          if (error === null || error === undefined) resolve();
          else reject(error);
        });
      });
      return { rejected: 0 };
    },
    async [Symbol.asyncDispose]() {
      const last = socket;
      if (last === undefined || last.destroyed) return;
      await new Promise<void>((resolve) => {
        last.once("close", () => resolve());
        last.end();
        last.destroySoon();
      });
    },
  };
}

/**
 * By TLS 1.3 (RFC 8446 section 2) a client has connected before the server has seen its certificate,
 * and what it sends to a server that then refuses it is lost without a word. Servers show that they
 * are content by a session's ticket; with one that gives none, a refusal has come by the time limit.
 */
async function accepted(opening: TLSSocket): Promise<void> {
  if (opening.getProtocol() !== "TLSv1.3") return;
  const limit = AbortSignal.timeout(SYSLOG_ACCEPT_MS);
  const done = new AbortController();
  const { signal } = done;
  try {
    await Promise.race([
      once(opening, "session", { signal }),
      once(opening, "close", { signal }).then(() => {
        throw new Error("the receiver closed the connection before it took anything");
      }),
      once(limit, "abort", { signal }),
    ]);
  } finally {
    done.abort();
  }
}

function open({ host, port, tls }: SyslogOptions): Socket {
  if (tls === false) return connectTcp({ host, port: port ?? 601 });
  // RFC 6066 section 3: no address as a server name.
  const named = isIP(host) === 0 ? { servername: host } : {};
  return connectTls({ host, port: port ?? 6514, ...named, ...tls });
}

/** `LENGTH SP MESSAGE`, the length in octets. */
function frameOf(message: string): Buffer {
  const bytes = Buffer.from(message);
  return Buffer.concat([Buffer.from(`${bytes.length} `, "latin1"), bytes]);
}

/** RFC 5424 section 6. All text of the event may be a plugin's. */
export function messageOf(sent: SinkEvent, hostName: string, facility: number): string {
  const { event, origin, index, class: kept, json } = sent;
  const priority = facility * 8 + severityOf(event).syslog;
  const time = new Date(event.time).toISOString();
  const head = `<${priority}>1 ${time} ${headerField(hostName, 255)} ${APP_NAME} - ${headerField(event.kind, 32)}`;
  const parameters = [
    ["origin", origin],
    ["index", String(index)],
    ["class", kept],
    ["plugin", event.pluginId],
    ["code", event.code],
    ["success", String(event.success)],
  ].flatMap(([name, value]) => (value === undefined ? [] : [` ${name}="${parameter(value)}"`]));
  return `${head} [${STRUCTURED_DATA_ID}${parameters.join("")}] ${BYTE_ORDER_MARK}${encodeLogLine(json)}`;
}

/** PRINTUSASCII, without spaces; what is left of nothing is the nil value. */
function headerField(text: string, max: number): string {
  const printable = text.replace(/[^\x21-\x7e]/g, "").slice(0, max);
  return printable === "" ? "-" : printable;
}

/** PARAM-VALUE: UTF-8 with `"`, `\` and `]` escaped (section 6.3.3). */
function parameter(text: string): string {
  return encodeLogLine(text).replace(/["\\\]]/g, (character) => `\\${character}`);
}
