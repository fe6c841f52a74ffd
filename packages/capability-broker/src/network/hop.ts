/**
 * @module One request on its way to the wire: decide, count, inspect, record, look up, decide the
 * addresses, record, insert secrets. The first request of an exchange and every redirect go through
 * here alike. What needs no address comes before the look-up, because a look-up tells a stranger.
 */
import { type Decision, allow, refuse } from "@glovebox/core/decision";
import type { CallScope } from "@glovebox/core/ports";

import type { NetworkGrant, SecretRule } from "../grant/grant.ts";
import { checkUse } from "../grant/use.ts";
import { inspectText } from "../inspection/inspect-text.ts";
import type { OutgoingPart } from "../inspection/transform.ts";
import { MAX_RECORDED_ENTRIES } from "../limits.ts";
import { recordedText } from "../record.ts";
import type { Address } from "../target/address.ts";
import { decideAddresses, type ParsedTarget } from "./decide.ts";
import { ACCEPTED_CODINGS } from "./decode.ts";
import { lookUp } from "./look-up.ts";
import type { NetworkContext } from "./network.ts";
import { decideHeaders } from "./request-headers.ts";
import {
  createSecretSearch,
  type InsertedSecret,
  insertedSecrets,
  type SecretSearch,
  secretsFor,
} from "./secret.ts";

/** A request that may go out. */
export interface Hop {
  readonly target: ParsedTarget;
  /** The plugin's own, names in lower case. */
  readonly headers: readonly (readonly [string, string])[];
  /** Everything that is sent, names and values in turn. */
  readonly wireHeaders: readonly string[];
  readonly addresses: readonly string[];
  /** Values that were inserted so far in this exchange, which no response may hold. */
  readonly secrets: readonly InsertedSecret[];
  readonly search: SecretSearch | undefined;
  /** Monotonic milliseconds when the look-up began and ended. */
  readonly lookUpMs: readonly [number, number];
}

/** A request that was decided as far as its text goes. */
export interface HopRequest {
  readonly target: Decision<ParsedTarget>;
  /** As it was asked, for the log of a refusal. */
  readonly url: unknown;
  readonly headers: readonly (readonly [string, string])[];
  /** The request that redirected here. */
  readonly previous?: Hop;
}

const NO_SECRETS = allow("network.secrets", [] as readonly InsertedSecret[]);

/** Takes a request through everything that comes before its connection. */
export async function prepareHop(
  context: NetworkContext & { readonly grant: NetworkGrant },
  own: () => readonly Address[],
  scope: CallScope,
  request: HopRequest,
): Promise<Decision<Hop>> {
  const { grant, cell, recorder, deps } = context;
  const { previous } = request;
  const decided = decideText(context, scope, request);
  const kind = previous === undefined ? "network.request" : "network.redirect";
  const details = decided.allowed
    ? describe(decided.value.target)
    : { url: recordedText(withoutQuery(request.url)) };
  const recorded = await recorder.decideBefore(scope, kind, decided, details);
  if (!recorded.allowed) return recorded;
  const { target, headers, rules } = recorded.value;
  scope.meter.add("networkRequests", 1);

  const beganMs = deps.clock.monotonicMs();
  const { host } = target;
  const answer =
    host.kind === "address"
      ? allow("network.literal", [host.name.replace(/^\[|\]$/g, "")])
      : await lookUp(host.name, grant.limits.resolveTimeoutMs, scope, cell, deps);
  const addresses = answer.allowed ? decideAddresses(grant, target, answer.value, own()) : answer;
  const held = await recorder.decideBefore(scope, "network.address", addresses, {
    host: host.name,
    ...(addresses.allowed ? { addresses: addresses.value.slice(0, MAX_RECORDED_ENTRIES) } : {}),
  });
  if (!held.allowed) return held;
  const endedMs = deps.clock.monotonicMs();

  const inserted =
    rules.length === 0 ? NO_SECRETS : await insertSecrets(context, scope, target, rules);
  if (!inserted.allowed) return inserted;
  const still = checkUse(context, cell, scope);
  if (!still.allowed) return still;
  const secrets = [...(previous?.secrets ?? []), ...inserted.value];
  return allow("network.exchange", {
    target,
    headers,
    wireHeaders: wireHeaders(grant, headers, inserted.value),
    addresses: held.value,
    secrets,
    search: createSecretSearch(secrets.map(({ secret }) => secret)),
    lookUpMs: [beganMs, endedMs],
  });
}

/** What is known of a request before its look-up. */
interface HopText {
  readonly target: ParsedTarget;
  readonly headers: Hop["headers"];
  /** The secrets that go with it. */
  readonly rules: readonly SecretRule[];
}

/** Everything that can be said without an address; nothing is counted of what is refused before. */
function decideText(
  context: NetworkContext & { readonly grant: NetworkGrant },
  scope: CallScope,
  { target: decision, headers: raw, previous }: HopRequest,
): Decision<HopText> {
  if (!decision.allowed) return decision;
  const target = decision.value;
  const headers = decideHeaders(raw);
  if (!headers.allowed) return headers;
  const rules = secretsFor(context.grant, target);
  const own =
    rules.length === 0
      ? headers.value
      : headers.value.filter(([name]) => !rules.some(({ header }) => header === name));
  // A redirect brings the plugin's header where the grant has one of the same name: it is dropped.
  if (previous === undefined && own.length < headers.value.length)
    return refuse("BROKER_HEADER", "network.secrets", "the grant sets a header of this name");
  const counted = countText(context, target, own);
  if (!counted.allowed) return counted;
  const inspected = inspectRequest(context, scope, target, own);
  return inspected.allowed ? allow(decision.rule, { target, headers: own, rules }) : inspected;
}

function countText(
  { usage }: NetworkContext,
  target: ParsedTarget,
  headers: Hop["headers"],
): Decision<void> {
  const isName = target.host.kind === "name";
  const bytes =
    target.href.length +
    (isName ? target.host.name.length : 0) +
    headers.reduce((sum, [name, value]) => sum + name.length + value.length, 0);
  const sent = usage.send(bytes);
  if (!sent.allowed) return sent;
  const request = usage.request();
  return request.allowed && isName ? usage.lookUp() : request;
}

function inspectRequest(
  { inspection }: NetworkContext,
  scope: CallScope,
  target: ParsedTarget,
  headers: Hop["headers"],
): Decision<void> {
  const look = (part: OutgoingPart, text: string): Decision<void> =>
    inspectText(inspection.outgoing?.(scope, part), part, text);
  const url = look({ part: "url" }, target.href);
  if (!url.allowed || inspection.outgoing === undefined) return url;
  const { name: host, kind } = target.host;
  const dns = kind === "name" ? look({ part: "dns" }, host) : url;
  if (!dns.allowed) return dns;
  for (const [name, value] of headers) {
    const text = look({ part: "header", name }, `${name}: ${value}`);
    if (!text.allowed) return text;
  }
  return url;
}

async function insertSecrets(
  context: NetworkContext,
  scope: CallScope,
  target: ParsedTarget,
  rules: readonly SecretRule[],
): Promise<Decision<readonly InsertedSecret[]>> {
  const inserted = await insertedSecrets(rules, context.deps.resolveSecret);
  return context.recorder.decideBefore(scope, "network.secret", inserted, {
    host: target.host.name,
    names: rules.map(({ name }) => name),
  });
}

function wireHeaders(
  grant: NetworkGrant,
  headers: Hop["headers"],
  inserted: readonly InsertedSecret[],
): readonly string[] {
  const codings = grant.limits.maxCodings > 0 ? ACCEPTED_CODINGS : "identity";
  return [
    "accept-encoding",
    codings,
    ...headers.flat(),
    ...inserted.flatMap(({ header, value }) => [header, value]),
  ];
}

/** A target for the log, without the query: it is the plugin's data and may hold anything. */
export function describe(target: ParsedTarget): Readonly<Record<string, string | number>> {
  return {
    method: target.method,
    scheme: target.scheme,
    host: target.host.name,
    port: target.port,
    path: recordedText(withoutQuery(target.path)),
  };
}

function withoutQuery(raw: unknown): unknown {
  return typeof raw === "string" ? raw.split(/[?#]/, 1)[0] : raw;
}
