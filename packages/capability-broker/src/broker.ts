/**
 * @module The broker: makes grants, hands out the ports that use them, revokes them. Everything a
 * plugin reaches goes through a grant that is checked at each use (I5), and every decision has its
 * place in the log before its effect (I6).
 */
import { tmpdir } from "node:os";

import type { Timer } from "@glovebox/core/clock";
import { type Decision, allow, failClosed, refuse } from "@glovebox/core/decision";
import { type GrantId, type PluginId, newGrantId } from "@glovebox/core/ids";
import type { DecisionLog, FilePort } from "@glovebox/core/ports";

import { type BrokerDeps, withDefaultDeps } from "./deps.ts";
import { BrokerError } from "./errors.ts";
import { type FileWorkSettings, createFileCrew } from "./filesystem/file-crew.ts";
import { type GrantedFiles, createFiles } from "./filesystem/filesystem.ts";
import { attenuatedGrant, effectiveGrantOf, standBehind } from "./grant/effective-grant.ts";
import { type EffectiveGrant, type GrantSet, mint } from "./grant/grant.ts";
import { parsePolicy } from "./grant/parse-policy.ts";
import {
  type CapabilityRequest,
  type GrantTerms,
  type HostPolicy,
  policyOfRequest,
} from "./grant/policy.ts";
import type { QuotaState } from "./grant/quota-state.ts";
import { type EndCode, type RevocationCell, createRevocationCell } from "./grant/revocation.ts";
import { type GrantUsage, type UsageCounts, createUsage } from "./grant/usage.ts";
import type { Inspection } from "./inspection/transform.ts";
import { DEFAULT_NETWORK_LIMITS, MAX_GRANTS, MAX_RECORDED_ENTRIES } from "./limits.ts";
import { type BrokerHttpPort, createHttpPort } from "./network/network.ts";
import type { TrafficSink } from "./network/traffic.ts";
import { type EventDetails, createRecorder, recordedText } from "./record.ts";

/** How a broker works. */
export interface BrokerOptions {
  /** Default: nothing is allowed. */
  readonly policy?: HostPolicy;
  /** Takes every decision before its effect. */
  readonly log: DecisionLog;
  /** Loosening: `false` grants what a manifest asks, without host policy. Default: true. */
  readonly checksEnabled?: boolean;
  /** With `effect` each decision is durable before its effect. Default: `return`, which the runtime keeps. */
  readonly auditDurability?: "effect" | "return" | "async";
  /** Scanners over what plugins write. Default: none. */
  readonly inspection?: Inspection;
  /** How file work is done; defaults at its members. */
  readonly fileWork?: Partial<FileWorkSettings>;
  /** Is told of each request and response. Default: nobody is. */
  readonly traffic?: TrafficSink;
}

/** Makes, serves and revokes grants. */
export interface Broker {
  /** Manifest ∩ policy ∩ approval for one plugin. */
  grant(pluginId: PluginId, request: CapabilityRequest, terms?: GrantTerms): Decision<GrantSet>;
  /**
   * A grant with less, for the same plugin, that ends with its parent and counts against it. It is
   * proved field by field that the request lies within the parent.
   */
  attenuate(
    parent: GrantSet,
    request: CapabilityRequest,
    terms?: Omit<GrantTerms, "approval">,
  ): Decision<GrantSet>;
  /** Ends a grant and everything in flight through it, at once; false when there is no such grant. */
  revoke(grantId: GrantId): boolean;
  /** What a grant has used so far. */
  usage(grant: GrantSet): UsageCounts;
  /** The same beside its bounds, with what lies in its folders: used and left of each total. */
  quotas(grant: GrantSet): readonly QuotaState[];
  /** Grants of a plugin that are not revoked. */
  grants(pluginId: PluginId): readonly GrantSet[];
  /** HTTP through a grant; the same port each time. */
  http(grant: GrantSet): BrokerHttpPort;
  /** Files through a grant; the same port each time. */
  files(grant: GrantSet): FilePort;
  /** Revokes every grant and ends the file workers, which removes what is temporary. */
  close(): Promise<void>;
}

interface Held {
  readonly set: GrantSet;
  readonly cell: RevocationCell;
  readonly usage: GrantUsage;
  readonly http: BrokerHttpPort;
  readonly files: GrantedFiles;
  readonly expiry: Timer | undefined;
  /** Leaves the parent's list of what ends with it. */
  readonly detach: (() => void) | undefined;
}

/**
 * Creates a broker. The policy is checked here, so that a mistake shows at start.
 *
 * @throws {@link BrokerError} (`BROKER_POLICY`)
 *
 * @example
 * ```ts
 * import { createBroker } from "@glovebox/capability-broker";
 *
 * const refusingLog = { record: () => ({ allowed: false, code: "NO_LOG", rule: "example", reason: "no log" }) } as const;
 * const broker = createBroker({ log: refusingLog });
 * await broker.close();
 * ```
 */
export function createBroker(options: BrokerOptions, deps: Partial<BrokerDeps> = {}): Broker {
  const { policy = {}, checksEnabled = true, auditDurability = "return", traffic } = options;
  const frozenPolicy = structuredClone(policy);
  const all = withDefaultDeps(deps);
  const recorder = createRecorder(options.log, auditDurability);
  const crew = createFileCrew({ temporaryDirectory: tmpdir(), ...options.fileWork }, all);
  const inspection = options.inspection ?? {};
  const held = new Map<GrantId, Held>();
  const portsOf = new WeakMap<GrantSet, Held>();
  let isClosed = false;
  const parsedPolicy = parsePolicy(frozenPolicy);

  function decide(make: () => Decision<EffectiveGrant>): Decision<EffectiveGrant> {
    if (held.size >= MAX_GRANTS)
      return refuse("BROKER_GRANTS_FULL", "grant.count", `${held.size} grants are held`);
    const effective = failClosed("grant.effective", make);
    return effective.allowed && effective.value.filesystem !== undefined && !all.supportsFiles()
      ? refuse(
          "BROKER_FILES_UNSUPPORTED",
          "filesystem.platform",
          "files can only be opened without races through Linux' /proc",
        )
      : effective;
  }

  function hold(
    pluginId: PluginId,
    decision: Decision<EffectiveGrant>,
    terms: GrantTerms,
    parent?: Held,
  ): Decision<GrantSet> {
    if (isClosed) throw new BrokerError("BROKER_CLOSED");
    const id = newGrantId();
    const agreed = failClosed("grant.terms", () => withTerms(decision, terms, parent));
    const recorded = recorder.decide({ pluginId }, "capability.grant", agreed, {
      grantId: id,
      checksEnabled,
      ...(parent === undefined ? {} : { parentId: parent.set.id }),
      ...(terms.purpose === undefined ? {} : { purpose: recordedText(terms.purpose) }),
      ...(agreed.allowed ? summaryOf(agreed.value) : {}),
    });
    if (!recorded.allowed) return recorded;
    const set = mint<GrantSet>({ id, pluginId, ...recorded.value });
    const { expiresAtMs } = set;
    if (decision.allowed) standBehind(decision.value, set);
    const cell = createRevocationCell({
      clock: all.clock,
      ...(parent === undefined ? {} : { parent: parent.cell }),
      ...(expiresAtMs === undefined ? {} : { expiresAtMs }),
    });
    const limits = set.network?.limits ?? DEFAULT_NETWORK_LIMITS;
    const usage = createUsage({ limits, quota: set.quota }, all.clock, parent?.usage);
    const shared = { pluginId, grantId: id, cell, recorder, inspection };
    const entry: Held = {
      set,
      cell,
      usage,
      http: createHttpPort({ ...shared, grant: set.network, usage, traffic, deps: all }),
      files: createFiles({ ...shared, grant: set.filesystem, crew }),
      detach: parent?.cell.onRevoke((code) => end(id, code)),
      expiry:
        expiresAtMs === undefined
          ? undefined
          : all.clock.setTimer(Math.max(expiresAtMs - all.clock.monotonicMs(), 0), () =>
              end(id, "BROKER_EXPIRED"),
            ),
    };
    held.set(id, entry);
    portsOf.set(set, entry);
    return allow(recorded.rule, set);
  }

  function withTerms(
    decision: Decision<EffectiveGrant>,
    { purpose, expiresInMs, quota = {} }: GrantTerms,
    parent: Held | undefined,
  ): Decision<Omit<GrantSet, "id" | "pluginId">> {
    if (!decision.allowed) return decision;
    for (const [name, value] of Object.entries({ expiresInMs, ...quota })) {
      if (value !== undefined && !(value >= 0))
        return refuse("BROKER_REQUEST", "grant.terms", `${name}: expected a number from 0`);
    }
    const own = expiresInMs === undefined ? Infinity : all.clock.monotonicMs() + expiresInMs;
    const expiresAtMs = Math.min(own, parent?.set.expiresAtMs ?? Infinity);
    return allow(decision.rule, {
      ...decision.value,
      quota: { ...quota },
      ...(purpose === undefined ? {} : { purpose }),
      ...(parent === undefined ? {} : { parentId: parent.set.id }),
      ...(expiresAtMs === Infinity ? {} : { expiresAtMs }),
    });
  }

  function heldOf(grant: GrantSet): Held {
    const found = portsOf.get(grant);
    if (found === undefined) throw new BrokerError("BROKER_GRANT_UNKNOWN");
    return found;
  }

  function end(grantId: GrantId, code: EndCode): boolean {
    const found = held.get(grantId);
    if (found === undefined) return false;
    held.delete(grantId);
    found.expiry?.cancel();
    found.detach?.();
    // First the effect: a log that is full must not keep a grant alive.
    const ended = found.cell.revoke(code);
    found.files.unload();
    recorder.ended({ pluginId: found.set.pluginId }, "capability.revoke", undefined, {
      grantId,
      ended,
      why: code,
      effectiveMs: all.clock.wallMs(),
    });
    return true;
  }

  return {
    grant(pluginId, request, terms = {}) {
      const { approval } = terms;
      const decision = decide(() =>
        checksEnabled
          ? effectiveGrantOf(request, parsedPolicy, approval)
          : effectiveGrantOf(
              request,
              parsePolicy(policyOfRequest(request, frozenPolicy)),
              approval,
            ),
      );
      return hold(pluginId, decision, terms);
    },
    attenuate(parent, request, terms = {}) {
      const above = heldOf(parent);
      const { endedBy } = above.cell;
      const decision =
        endedBy === undefined
          ? decide(() => attenuatedGrant(parent, request))
          : refuse(endedBy, "grant.attenuate", "the parent has ended");
      return hold(parent.pluginId, decision, terms, above);
    },
    revoke: (grantId) => end(grantId, "BROKER_REVOKED"),
    usage: (grant) => ({ ...heldOf(grant).usage.counts }),
    quotas(grant) {
      const { usage, files } = heldOf(grant);
      return [...(grant.network === undefined ? [] : usage.quotas()), ...files.quotas()];
    },
    grants: (pluginId) =>
      [...held.values()].flatMap(({ set }) => (set.pluginId === pluginId ? [set] : [])),
    http: (grant) => heldOf(grant).http,
    files: (grant) => heldOf(grant).files.port,
    async close() {
      isClosed = true;
      for (const id of held.keys()) end(id, "BROKER_REVOKED");
      await crew.close();
    },
  };
}

/** What the log is told of a grant, bounded: the manifest decides how many hosts and folders there are. */
function summaryOf(grant: EffectiveGrant): EventDetails {
  const folders = grant.filesystem?.folders ?? [];
  return {
    hosts: grant.network?.hosts.length ?? 0,
    folders: folders.slice(0, MAX_RECORDED_ENTRIES).map(({ guest }) => recordedText(guest)),
    withheldCount: grant.withheld.length,
    withheld: grant.withheld.slice(0, MAX_RECORDED_ENTRIES).map((text) => recordedText(text)),
  };
}
