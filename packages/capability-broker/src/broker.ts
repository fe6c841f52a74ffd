/**
 * @module The broker: makes grants, hands out the ports that use them, revokes them. Everything a
 * plugin reaches goes through a grant that is checked at each use (I5), and every decision has its
 * place in the log before its effect (I6).
 */
import { type Decision, allow, failClosed, refuse } from "@glovebox/core/decision";
import { type GrantId, type PluginId, newGrantId } from "@glovebox/core/ids";
import type { DecisionLog, FilePort, HttpPort } from "@glovebox/core/ports";

import { type BrokerDeps, withDefaultDeps } from "./deps.ts";
import { BrokerError } from "./errors.ts";
import { createFilePort } from "./filesystem/filesystem.ts";
import { createHostRoots } from "./filesystem/host-root.ts";
import { effectiveGrant } from "./grant/effective-grant.ts";
import { type EffectiveGrant, type GrantSet, mint } from "./grant/grant.ts";
import { type CapabilityRequest, type HostPolicy, policyOfRequest } from "./grant/policy.ts";
import { type RevocationCell, createRevocationCell } from "./grant/revocation.ts";
import { MAX_GRANTS, MAX_RECORDED_ENTRIES } from "./limits.ts";
import { createHttpPort } from "./network/network.ts";
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
}

/** Makes, serves and revokes grants. */
export interface Broker {
  /** Manifest ∩ policy ∩ approval for one plugin. */
  grant(
    pluginId: PluginId,
    request: CapabilityRequest,
    approval?: CapabilityRequest,
  ): Decision<GrantSet>;
  /** Ends a grant and everything in flight through it, at once; false when there is no such grant. */
  revoke(grantId: GrantId): boolean;
  /** Grants of a plugin that are not revoked. */
  grants(pluginId: PluginId): readonly GrantSet[];
  /** HTTP through a grant; the same port each time. */
  http(grant: GrantSet): HttpPort;
  /** Files through a grant; the same port each time. */
  files(grant: GrantSet): FilePort;
  /** Revokes every grant and closes the host folders. */
  close(): Promise<void>;
}

interface Held {
  readonly set: GrantSet;
  readonly cell: RevocationCell;
  readonly http: HttpPort;
  readonly files: FilePort;
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
  const { policy = {}, checksEnabled = true, auditDurability = "return" } = options;
  const frozenPolicy = structuredClone(policy);
  const all = withDefaultDeps(deps);
  const recorder = createRecorder(options.log, auditDurability);
  const roots = createHostRoots();
  const held = new Map<GrantId, Held>();
  const portsOf = new WeakMap<GrantSet, Held>();
  let isClosed = false;
  effectiveGrant({}, frozenPolicy);

  function decide(
    request: CapabilityRequest,
    approval: CapabilityRequest | undefined,
  ): Decision<EffectiveGrant> {
    if (held.size >= MAX_GRANTS)
      return refuse("BROKER_GRANTS_FULL", "grant.count", `${held.size} grants are held`);
    const effective = failClosed("grant.effective", () =>
      effectiveGrant(
        request,
        checksEnabled ? frozenPolicy : policyOfRequest(request, frozenPolicy),
        approval,
      ),
    );
    return effective.allowed && effective.value.filesystem !== undefined && !all.supportsFiles()
      ? refuse(
          "BROKER_FILES_UNSUPPORTED",
          "filesystem.platform",
          "files can only be opened without races through Linux' /proc",
        )
      : effective;
  }

  function heldOf(grant: GrantSet): Held {
    const found = portsOf.get(grant);
    if (found === undefined) throw new BrokerError("BROKER_GRANT_UNKNOWN");
    return found;
  }

  function revoke(grantId: GrantId): boolean {
    const found = held.get(grantId);
    if (found === undefined) return false;
    held.delete(grantId);
    // First the effect: a log that is full must not keep a grant alive.
    const ended = found.cell.revoke();
    recorder.ended({ pluginId: found.set.pluginId }, "capability.revoke", undefined, {
      grantId,
      ended,
      effectiveMs: all.clock.wallMs(),
    });
    return true;
  }

  return {
    grant(pluginId, request, approval) {
      if (isClosed) throw new BrokerError("BROKER_CLOSED");
      const decision = decide(request, approval);
      const id = newGrantId();
      const recorded = recorder.decide({ pluginId }, "capability.grant", decision, {
        grantId: id,
        checksEnabled,
        ...(decision.allowed ? summaryOf(decision.value) : {}),
      });
      if (!recorded.allowed) return recorded;
      const set = mint<GrantSet>({ id, pluginId, ...recorded.value });
      const cell = createRevocationCell();
      const shared = { pluginId, cell, recorder };
      const entry: Held = {
        set,
        cell,
        http: createHttpPort({ ...shared, grant: set.network, deps: all }),
        files: createFilePort({ ...shared, grant: set.filesystem, roots }),
      };
      held.set(id, entry);
      portsOf.set(set, entry);
      return allow(recorded.rule, set);
    },
    revoke,
    grants: (pluginId) =>
      [...held.values()].flatMap(({ set }) => (set.pluginId === pluginId ? [set] : [])),
    http: (grant) => heldOf(grant).http,
    files: (grant) => heldOf(grant).files,
    async close() {
      isClosed = true;
      for (const id of held.keys()) revoke(id);
      await roots.close();
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
