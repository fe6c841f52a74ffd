/**
 * @module Connections to addresses that were checked, and to nothing else (DNS rebinding,
 * CWE-367): the addresses come from the answer that was decided for this exchange, and the peer of
 * the connected socket is compared with the address asked for.
 */
import { createHash } from "node:crypto";
import { connect as connectTcp } from "node:net";
import type { Duplex } from "node:stream";
import {
  checkServerIdentity,
  connect as connectTls,
  createSecureContext,
  type SecureContext,
  type TLSSocket,
} from "node:tls";

import type { Clock } from "@glovebox/core/clock";
import { received } from "@glovebox/core/errors";

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

/** What connections are made with. */
export interface DialContext {
  readonly grant: NetworkGrant;
  readonly cell: RevocationCell;
  readonly clock: Clock;
  readonly dial: Dial;
}

/** Where a connection goes: a name and the addresses that were checked for it. */
export interface DialTarget {
  readonly scheme: "http" | "https";
  /** Without brackets. */
  readonly host: string;
  readonly port: number;
  readonly addresses: readonly string[];
}

/** A socket that is ready for a request. */
export interface ReadySocket {
  readonly socket: Duplex;
  /** The checked address at its other end. */
  readonly address: string;
}

/**
 * Connects to the first checked address that answers; TLS is complete and the key pinned.
 *
 * @throws {@link BrokerError} for whatever stands in the way.
 */
export async function connectChecked(
  context: DialContext,
  { scheme, host, port, addresses }: DialTarget,
): Promise<ReadySocket> {
  const { grant, cell, clock } = context;
  const timeout = new AbortController();
  using _timer = clock.setTimer(grant.limits.connectTimeoutMs, () => timeout.abort());
  let failure = new BrokerError("BROKER_ADDRESS_DENIED", {
    message: `no address of ${received(host)} was checked`,
  });
  for (const address of addresses) {
    if (cell.endedBy !== undefined) throw new BrokerError(cell.endedBy);
    let socket: Duplex | undefined;
    try {
      socket = await dialChecked(context.dial, address, port, timeout.signal);
    } catch (error) {
      failure = coded(error, "BROKER_CONNECT", timeout.signal);
      if (failure.code !== "BROKER_CONNECT") break;
      continue;
    }
    try {
      const ready =
        scheme === "https" ? await secured(socket, host, grant, timeout.signal) : socket;
      // Revoked while the handshake was under way: the socket is not handed out.
      if (cell.endedBy === undefined) return { socket: ready, address };
      ready.destroy();
      throw new BrokerError(cell.endedBy);
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
      secureContext: secureContextOf(grant),
      // Said explicitly, so that NODE_TLS_REJECT_UNAUTHORIZED cannot switch it off.
      rejectUnauthorized: true,
      checkServerIdentity: (name, certificate) =>
        // A common name is no identity (RFC 9525 section 6.3); Node.js still takes it as one.
        certificate.subjectaltname === undefined
          ? new Error("the certificate has no subject alternative name")
          : checkServerIdentity(name, certificate),
    });
    secure.once("error", reject);
    secure.once("secureConnect", () => {
      secure.off("error", reject);
      if (!secure.authorized) reject(secure.authorizationError);
      // After every handshake: checkServerIdentity is not asked when a session is resumed.
      else if (!isPinned(secure, grant.pins)) reject(new BrokerError("BROKER_TLS_PIN"));
      else resolve(secure);
    });
  });
  return untilAborted(handshake, signal, (late) => late.destroy());
}

const contexts = new WeakMap<NetworkGrant, SecureContext>();

/** One for a grant: reading the authorities takes longer than a handshake. */
function secureContextOf(grant: NetworkGrant): SecureContext {
  let context = contexts.get(grant);
  if (context === undefined) {
    const { certificateAuthorities: ca, revocationLists: crl } = grant;
    context = createSecureContext({
      minVersion: "TLSv1.2",
      // What the environment adds to the system's authorities does not count where the policy names its own.
      ...(ca === undefined ? {} : { ca: [...ca] }),
      ...(crl === undefined ? {} : { crl: [...crl] }),
    });
    contexts.set(grant, context);
  }
  return context;
}

/** Whether the server's public key is in every list (RFC 7469 section 2.4). */
function isPinned(socket: TLSSocket, lists: NetworkGrant["pins"]): boolean {
  if (lists.length === 0) return true;
  const key = socket.getPeerX509Certificate()?.publicKey.export({ type: "spki", format: "der" });
  if (key === undefined) return false;
  const digest = createHash("sha256").update(key).digest("base64");
  return lists.every((list) => list.includes(digest));
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
