/**
 * @module What went over the wire, shaped as an entry of HTTP Archive 1.2, for evidence and for
 * debugging. Bodies are counted and not kept; values of headers that carry credentials, and those
 * that the broker inserted, are left out.
 */
import type { Clock } from "@glovebox/core/clock";
import type { GrantId, PluginId } from "@glovebox/core/ids";
import type { CallScope } from "@glovebox/core/ports";

import { MAX_RECORDED_ENTRIES } from "../limits.ts";
import type { HopEnd } from "./exchange.ts";

/** Takes records; it cannot refuse, and what it throws is ignored. */
export type TrafficSink = (record: TrafficRecord) => void;

/** A header as it was sent, or with a note in place of its value. */
export interface TrafficHeader {
  readonly name: string;
  readonly value: string;
}

/** One request and its response; times in milliseconds, -1 = did not come to it (HAR 1.2). */
export interface TrafficRecord {
  readonly startedDateTime: string;
  readonly time: number;
  readonly request: {
    readonly method: string;
    readonly url: string;
    readonly httpVersion: "HTTP/1.1";
    readonly headers: readonly TrafficHeader[];
    readonly bodySize: number;
  };
  readonly response: {
    /** 0 = none came. */
    readonly status: number;
    readonly statusText: string;
    readonly httpVersion: "HTTP/1.1";
    readonly headers: readonly TrafficHeader[];
    readonly content: {
      readonly size: number;
      readonly compression: number;
      readonly mimeType: string;
    };
    readonly redirectURL: string;
    readonly bodySize: number;
  };
  readonly serverIPAddress: string;
  readonly timings: { readonly dns: number; readonly wait: number; readonly receive: number };
  readonly _pluginId: PluginId;
  readonly _grantId: GrantId;
  readonly _callId: string;
  /** The code that ended it early. */
  readonly _error?: string;
}

const CREDENTIALS = /^(?:authorization|cookie|set-cookie|x-api-key|proxy-.*|.*token.*|.*secret.*)$/;

/** The record of one request. */
export function trafficRecord(
  { pluginId, grantId }: { readonly pluginId: PluginId; readonly grantId: GrantId },
  { callId }: CallScope,
  end: HopEnd,
  clock: Clock,
): TrafficRecord {
  const { hop, head, code, wireBytes, decodedBytes, requestBytes } = end;
  const [dnsMs, connectMs] = hop.lookUpMs;
  const inserted = hop.secrets.map(({ name, header }): TrafficHeader => {
    return { name: header, value: `(the secret ${name})` };
  });
  const nowMs = clock.monotonicMs();
  return {
    startedDateTime: new Date(clock.wallMs() - (nowMs - dnsMs)).toISOString(),
    time: end.endedMs - dnsMs,
    request: {
      method: hop.target.method,
      url: hop.target.href,
      httpVersion: "HTTP/1.1",
      headers: [...shown(hop.headers), ...inserted],
      bodySize: requestBytes,
    },
    response: {
      status: head?.status ?? 0,
      statusText: code === "BROKER_SECRET_REFLECTED" ? "" : (head?.statusText ?? ""),
      httpVersion: "HTTP/1.1",
      headers: code === "BROKER_SECRET_REFLECTED" ? [] : shown(head?.headers ?? []),
      content: {
        size: decodedBytes,
        compression: decodedBytes - wireBytes,
        mimeType: valueOf(head?.headers, "content-type"),
      },
      redirectURL: code === "BROKER_SECRET_REFLECTED" ? "" : valueOf(head?.headers, "location"),
      bodySize: wireBytes,
    },
    serverIPAddress: end.serverAddress ?? "",
    timings: {
      dns: connectMs - dnsMs,
      wait: end.headMs === undefined ? -1 : end.headMs - end.startedMs,
      receive: end.headMs === undefined ? -1 : end.endedMs - end.headMs,
    },
    _pluginId: pluginId,
    _grantId: grantId,
    _callId: callId,
    ...(code === undefined ? {} : { _error: code }),
  };
}

function shown(pairs: readonly (readonly [string, string])[]): readonly TrafficHeader[] {
  return pairs
    .slice(0, MAX_RECORDED_ENTRIES * 8)
    .map(([name, value]) => ({ name, value: CREDENTIALS.test(name) ? "(left out)" : value }));
}

function valueOf(pairs: readonly (readonly [string, string])[] = [], wanted: string): string {
  return pairs.find(([name]) => name === wanted)?.[1] ?? "";
}
