/**
 * @module A broker in a laboratory: names resolve by a table, every dial goes to a loopback server
 * and reports the address that was asked for. The rest is real: sockets, TLS, HTTP.
 */
import { connect } from "node:net";

import {
  type Broker,
  BrokerError,
  type CapabilityRequest,
  type HostPolicy,
  createBroker,
} from "@glovebox/capability-broker";
import type { BrokerDeps, BrokerOptions, GrantSet } from "@glovebox/capability-broker";
import { type Decision, allow } from "@glovebox/core/decision";
import { type PluginId, parsePluginId } from "@glovebox/core/ids";
import type { DecisionLog, FileRight, HttpExchange, HttpPort } from "@glovebox/core/ports";
import {
  type RecordingDecisionLog,
  type TestCallScope,
  callScope,
  recordingDecisionLog,
} from "@glovebox/testkit";

/** Answers of successive look-ups; the last repeats. */
export type DnsTable = Readonly<Record<string, readonly (readonly string[] | string)[]>>;

export interface Lab extends AsyncDisposable {
  readonly broker: Broker;
  readonly log: RecordingDecisionLog;
  /** `address:port` of every dial, in order. */
  readonly dials: string[];
  /** Names that were looked up. */
  readonly lookUps: string[];
  grant(request?: CapabilityRequest): GrantSet;
}

export interface LabOptions {
  readonly policy: HostPolicy;
  readonly dns?: DnsTable;
  /** Where every dial goes. */
  readonly port?: number | (() => number);
  readonly options?: Partial<BrokerOptions>;
  readonly deps?: Partial<BrokerDeps>;
}

export const ALL_RIGHTS: readonly FileRight[] = [
  ...(["read", "write", "create", "append", "truncate", "setTimes"] as const),
  ...(["list", "stat", "delete", "rename", "mkdir", "link"] as const),
];

/** A log that takes everything and keeps nothing, for many events. */
export const forgetfulLog: DecisionLog = {
  record() {
    const receipt = Promise.resolve({ origin: "lab", index: 0, size: 1 });
    return allow("lab", { place: 0, durable: receipt, sealed: receipt });
  },
};

export const PUBLIC_ADDRESS = "93.184.215.14";

export function pluginId(raw = "test-plugin"): PluginId {
  const parsed = parsePluginId(raw);
  if (!parsed.allowed) throw new Error(parsed.reason);
  return parsed.value;
}

export function createLab({
  policy,
  dns = {},
  port = 0,
  options = {},
  deps = {},
}: LabOptions): Lab {
  const log = recordingDecisionLog();
  const dials: string[] = [];
  const lookUps: string[] = [];
  const broker = createBroker(
    { policy, log, ...options },
    {
      localAddresses: () => [],
      async resolve(name) {
        const seen = lookUps.filter((other) => other === name).length;
        lookUps.push(name);
        const answers = dns[name] ?? dns["*"] ?? [];
        const answer = answers[Math.min(seen, answers.length - 1)] ?? "ENOTFOUND";
        if (answer === "TIMEOUT") return new Promise<never>(() => undefined);
        if (typeof answer === "string") throw Object.assign(new Error(answer), { code: answer });
        return answer;
      },
      dial(address, asked, signal) {
        dials.push(`${address}:${asked}`);
        const to = typeof port === "number" ? port : port();
        return dialServer(IS_REAL ? address : "127.0.0.1", to, signal).then((socket) => ({
          socket,
          remoteAddress: IS_REAL ? socket.remoteAddress : address,
        }));
      },
      ...deps,
    },
  );
  return {
    broker,
    log,
    dials,
    lookUps,
    grant: (request = requestOf(policy)) => valueOf(broker.grant(pluginId(), request)),
    [Symbol.asyncDispose]: () => broker.close(),
  };
}

/** Asks for all that the policy holds. */
export function requestOf({ network, filesystem }: HostPolicy): CapabilityRequest {
  return {
    ...(network === undefined
      ? {}
      : { network: { ...network, secrets: (network.secrets ?? []).map(({ name }) => name) } }),
    ...(filesystem === undefined
      ? {}
      : {
          filesystem: {
            allowRead: false,
            allowWrite: false,
            rights: ALL_RIGHTS,
            allowedPaths: filesystem.roots.map(({ guest }) => guest),
          },
        }),
  };
}

export function valueOf<T>(decision: Decision<T>): T {
  if (!decision.allowed) throw new Error(`${decision.code}: ${decision.reason}`);
  return decision.value;
}

export function codeOf(decision: Decision<unknown>): string {
  return decision.allowed ? "allowed" : decision.code;
}

export interface Sent {
  /** `allowed`, or the code of the refusal or error. */
  readonly code: string;
  readonly status?: number;
  readonly headers?: readonly (readonly [string, string])[];
  readonly body?: string;
  readonly bodyBytes?: number;
}

export interface SendOptions {
  readonly method?: string;
  readonly headers?: readonly (readonly [string, string])[];
  readonly body?: Uint8Array;
  readonly scope?: TestCallScope;
}

/** One whole exchange. */
export async function send(port: HttpPort, url: string, options: SendOptions = {}): Promise<Sent> {
  const { method = "GET", headers = [], body, scope = callScope() } = options;
  const begun = await port.begin(scope, { method, url, headers });
  if (!begun.allowed) return { code: begun.code };
  await using exchange = begun.value;
  try {
    if (body !== undefined) await exchange.writeBody(body);
    const head = await exchange.finish();
    const bytes = await readAll(exchange);
    return { code: "allowed", ...head, body: bytes.toString("latin1"), bodyBytes: bytes.length };
  } catch (error) {
    if (error instanceof BrokerError) return { code: error.code };
    throw error;
  }
}

export async function readAll(exchange: HttpExchange): Promise<Buffer> {
  const parts: Uint8Array[] = [];
  for (
    let part = await exchange.readBody(65_536);
    part !== null;
    part = await exchange.readBody(65_536)
  )
    parts.push(part);
  return Buffer.concat(parts);
}

/** The code that a promise rejects with. */
export async function rejectionOf(promise: Promise<unknown>): Promise<string> {
  try {
    await promise;
    return "resolved";
  } catch (error) {
    return error instanceof BrokerError ? error.code : String(error);
  }
}

/** Whether dials reach the addresses themselves (scripts/network-namespace.ts). */
const IS_REAL = process.env["GLOVEBOX_REAL_DIALS"] === "1";

function dialServer(
  host: string,
  port: number,
  signal: AbortSignal,
): Promise<ReturnType<typeof connect>> {
  return new Promise((resolve, reject) => {
    const socket = connect({ host, port, signal });
    socket.once("error", reject);
    socket.once("connect", () => {
      socket.off("error", reject);
      resolve(socket);
    });
  });
}
