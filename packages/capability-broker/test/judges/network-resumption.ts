/**
 * @module Cases in which an earlier connection, under a pin that was right then, left a TLS session
 * that the server would resume: the new key has to be compared with the pins all the same.
 */
import { randomBytes } from "node:crypto";

import type { CaseVerdict } from "@glovebox/testkit/cases";

import { createLab, PUBLIC_ADDRESS, send } from "../lab.ts";
import { startRawServer } from "../raw-server.ts";
import { type CasePolicy, miss, type NetworkCase, pinOf, policyOf } from "./network-case.ts";
import { goodIdentity } from "./network-servers.ts";
import type { NetworkSuite } from "./network.ts";

/** The verdict on a request after the server's key has changed under a kept session. */
export async function judgeResumption(
  testCase: NetworkCase,
  policy: CasePolicy,
  { authority }: NetworkSuite,
): Promise<CaseVerdict> {
  const ticketKeys = randomBytes(48);
  const answer = "HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: 5\r\n\r\nhello";
  const [before, after] = [goodIdentity(authority), goodIdentity(authority)];
  await using old = await startRawServer((socket) => socket.end(answer), { ...before, ticketKeys });
  await using now = await startRawServer((socket) => socket.end(answer), { ...after, ticketKeys });
  let { port } = old;
  const host = policyOf({ ...testCase, tls: {} }, policy, { authority });
  await using lab = createLab({
    policy: { ...host, network: { ...host.network, spkiPins: [pinOf(before)] } as never },
    dns: { "*": [[PUBLIC_ADDRESS]] },
    port: () => port,
  });
  const http = lab.broker.http(lab.grant());
  const first = await send(http, testCase.url);
  if (first.code !== "allowed") return miss(`under the old key: ${first.code}`);
  ({ port } = now);
  const second = await send(http, testCase.url);
  const verdict = second.code === "allowed" ? "allow" : "deny";
  return { kind: "verdict", verdict, reason: second.code };
}
