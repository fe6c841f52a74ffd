/**
 * @module The connections of one grant: one undici Client for each, so that every exchange knows its
 * socket. No other grant's requests go over them (TLS sessions, pins and revocation are a grant's
 * own), and a kept one serves again only if its peer is in the answer that was just checked.
 */
import type { Socket } from "node:net";
import type { Duplex } from "node:stream";

import { type buildConnector, Client, type Dispatcher } from "undici";

import { BrokerError } from "../errors.ts";
import { KEEP_ALIVE_MS } from "../limits.ts";
import { connectChecked, type DialContext, type DialTarget, type ReadySocket } from "./dial.ts";

/** A connection that serves one exchange at a time. */
export interface Connection {
  /** The checked address at its other end; absent before it is connected. */
  readonly address: string | undefined;
  /** Clear-text bytes that the parser has taken since this exchange got the connection. */
  readonly takenBytes: number;
  dispatch(
    options: Omit<Dispatcher.DispatchOptions, "origin">,
    handler: Dispatcher.DispatchHandler,
    onReadable: () => void,
  ): void;
  /** Gives it back; broken ones are destroyed. */
  release(isWhole: boolean): void;
}

/** The connections of one grant. */
export interface Connections {
  take(target: DialTarget): Connection;
  destroy(error: BrokerError): void;
}

interface Kept extends Connection {
  readonly origin: string;
  readonly client: Client;
  /** Makes it ready for another exchange; false = it cannot serve this one. */
  renew(target: DialTarget): boolean;
}

/** No connections yet; at most `maxIdle` are kept. */
export function createConnections(context: DialContext, maxIdle: number): Connections {
  const all = new Set<Kept>();
  const idle: Kept[] = [];

  function drop(kept: Kept, error: BrokerError): void {
    all.delete(kept);
    const at = idle.indexOf(kept);
    if (at >= 0) idle.splice(at, 1);
    kept.client.destroy(error).catch(() => undefined);
  }

  function open(origin: string, first: DialTarget): Kept {
    let target = first;
    let socket: Duplex | undefined;
    let address: string | undefined;
    let base = 0;
    let onReadable: (() => void) | undefined;
    const hand = async (callback: buildConnector.Callback): Promise<void> => {
      let ready: ReadySocket;
      try {
        ready = await connectChecked(context, target);
      } catch (error) {
        callback(error as Error, null);
        return;
      }
      ({ socket, address } = ready);
      base = takenOf(socket);
      // Asked once the parser, whose listener comes later, has taken what is there.
      socket.on("readable", () => onReadable !== undefined && queueMicrotask(onReadable));
      callback(null, socket as Socket);
    };
    const client = new Client(origin, {
      connect: (_options, callback) => void hand(callback),
      allowH2: false,
      pipelining: 1,
      maxHeaderSize: context.grant.limits.maxHeadBytes,
      keepAliveTimeout: KEEP_ALIVE_MS,
      keepAliveMaxTimeout: KEEP_ALIVE_MS,
      // Time is kept by the exchange, on the injected clock.
      headersTimeout: 0,
      bodyTimeout: 0,
    });
    const kept: Kept = {
      origin,
      client,
      get address() {
        return address;
      },
      get takenBytes() {
        return socket === undefined ? 0 : takenOf(socket) - base;
      },
      renew(next) {
        target = next;
        if (socket?.destroyed !== false || address === undefined) return false;
        if (!next.addresses.includes(address)) return false;
        base = takenOf(socket);
        return true;
      },
      dispatch(options, handler, readable) {
        onReadable = readable;
        client.dispatch({ ...options, origin }, handler);
      },
      release(isWhole) {
        onReadable = undefined;
        if (!all.has(kept)) return;
        if (!isWhole || socket?.destroyed !== false) return drop(kept, closed());
        idle.push(kept);
        const [oldest] = idle;
        if (idle.length > maxIdle && oldest !== undefined) drop(oldest, closed());
      },
    };
    client.on("disconnect", () => idle.includes(kept) && drop(kept, closed()));
    all.add(kept);
    return kept;
  }

  return {
    take(target) {
      const host = target.host.includes(":") ? `[${target.host}]` : target.host;
      const origin = `${target.scheme}://${host}:${target.port}`;
      for (let at = idle.length - 1; at >= 0; at -= 1) {
        const kept = idle[at];
        if (kept?.origin !== origin) continue;
        idle.splice(at, 1);
        if (kept.renew(target)) return kept;
        drop(kept, closed());
      }
      return open(origin, target);
    },
    destroy(error) {
      for (const kept of all) drop(kept, error);
    },
  };
}

/** What was read from the socket, without what still waits in it for the parser. */
function takenOf(socket: Duplex): number {
  const read: unknown = Reflect.get(socket, "bytesRead");
  return (typeof read === "number" ? read : 0) - socket.readableLength;
}

function closed(): BrokerError {
  return new BrokerError("BROKER_CONNECT", { message: "the connection was closed" });
}
