/**
 * @module The example's source of exchange rates: a server on a loopback address of its own, because
 * the host's own addresses are out of every plugin's reach. Invented figures, and always the same.
 */
import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";

import { KEEP_ALIVE_TIMEOUT_MS, MAX_CONNECTIONS } from "../limits.ts";

/** All of 127.0.0.0/8 is loopback on Linux, and only 127.0.0.1 an address of the host. */
export const SOURCE_ADDRESS = "127.0.0.2";
/** The ports that the plugin asks for in its manifest: the first that is free. */
const PORTS = [8790, 8791, 8792, 8793];

const TABLE = JSON.stringify({
  base: "EUR",
  rates: { CHF: 0.94, GBP: 0.86, JPY: 171.2, USD: 1.17 },
});

/** A source that listens. */
export interface RateSource extends AsyncDisposable {
  readonly port: number;
}

/** Opens it; `undefined` where none of its ports can be had. */
export async function openRateSource(): Promise<RateSource | undefined> {
  for (const port of PORTS) {
    const server = createServer(
      { keepAliveTimeout: KEEP_ALIVE_TIMEOUT_MS },
      (request, response) => {
        const isTable = request.method === "GET" && request.url === "/rates.json";
        response.writeHead(isTable ? 200 : 404, { "content-type": "application/json" });
        response.end(isTable ? TABLE : "{}");
      },
    );
    server.maxConnections = MAX_CONNECTIONS;
    try {
      server.listen(port, SOURCE_ADDRESS);
      await once(server, "listening");
    } catch {
      continue;
    }
    return {
      port: (server.address() as AddressInfo).port,
      async [Symbol.asyncDispose]() {
        const closed = once(server, "close");
        server.close();
        server.closeAllConnections();
        await closed;
      },
    };
  }
  return undefined;
}
