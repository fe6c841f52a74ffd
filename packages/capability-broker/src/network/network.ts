/**
 * @module HTTP for one grant: `decide` is pure and synchronous, `perform` acts on its decision.
 * Each grant has its own connections, so that one plugin's TLS sessions and sockets never serve
 * another, and revoking it destroys them (I5).
 */
import type { Clock } from "@glovebox/core/clock";
import { type Decision, allow, failClosed, failClosedAsync, refuse } from "@glovebox/core/decision";
import type { GrantId } from "@glovebox/core/ids";
import type { CallScope, HttpExchange, HttpPort, HttpRequest } from "@glovebox/core/ports";

import { BrokerError } from "../errors.ts";
import type { NetworkGrant } from "../grant/grant.ts";
import type { RevocationCell } from "../grant/revocation.ts";
import type { GrantUsage } from "../grant/usage.ts";
import { assertUse, checkUse, type GrantUse } from "../grant/use.ts";
import { blockOf } from "../inspection/inspect-text.ts";
import type { Inspection } from "../inspection/transform.ts";
import type { Recorder } from "../record.ts";
import type { StrictUrl } from "../target/strict-url.ts";
import { createConnections } from "./connections.ts";
import { decideTarget, ParsedTarget } from "./decide.ts";
import type { Dial } from "./dial.ts";
import { createExchange, type HopEnd } from "./exchange.ts";
import { type Hop, type HopRequest, prepareHop } from "./hop.ts";
import { createLocalAddresses } from "./local-addresses.ts";
import { onAbort } from "./on-abort.ts";
import type { Resolve } from "./resolver.ts";
import type { ResolveSecret } from "./secret.ts";
import { shareTimer } from "./shared-timer.ts";
import { trafficRecord, type TrafficSink } from "./traffic.ts";

/** HTTP through a grant, in one step or in two. */
export interface BrokerHttpPort extends HttpPort {
  /**
   * Whether a request may go out, as far as that can be said without looking anything up. Pure and
   * synchronous; the clock and the revocation are read each time.
   */
  decide(url: string | StrictUrl, method: string): Decision<ParsedTarget>;
  /** Acts on a decision of this port, refused or allowed: both are recorded. */
  perform(
    scope: CallScope,
    decision: Decision<ParsedTarget>,
    headers?: HttpRequest["headers"],
  ): Promise<Decision<HttpExchange>>;
}

/** What the port takes from the outside world. */
export interface NetworkDeps {
  readonly clock: Clock;
  readonly resolve: Resolve;
  readonly dial: Dial;
  readonly localAddresses: () => readonly string[];
  readonly resolveSecret: ResolveSecret;
}

/** What the port works with. */
export interface NetworkContext extends GrantUse {
  readonly grantId: GrantId;
  readonly grant: NetworkGrant | undefined;
  readonly cell: RevocationCell;
  readonly usage: GrantUsage;
  readonly recorder: Recorder;
  readonly inspection: Inspection;
  readonly traffic: TrafficSink | undefined;
  readonly deps: NetworkDeps;
}

/** The port of one grant. */
export function createHttpPort(context: NetworkContext): BrokerHttpPort {
  const { grant, cell, usage, recorder } = context;
  if (grant === undefined) return withoutGrant(recorder);
  const deps = { ...context.deps, clock: shareTimer(context.deps.clock) };
  const granted = { ...context, grant, deps };
  const own = createLocalAddresses(deps.localAddresses, deps.clock);
  const connections = createConnections(
    { grant, cell, clock: deps.clock, dial: deps.dial },
    grant.limits.maxConcurrent,
  );
  cell.onRevoke((code) => connections.destroy(new BrokerError(code)));

  function decide(url: unknown, method: unknown): Decision<ParsedTarget> {
    const { endedBy } = cell;
    if (endedBy !== undefined) return refuse(endedBy, "grant.use", "the grant has ended");
    return decideTarget(granted.grant, url, method);
  }

  async function begin(
    scope: CallScope,
    request: Omit<HopRequest, "previous">,
  ): Promise<Decision<HttpExchange>> {
    const use = checkUse(context, cell, scope);
    const place = use.allowed && request.target.allowed ? usage.begin() : undefined;
    const target = !use.allowed ? use : place?.allowed === false ? place : request.target;
    const release = place?.allowed === true ? place.value : (): void => undefined;
    try {
      const hop = await prepareHop(granted, own, scope, { ...request, target });
      if (hop.allowed) return allow(hop.rule, open(scope, hop.value, release));
      release();
      return hop;
    } catch (error) {
      release();
      throw error;
    }
  }

  function open(scope: CallScope, first: Hop, release: () => void): HttpExchange {
    const running = createExchange({
      first,
      limits: granted.grant.limits,
      clock: deps.clock,
      inspection: context.inspection.outgoing?.(scope, { part: "body" }),
      connect: ({ target: { scheme, host, port }, addresses }) =>
        connections.take({ scheme, host: host.name.replace(/^\[|\]$/g, ""), port, addresses }),
      nextHop: (previous, { url, method, headers }) =>
        failClosedAsync("network.redirect", async () => {
          const use = checkUse(context, cell, scope);
          const target = use.allowed ? decide(url, method) : use;
          return prepareHop(granted, own, scope, { target, url, headers, previous });
        }),
      countSent: (bytes) => usage.send(bytes),
      countReceived: (bytes) => usage.receive(bytes),
      onBlocked(block) {
        const refusal = blockOf({ part: "body" }, block);
        recorder.decide(scope, "network.inspection", refusal, { host: first.target.host.name });
        return new BrokerError("BROKER_SCANNER");
      },
      assertUsable: () => assertUse(context, cell, scope),
      onHopEnd(end) {
        recordEnd(scope, end);
        context.traffic?.(trafficRecord(context, scope, end, deps.clock));
      },
      onEnd() {
        unhear();
        unregister();
        release();
      },
    });
    const unregister = cell.onRevoke((code) => running.fail(code));
    const unhear = onAbort(scope.signal, () => running.fail("BROKER_CANCELLED"));
    return running.exchange;
  }

  function recordEnd(scope: CallScope, end: HopEnd): void {
    recorder.ended(scope, "network.response", end.code, {
      host: end.hop.target.host.name,
      ...(end.head && { status: end.head.status }),
      requestBytes: end.requestBytes,
      responseBytes: end.wireBytes,
      decodedBytes: end.decodedBytes,
    });
  }

  return {
    decide,
    perform(scope, decision, headers = []) {
      return failClosedAsync("network.begin", () => {
        // What another grant decided, or nobody, decides nothing here; and the check of the use follows.
        if (decision.allowed && !ParsedTarget.isFor(granted.grant, decision.value))
          throw new BrokerError("BROKER_GRANT_UNKNOWN");
        return begin(scope, { target: decision, url: hrefOf(decision), headers });
      });
    },
    begin: (scope, { url, method, headers }) =>
      failClosedAsync("network.begin", () =>
        begin(scope, {
          target: failClosed("network.decide", () => decide(url, method)),
          url,
          headers,
        }),
      ),
  };
}

function withoutGrant(recorder: Recorder): BrokerHttpPort {
  const none = refuse(
    "BROKER_NETWORK_NOT_GRANTED",
    "network.grant",
    "the plugin has no network grant",
  );
  const begin = (scope: CallScope): Promise<Decision<never>> =>
    recorder.decideBefore(scope, "network.request", none, {});
  return { decide: () => none, perform: begin, begin };
}

function hrefOf(decision: Decision<ParsedTarget>): string | undefined {
  return decision.allowed ? decision.value.href : undefined;
}
