/**
 * @module Connections to addresses that were checked, and to nothing else (DNS rebinding,
 * CWE-367): undici's connector asks here, the addresses come from the answer that was decided for
 * this exchange, and the peer of the connected socket is compared with the address asked for.
 */
import { type Socket, connect as connectTcp } from "node:net";
import type { Duplex } from "node:stream";
import { checkServerIdentity, connect as connectTls } from "node:tls";

import type { Clock } from "@glovebox/core/clock";
import { received } from "@glovebox/core/errors";
import type { buildConnector } from "undici";

import { BrokerError } from "../errors.ts";
import type { NetworkGrant } from "../grant/grant.ts";
import type { RevocationCell } from "../grant/revocation.ts";
import { isSameAddress, parseAddress } from "../target/address.ts";

/** A connected socket and the address at its other end. */
export interface Dialled {
  readonly socket: Duplex;
  readonly remoteAddress: string | undefined;
}

/** Connects to an address; `signal` ends an attempt that takes too long. */
export type Dial = (address: string, port: number, signal: AbortSignal) => Promise<Dialled>;

/** TCP by address: no name is looked up. */
export const dialTcp: Dial = (address, port, signal) =>
  new Promise((resolve, reject) => {
    const socket = connectTcp({ host: address, port, noDelay: true, signal });
    socket.once("error", reject);
    socket.once("connect", () => {
      socket.off("error", reject);
      resolve({ socket, remoteAddress: socket.remoteAddress });
    });
  });

/** Addresses that were decided for exchanges in progress. */
export interface CheckedAddresses {
  /** Adds an answer; the returned function takes it away when its exchange has ended. */
  hold(host: string, addresses: readonly string[]): () => void;
  addressesOf(host: string): readonly string[];
}

/** An empty set of checked addresses; bounded by the grant's concurrency. */
export function createCheckedAddresses(): CheckedAddresses {
  const held = new Map<string, (readonly string[])[]>();
  return {
    hold(host, addresses) {
      const answers = held.get(host) ?? [];
      answers.push(addresses);
      held.set(host, answers);
      return () => {
        answers.splice(answers.indexOf(addresses), 1);
        if (answers.length === 0) held.delete(host);
      };
    },
    // The newest answer: an older one may have been replaced for a reason.
    addressesOf: (host) => held.get(host)?.at(-1) ?? [],
  };
}

/** What a connector works with. */
export interface ConnectorContext {
  readonly grant: NetworkGrant;
  readonly checked: CheckedAddresses;
  readonly cell: RevocationCell;
  readonly clock: Clock;
  readonly dial: Dial;
}

/** An undici connector that dials checked addresses only. */
export function createConnector(context: ConnectorContext): buildConnector.connector {
  return (options, callback) => {
    void connectAndHand(context, options, callback);
  };
}

async function connectAndHand(
  context: ConnectorContext,
  options: buildConnector.Options,
  callback: buildConnector.Callback,
): Promise<void> {
  let socket: Duplex;
  try {
    socket = await connectChecked(context, options);
  } catch (error) {
    callback(error as Error, null);
    return;
  }
  callback(null, socket as Socket);
}

async function connectChecked(
  context: ConnectorContext,
  options: buildConnector.Options,
): Promise<Duplex> {
  const { grant, checked, cell, clock } = context;
  const host = options.hostname.replace(/^\[|\]$/g, "");
  const secure = options.protocol === "https:";
  const port = options.port === "" ? (secure ? 443 : 80) : Number(options.port);
  const timeout = new AbortController();
  using _timer = clock.setTimer(grant.limits.connectTimeoutMs, () => timeout.abort());
  let failure = new BrokerError("BROKER_ADDRESS_DENIED", {
    message: `no address of ${received(host)} was checked`,
  });
  for (const address of checked.addressesOf(host)) {
    if (cell.isRevoked) throw new BrokerError("BROKER_REVOKED");
    let socket: Duplex | undefined;
    try {
      socket = await dialChecked(context.dial, address, port, timeout.signal);
    } catch (error) {
      failure = coded(error, "BROKER_CONNECT", timeout.signal);
      if (failure.code !== "BROKER_CONNECT") break;
      continue;
    }
    try {
      const ready = secure ? await secured(socket, host, grant, timeout.signal) : socket;
      // Revoked while the handshake was under way: the socket is not handed out.
      if (!cell.isRevoked) return ready;
      ready.destroy();
      throw new BrokerError("BROKER_REVOKED");
    } catch (error) {
      socket.destroy();
      throw coded(error, "BROKER_TLS", timeout.signal);
    }
  }
  throw failure;
}

async function dialChecked(
  dial: Dial,
  address: string,
  port: number,
  signal: AbortSignal,
): Promise<Duplex> {
  const attempt = dial(address, port, signal);
  const dialled = await untilAborted(attempt, signal, (late) => late.socket.destroy());
  const asked = parseAddress(address);
  const reached = parseAddress(dialled.remoteAddress ?? "");
  if (asked === undefined || reached === undefined || !isSameAddress(asked, reached)) {
    dialled.socket.destroy();
    throw new BrokerError("BROKER_ADDRESS_DENIED", {
      message: `asked for ${received(address)}, connected to ${received(dialled.remoteAddress)}`,
    });
  }
  return dialled.socket;
}

function secured(
  socket: Duplex,
  host: string,
  grant: NetworkGrant,
  signal: AbortSignal,
): Promise<Duplex> {
  const isLiteral = parseAddress(host) !== undefined;
  const handshake = new Promise<Duplex>((resolve, reject) => {
    const secure = connectTls({
      socket,
      host,
      // Server Name Indication carries names only (RFC 6066 section 3).
      ...(isLiteral ? {} : { servername: host }),
      ALPNProtocols: ["http/1.1"],
      minVersion: "TLSv1.2",
      // Said explicitly, so that NODE_TLS_REJECT_UNAUTHORIZED cannot switch it off.
      rejectUnauthorized: true,
      checkServerIdentity: (name, certificate) =>
        // A common name is no identity (RFC 9525 section 6.3); Node.js still takes it as one.
        certificate.subjectaltname === undefined
          ? new Error("the certificate has no subject alternative name")
          : checkServerIdentity(name, certificate),
      ...(grant.certificateAuthorities === undefined
        ? {}
        : { ca: [...grant.certificateAuthorities] }),
    });
    secure.once("error", reject);
    secure.once("secureConnect", () => {
      secure.off("error", reject);
      if (secure.authorized) resolve(secure);
      else reject(secure.authorizationError);
    });
  });
  return untilAborted(handshake, signal, (late) => late.destroy());
}

/** The promise, or a rejection as soon as the signal aborts; what comes too late is disposed of. */
async function untilAborted<T>(
  promise: Promise<T>,
  signal: AbortSignal,
  dispose: (late: T) => void,
): Promise<T> {
  const { promise: aborted, reject } = Promise.withResolvers<never>();
  const onAbort = (): void => reject(new BrokerError("BROKER_TIMEOUT_CONNECT"));
  signal.addEventListener("abort", onAbort, { once: true });
  if (signal.aborted) onAbort();
  try {
    return await Promise.race([promise, aborted]);
  } catch (error) {
    if (signal.aborted) promise.then(dispose, () => undefined);
    throw error;
  } finally {
    signal.removeEventListener("abort", onAbort);
  }
}

function coded(
  error: unknown,
  code: "BROKER_CONNECT" | "BROKER_TLS",
  signal: AbortSignal,
): BrokerError {
  if (error instanceof BrokerError) return error;
  if (signal.aborted) return new BrokerError("BROKER_TIMEOUT_CONNECT", { cause: error });
  const why = error instanceof Error ? error.message : String(error);
  return new BrokerError(code, { message: why, cause: error });
}
