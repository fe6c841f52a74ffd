/**
 * @module HTTP for one grant: decide, record, look up, decide the addresses, record, and only then
 * hand out an exchange. Each grant has its own connections, so that one plugin's TLS sessions and
 * sockets never serve another, and revoking it destroys them (I5).
 */
import type { Clock } from "@glovebox/core/clock";
import { type Decision, allow, failClosedAsync, refuse } from "@glovebox/core/decision";
import type { CallScope, HttpExchange, HttpPort, HttpRequest } from "@glovebox/core/ports";
import { Agent } from "undici";

import { BrokerError } from "../errors.ts";
import type { NetworkGrant } from "../grant/grant.ts";
import type { RevocationCell } from "../grant/revocation.ts";
import type { GrantUsage } from "../grant/usage.ts";
import { assertUse, checkUse, type GrantUse } from "../grant/use.ts";
import { KEEP_ALIVE_MS, MAX_ORIGINS, MAX_RECORDED_ENTRIES } from "../limits.ts";
import { type Recorder, recordedText } from "../record.ts";
import { parseAddress } from "../target/address.ts";
import { type ParsedTarget, decideAddresses, decideUrl } from "./decide.ts";
import { createCheckedAddresses, createConnector, type Dial } from "./dial.ts";
import { createExchange } from "./exchange.ts";
import { decideHeaders } from "./request-headers.ts";
import type { Resolve } from "./resolver.ts";

/** What the port takes from the outside world. */
export interface NetworkDeps {
  readonly clock: Clock;
  readonly resolve: Resolve;
  readonly dial: Dial;
  readonly localAddresses: () => readonly string[];
}

/** What the port works with. */
export interface NetworkContext extends GrantUse {
  readonly grant: NetworkGrant | undefined;
  readonly cell: RevocationCell;
  readonly usage: GrantUsage;
  readonly recorder: Recorder;
  readonly deps: NetworkDeps;
}

interface Decided {
  readonly target: ParsedTarget;
  readonly headers: readonly string[];
  readonly release: () => void;
}

/** The port of one grant. */
export function createHttpPort(context: NetworkContext): HttpPort {
  const { grant, cell, usage, recorder, deps } = context;
  if (grant === undefined) {
    const none = refuse(
      "BROKER_NETWORK_NOT_GRANTED",
      "network.grant",
      "the plugin has no network grant",
    );
    return { begin: async (scope) => recorder.decideBefore(scope, "network.request", none, {}) };
  }
  const checked = createCheckedAddresses();
  const agent = new Agent({
    connect: createConnector({ grant, checked, cell, clock: deps.clock, dial: deps.dial }),
    allowH2: false,
    pipelining: 1,
    connections: Math.max(grant.limits.maxConcurrent, 1),
    maxOrigins: MAX_ORIGINS,
    maxHeaderSize: grant.limits.maxHeadBytes,
    keepAliveTimeout: KEEP_ALIVE_MS,
    keepAliveMaxTimeout: KEEP_ALIVE_MS,
  });
  cell.onRevoke(() => {
    agent.destroy(new BrokerError("BROKER_REVOKED")).catch(() => undefined);
  });
  function decide(scope: CallScope, request: HttpRequest): Decision<Decided> {
    const use = checkUse(context, cell, scope);
    if (!use.allowed) return use;
    const target = decideUrl(grant as NetworkGrant, request.url, request.method);
    if (!target.allowed) return target;
    const headers = decideHeaders(request.headers);
    if (!headers.allowed) return headers;
    const place = usage.begin();
    if (!place.allowed) return place;
    const release = place.value;
    const counted = usage.request();
    if (!counted.allowed) return released(release, counted);
    return allow(target.rule, { target: target.value, headers: headers.value, release });
  }

  async function begin(scope: CallScope, request: HttpRequest): Promise<Decision<HttpExchange>> {
    const decided = decide(scope, request);
    const release = decided.allowed ? decided.value.release : (): void => undefined;
    const details = decided.allowed
      ? describe(decided.value.target)
      : { url: recordedText(withoutQuery(request.url)) };
    try {
      const recorded = await recorder.decideBefore(scope, "network.request", decided, details);
      if (!recorded.allowed) return released(release, recorded);
      const { target, headers } = recorded.value;
      scope.meter.add("networkRequests", 1);
      const addresses = await addressesOf(scope, target);
      const held = await recorder.decideBefore(scope, "network.address", addresses, {
        host: target.host.name,
        ...(addresses.allowed ? { addresses: addresses.value.slice(0, MAX_RECORDED_ENTRIES) } : {}),
      });
      if (!held.allowed) return released(release, held);
      const still = checkUse(context, cell, scope);
      if (!still.allowed) return released(release, still);
      return allow("network.exchange", open(scope, target, headers, held.value, release));
    } catch (error) {
      release();
      throw error;
    }
  }

  async function addressesOf(
    scope: CallScope,
    target: ParsedTarget,
  ): Promise<Decision<readonly string[]>> {
    const own = deps.localAddresses().flatMap((text) => parseAddress(text) ?? []);
    const network = grant as NetworkGrant;
    if (target.host.kind === "address") {
      return decideAddresses(network, [target.host.name.replace(/^\[|\]$/g, "")], own);
    }
    const answer = await lookUp(scope, target.host.name, network.limits.resolveTimeoutMs);
    return answer.allowed ? decideAddresses(network, answer.value, own) : answer;
  }

  /** The answer, or a refusal when it takes too long, fails, or nobody may have it any more. */
  async function lookUp(
    scope: CallScope,
    name: string,
    timeoutMs: number,
  ): Promise<Decision<readonly unknown[]>> {
    const { promise, resolve } = Promise.withResolvers<Decision<readonly unknown[]>>();
    const failed = (reason: string): void =>
      resolve(refuse("BROKER_RESOLVE", "network.resolve", `${name}: ${reason}`));
    const stop = (): void =>
      resolve(refuse("BROKER_CANCELLED", "network.resolve", "the call has ended"));
    using _timer = deps.clock.setTimer(timeoutMs, () => failed(`no answer in ${timeoutMs} ms`));
    const unregister = cell.onRevoke(() =>
      resolve(refuse("BROKER_REVOKED", "grant.revoked", "the grant was revoked")),
    );
    scope.signal.addEventListener("abort", stop, { once: true });
    deps.resolve(name).then(
      (answer) => resolve(allow("network.resolve", answer)),
      (error: unknown) =>
        failed(
          String(error instanceof Error ? (Reflect.get(error, "code") ?? error.message) : error),
        ),
    );
    try {
      return await promise;
    } finally {
      unregister();
      scope.signal.removeEventListener("abort", stop);
    }
  }

  function open(
    scope: CallScope,
    target: ParsedTarget,
    headers: readonly string[],
    addresses: readonly string[],
    release: () => void,
  ): HttpExchange {
    const drop = checked.hold(target.host.name.replace(/^\[|\]$/g, ""), addresses);
    const stop = (): void => running_.fail("BROKER_CANCELLED");
    const running_ = createExchange({
      dispatcher: agent,
      target,
      headers,
      limits: (grant as NetworkGrant).limits,
      clock: deps.clock,
      assertUsable: () => assertUse(context, cell, scope),
      onEnd({ code, status, requestBytes, responseBytes }) {
        scope.signal.removeEventListener("abort", stop);
        unregister();
        drop();
        release();
        recorder.ended(scope, "network.response", code, {
          host: target.host.name,
          ...(status === undefined ? {} : { status }),
          requestBytes,
          responseBytes,
        });
      },
    });
    const unregister = cell.onRevoke(() => running_.fail("BROKER_REVOKED"));
    scope.signal.addEventListener("abort", stop, { once: true });
    return running_.exchange;
  }

  return {
    begin: (scope, request) => failClosedAsync("network.begin", () => begin(scope, request)),
  };
}

function describe(target: ParsedTarget): Readonly<Record<string, string | number>> {
  // Without the query: it is the plugin's data and may hold anything.
  const path = withoutQuery(target.path);
  return {
    method: target.method,
    scheme: target.scheme,
    host: target.host.name,
    port: target.port,
    path: recordedText(path),
  };
}

function withoutQuery(raw: unknown): unknown {
  return typeof raw === "string" ? raw.split(/[?#]/, 1)[0] : raw;
}

function released(release: () => void, refusal: Decision<never>): Decision<never> {
  release();
  return refusal;
}
