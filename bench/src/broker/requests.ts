/**
 * @module A whole HTTPS request through the broker beside undici alone: one kept connection on
 * loopback, latency at the median. The broker decides, records, looks up, checks and counts.
 */
import { createServer } from "node:https";
import { connect } from "node:net";
import type { AddressInfo } from "node:net";

import { createBroker } from "@glovebox/capability-broker";
import { parsePluginId } from "@glovebox/core/ids";
import type { HttpPort } from "@glovebox/core/ports";
import { callScope, recordingDecisionLog } from "@glovebox/testkit";
import { createTestAuthority } from "@glovebox/testkit/servers";
import { Client } from "undici";

import { interleave, median, medianLatency, ratio } from "../measure.ts";
import type { BrokerPart } from "./broker.ts";

const HOST = "api.example.com";
const ADDRESS = "93.184.215.14";
const ROUNDS = 15;
const REQUESTS = 200;
const RATES = { maxRequestsPerMinute: 1e9, maxLookUpsPerMinute: 1e9 };

/** Compares the latency of requests. */
export async function requests(): Promise<BrokerPart> {
  const authority = createTestAuthority();
  const server = createServer(authority.issue({ names: [HOST] }), (_request, response) =>
    response.end("hello"),
  );
  server.keepAliveTimeout = 60_000;
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  const client = new Client(`https://127.0.0.1:${port}`, {
    connect: { ca: authority.ca, servername: HOST },
    allowH2: false,
  });
  const http = portTo(port, authority.ca);
  const figures = await interleave(ROUNDS, [
    { name: "broker", measure: () => medianLatency(REQUESTS, () => throughBroker(http)) },
    { name: "undici", measure: () => medianLatency(REQUESTS, () => throughUndici(client)) },
  ]);
  await client.close();
  server.closeAllConnections();
  server.close();
  return {
    ratios: {
      https_request_vs_undici: ratio(figures.broker, figures.undici),
      https_request_broker_ms: median(figures.broker),
      https_request_undici_ms: median(figures.undici),
    },
    targets: { https_request_vs_undici: ["le", 1.4] },
    notes: [
      `${REQUESTS} requests a round on one kept connection, ${ROUNDS} rounds; the broker's log is in memory, durability "return"`,
    ],
  };
}

function portTo(port: number, ca: string): HttpPort {
  const network = {
    allowHttpOutbound: true,
    allowedHosts: [HOST],
    certificateAuthorities: [ca],
    limits: RATES,
  };
  const broker = createBroker(
    { log: { ...recordingDecisionLog(), record: takenPlace }, policy: { network } },
    {
      resolve: async () => [ADDRESS],
      dial: (address) =>
        new Promise((resolve, reject) => {
          const socket = connect({ port, host: "127.0.0.1", noDelay: true });
          socket.once("error", reject);
          socket.once("connect", () => resolve({ socket, remoteAddress: address }));
        }),
    },
  );
  const plugin = parsePluginId("bench");
  if (!plugin.allowed) throw new Error(plugin.reason);
  const grant = broker.grant(plugin.value, {
    network: { allowHttpOutbound: true, allowedHosts: [HOST] },
  });
  if (!grant.allowed) throw new Error(grant.reason);
  return broker.http(grant.value);
}

/** A log that keeps nothing: the time of a real one is measured by its own bench. */
function takenPlace() {
  const receipt = Promise.resolve({ origin: "bench", index: 0, size: 1 });
  return {
    allowed: true,
    rule: "bench",
    value: { place: 0, durable: receipt, sealed: receipt },
  } as const;
}

const scope = callScope({ pluginId: "bench" });

async function throughBroker(port: HttpPort): Promise<void> {
  const begun = await port.begin(scope, { method: "GET", url: `https://${HOST}/`, headers: [] });
  if (!begun.allowed) throw new Error(`${begun.code}: ${begun.reason}`);
  await begun.value.finish();
  while ((await begun.value.readBody(65_536)) !== null);
}

async function throughUndici(client: Client): Promise<void> {
  const { body } = await client.request({ method: "GET", path: "/", headers: { host: HOST } });
  for await (const _chunk of body);
}
