/**
 * @module Decisions per second: the port's own `decide` with its whole decision value, over a pool
 * of 4,096 hosts of which half are denied; the clock and the revocation are read each time.
 */
import {
  preparsePolicySet,
  preparseSchema,
  statefulIsAuthorized,
} from "@cedar-policy/cedar-wasm/nodejs";
import { type BrokerHttpPort, createBroker } from "@glovebox/capability-broker";
import { parseStrictUrl, type StrictUrl } from "@glovebox/capability-broker/network";
import { parsePluginId } from "@glovebox/core/ids";
import { recordingDecisionLog } from "@glovebox/testkit";
import { Minimatch } from "minimatch";

import { type Contestant, interleave, median, ratio } from "../measure.ts";
import type { BrokerPart } from "./broker.ts";

const POOL = 4_096;
const ROUNDS = 15;
/** Decisions of one round for a fast and for a slow contestant: some ten milliseconds each. */
const FAST = 65_536;
const SLOW = 2_048;

/** Keeps results alive, so that nothing is optimised away. */
let sink = 0;

/** Compares decisions with Cedar, Minimatch, themselves at other sizes, and URL parsing. */
export async function decisions(): Promise<BrokerPart> {
  const hosts = poolOf(256);
  const urls = hosts.map(urlOf);
  const ports = new Map([1, 256, 2_048].map((size) => [size, portOf(size)] as const));
  const decide = (size: number): Contestant => {
    const port = ports.get(size);
    const parsed = poolOf(size).map((host) => parsedUrl(urlOf(host)));
    return perDecision(`decide ${size}`, FAST, (at) => {
      const url = parsed[at & (POOL - 1)];
      if (url !== undefined && port?.decide(url, "GET").allowed === true) sink += 1;
    });
  };
  const port256 = ports.get(256);
  const strict = perDecision("strict", FAST, (at) => {
    if (port256?.decide(urls[at & (POOL - 1)] ?? "", "GET").allowed === true) sink += 1;
  });
  const contestants = [
    decide(1),
    decide(256),
    decide(2_048),
    strict,
    cedar(hosts),
    ...others(hosts, urls),
  ];
  const figures = await interleave(ROUNDS, contestants);
  const of = (name: string): readonly number[] => figures[name] ?? [];
  return {
    ratios: {
      decision_vs_cedar: ratio(of("cedar"), of("decide 256")),
      decision_vs_minimatch_256: ratio(of("minimatch"), of("decide 256")),
      decision_flat_2048: ratio(of("decide 2048"), of("decide 1")),
      strict_url_vs_new_url: ratio(of("strict"), of("new URL")),
      decision_ns: median(of("decide 256")),
      cedar_decision_ns: median(of("cedar")),
      strict_url_decision_ns: median(of("strict")),
    },
    targets: {
      decision_vs_cedar: ["ge", 80],
      decision_vs_minimatch_256: ["ge", 25],
      decision_flat_2048: ["le", 1.2],
      strict_url_vs_new_url: ["le", 2],
    },
    notes: [
      `${POOL} distinct hosts, half denied; ${sink} decisions allowed`,
      "cedar: stateful, one policy; minimatch: 256 precompiled patterns, the first that matches",
      "new URL: the WHATWG parser, then an exact and suffix look-up in sets of 256",
    ],
  };
}

/** Distinct hosts, of which every other is below one of the first patterns. */
function poolOf(size: number): readonly string[] {
  return Array.from({ length: POOL }, (_, at) => {
    const service = `service-${at % Math.min(size, 256)}`;
    return at % 2 === 0 ? `h${at}.${service}.example.com` : `h${at}.${service}.example.org`;
  });
}

function urlOf(host: string): string {
  return `https://${host}/v1/items?id=7`;
}

/** A port whose grant has so many patterns, of which those of the pool are among the first. */
function portOf(size: number): BrokerHttpPort {
  const allowedHosts = Array.from({ length: size }, (_, at) => `*.service-${at}.example.com`);
  const network = { allowHttpOutbound: true, allowedHosts };
  const broker = createBroker({ log: recordingDecisionLog(), policy: { network } });
  const plugin = parsePluginId("bench");
  if (!plugin.allowed) throw new Error(plugin.reason);
  const grant = broker.grant(plugin.value, { network }, { expiresInMs: 3_600_000 });
  if (!grant.allowed) throw new Error(grant.reason);
  return broker.http(grant.value);
}

function cedar(hosts: readonly string[]): Contestant {
  const text =
    'permit(principal, action == Action::"connect", resource) when { resource.host like "*.example.com" };';
  const set = preparsePolicySet("bench", { staticPolicies: text });
  const schema = preparseSchema("bench", {});
  if (set.type !== "success" || schema.type !== "success") throw new Error(JSON.stringify(set));
  return perDecision("cedar", SLOW, (at) => {
    const host = hosts[at & (POOL - 1)] ?? "";
    const resource = { type: "Host", id: host };
    const answer = statefulIsAuthorized({
      principal: { type: "Plugin", id: "bench" },
      action: { type: "Action", id: "connect" },
      resource,
      context: {},
      entities: [{ uid: resource, attrs: { host }, parents: [] }],
      preparsedPolicySetId: "bench",
    });
    if (answer.type === "success" && answer.response.decision === "allow") sink += 1;
  });
}

function others(hosts: readonly string[], urls: readonly string[]): readonly Contestant[] {
  const names = Array.from({ length: 256 }, (_, at) => `service-${at}.example.com`);
  const patterns = names.map((name) => new Minimatch(`*.${name}`));
  const exact = new Set<string>();
  const suffixes = new Set(names);
  return [
    perDecision("minimatch", SLOW * 4, (at) => {
      const host = hosts[at & (POOL - 1)] ?? "";
      if (patterns.some((pattern) => pattern.match(host))) sink += 1;
    }),
    perDecision("new URL", FAST, (at) => {
      const { hostname } = new URL(urls[at & (POOL - 1)] ?? "");
      if (exact.has(hostname)) sink += 1;
      for (let dot = hostname.indexOf("."); dot >= 0; dot = hostname.indexOf(".", dot + 1))
        if (suffixes.has(hostname.slice(dot + 1))) sink += 1;
    }),
  ];
}

/** Nanoseconds for one decision. */
function perDecision(name: string, count: number, run: (at: number) => void): Contestant {
  return {
    name,
    async measure() {
      const start = performance.now();
      for (let at = 0; at < count; at += 1) run(at);
      return ((performance.now() - start) * 1e6) / count;
    },
  };
}

function parsedUrl(text: string): StrictUrl {
  const parsed = parseStrictUrl(text);
  if (!parsed.allowed) throw new Error(parsed.reason);
  return parsed.value;
}
