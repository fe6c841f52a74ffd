/**
 * @module A dial through an HTTP proxy, where a host reaches the outside in no other way. The proxy is
 * asked for the address that was checked (CONNECT, RFC 9110 section 9.3.6), never for a name: what a
 * name means stays decided here, and TLS with its checks runs inside the tunnel.
 */
import { request as requestTunnel } from "node:http";
import { isIPv6 } from "node:net";

import { BrokerError } from "../errors.ts";
import type { Dial } from "./dial.ts";

/** Where the proxy listens, and what it is told about us. */
export interface ProxyOptions {
  /** Name or address; it is the host's own choice and not checked against any grant. */
  readonly host: string;
  /** TCP port. */
  readonly port: number;
  /** `Proxy-Authorization`, such as `Basic …`; default: none. */
  readonly authorization?: string;
}

/** Bytes of the proxy's answer. */
const MAX_ANSWER_BYTES = 8_192;

/**
 * A `dial` for the broker's `deps`. That the tunnel ends at the asked address is the proxy's word:
 * the comparison of the connected peer cannot see beyond it.
 *
 * @example
 * ```ts
 * import { createBroker } from "@glovebox/capability-broker";
 * import { dialThroughProxy } from "@glovebox/capability-broker/network";
 * import type { DecisionLog } from "@glovebox/core/ports";
 *
 * declare const log: DecisionLog;
 * const dial = dialThroughProxy({ host: "proxy.example.com", port: 3128 });
 * const broker = createBroker({ log }, { dial });
 * ```
 */
export function dialThroughProxy({ host, port, authorization }: ProxyOptions): Dial {
  return (address, targetPort, signal) => {
    const target = `${isIPv6(address) ? `[${address}]` : address}:${targetPort}`;
    const { promise, resolve, reject } = Promise.withResolvers<Awaited<ReturnType<Dial>>>();
    const tunnel = requestTunnel({
      host,
      port,
      method: "CONNECT",
      path: target,
      headers: {
        host: target,
        ...(authorization === undefined ? {} : { "proxy-authorization": authorization }),
      },
      // A pooled connection could have been spoken on before.
      agent: false,
      maxHeaderSize: MAX_ANSWER_BYTES,
      signal,
    });
    const refuse = (message: string): void => {
      tunnel.destroy();
      reject(new BrokerError("BROKER_CONNECT", { message }));
    };
    tunnel.once("error", reject);
    tunnel.once("response", ({ statusCode }) => refuse(`the proxy answered ${statusCode}`));
    tunnel.once("connect", ({ statusCode = 0 }, socket, early) => {
      tunnel.off("error", reject);
      if (statusCode < 200 || statusCode > 299 || early.length > 0) {
        socket.destroy();
        // Bytes before we said anything are no answer of the server that was asked for.
        refuse(`the proxy answered ${statusCode} with ${early.length} bytes behind its head`);
      } else resolve({ socket, remoteAddress: address });
    });
    tunnel.end();
    return promise;
  };
}
