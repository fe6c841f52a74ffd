/**
 * @module Where loads wait for an operator's yes. A plugin that asks for a capability is loaded when
 * a sealed approval covers it: for this plugin, by this publisher, for no less than is asked. What is
 * refused here waits, with what an operator has to read, until it is approved and loaded from the
 * same bytes (threats: stale-approval, package-toctou).
 */
import {
  type Approval,
  type ApprovalSubject,
  type Broker,
  type CapabilityRequest,
  changeLines,
  createApprovals,
  createHmacSealer,
  requestChanges,
} from "@glovebox/capability-broker";
import type { Clock } from "@glovebox/core/clock";
import { allow, type Decision, refuse } from "@glovebox/core/decision";
import { received, sanitizeForMessage } from "@glovebox/core/errors";
import type { PluginId } from "@glovebox/core/ids";

import type { ApprovalStore } from "../approval-store.ts";
import type { Events } from "../events/fan-out.ts";
import { EVENT } from "../events/kinds.ts";
import { MAX_WAITING_LOADS } from "../limits.ts";
import type { PluginPackage } from "../package/plugin-package.ts";

/** A load that waits for an operator. */
export interface PendingApproval {
  readonly pluginId: PluginId;
  readonly version: string;
  /** Who signed it: name and key, or `unsigned` with the digest of all its files. */
  readonly publisher: string;
  /** Why it is not covered. */
  readonly reason: string;
  /** What it asks beyond what this publisher has, and less: `+ may now also write to /data`. */
  readonly changes: readonly string[];
  /** Names exactly this request of this publisher. */
  readonly requestDigest: string;
}

/** What an operator said yes to. */
export interface ApprovedRequest {
  readonly pluginId: string;
  readonly publisher: string;
  readonly operator: string;
  /** Milliseconds since 1970. */
  readonly approvedAtMs: number;
  readonly requestDigest: string;
  /** Everything that it allows, as lines. */
  readonly allows: readonly string[];
  /** False where the seal does not hold: it then allows nothing. */
  readonly isSealed: boolean;
}

/** All approvals, and what waits for one. */
export interface ApprovalOverview {
  readonly pending: readonly PendingApproval[];
  readonly approved: readonly ApprovedRequest[];
}

/** Who says yes, and to which request. */
export interface ApprovalOrder {
  /** One word of printable ASCII, for the log. */
  readonly operator: string;
  /** Of the request that the operator has read. */
  readonly requestDigest: string;
}

/** One version of a plugin that wants to be loaded. */
export interface Asking {
  readonly subject: ApprovalSubject;
  readonly version: string;
  readonly source: PluginPackage;
}

/** Checks, gives and takes approvals. */
export interface ApprovalDesk {
  /** What may be granted at most; a refusal lets it wait. `undefined`: nobody is asked. Recorded. */
  check(asking: Asking): Decision<CapabilityRequest | undefined>;
  overview(): ApprovalOverview;
  /** Says yes to what waits; answers the bytes to load. Recorded before it counts. */
  approve(pluginId: string, order: ApprovalOrder): Promise<Decision<PluginPackage>>;
  /**
   * Takes an approval back, and ends every grant of the plugin with what is in flight, before anything
   * else. What it was given to (`running`) waits from then on. `false`: there was none.
   */
  revoke(pluginId: string, operator: string, running: Asking | undefined): Promise<boolean>;
}

/** What a desk works with. */
export interface ApprovalDeskParts {
  /** Absent: the policy alone decides. */
  readonly store: ApprovalStore | undefined;
  /** Ranges that the policy opens, which requests may name. */
  readonly privateCidrs: readonly string[] | undefined;
  readonly broker: Pick<Broker, "grants" | "revoke">;
  readonly events: Events;
  readonly clock: Pick<Clock, "wallMs">;
}

const RULE = "approvals";

/** Opens a desk over a store. */
export function createApprovalDesk(parts: ApprovalDeskParts): ApprovalDesk {
  const { store, privateCidrs, broker, events, clock } = parts;
  if (store === undefined) {
    const none = refuse("RUNTIME_APPROVAL_UNKNOWN", RULE, "approvals are not asked for");
    return {
      check: () => allow(RULE, undefined),
      overview: () => ({ pending: [], approved: [] }),
      approve: async () => none,
      revoke: async () => false,
    };
  }
  const approvals = createApprovals({
    sealer: createHmacSealer(store.sealKey),
    log: events,
    wallMs: () => clock.wallMs(),
    ...(privateCidrs === undefined ? {} : { privateCidrs }),
  });
  const waiting = new Map<string, { readonly asking: Asking; readonly pending: PendingApproval }>();
  const find = (pluginId: string): Approval | undefined =>
    store.list().find((approval) => approval.pluginId === pluginId);

  /** Kept in words: whoever can reach a host may read them, and 2,048 hosts take 0.1 s to put so. */
  const inWords = new WeakMap<Approval, ApprovedRequest>();
  function approvedOf(approval: Approval): ApprovedRequest {
    let approved = inWords.get(approval);
    if (approved === undefined) {
      const { pluginId, publisher, operator, approvedAtMs, requestDigest, request } = approval;
      const all = requestChanges(undefined, request, privateCidrs);
      const allows = all.allowed ? changeLines(all.value) : [];
      const isSealed = approvals.isSealed(approval);
      const who = { pluginId, publisher, operator, approvedAtMs };
      approved = { ...who, requestDigest, allows, isSealed };
      inWords.set(approval, approved);
    }
    return approved;
  }

  function wait(asking: Asking, reason: string): void {
    const { subject, version } = asking;
    const { pluginId, publisher } = subject;
    const changes = approvals.difference(find(pluginId), subject);
    waiting.delete(pluginId);
    // The operator loads plugins, so that this is no attacker's to fill; the oldest makes room.
    const [oldest] = waiting.keys();
    if (oldest !== undefined && waiting.size >= MAX_WAITING_LOADS) waiting.delete(oldest);
    const pending = {
      pluginId,
      version,
      publisher,
      reason,
      changes: changes.allowed ? changeLines(changes.value) : [],
      requestDigest: approvals.digest(subject),
    };
    waiting.set(pluginId, { asking, pending });
  }

  return {
    check(asking) {
      const { subject } = asking;
      const decision = approvals.check(find(subject.pluginId), subject);
      if (decision.allowed) {
        const { requestDigest } = waiting.get(subject.pluginId)?.pending ?? {};
        if (requestDigest === approvals.digest(subject)) waiting.delete(subject.pluginId);
      } else if (decision.code === "BROKER_APPROVAL") wait(asking, decision.reason);
      return decision;
    },
    overview: () => ({
      pending: [...waiting.values()].map(({ pending }) => pending),
      approved: store.list().map(approvedOf),
    }),
    async approve(pluginId, { operator, requestDigest }) {
      const found = waiting.get(pluginId);
      if (found === undefined) {
        const reason = `nothing of ${received(pluginId)} waits for an approval`;
        return refuse("RUNTIME_APPROVAL_UNKNOWN", RULE, reason);
      }
      if (found.pending.requestDigest !== requestDigest) {
        const reason = `${pluginId} waits with another request than the one that was read`;
        return refuse("RUNTIME_APPROVAL_CHANGED", RULE, reason);
      }
      const approved = approvals.approve(found.asking.subject, operator);
      if (!approved.allowed) return approved;
      const before = find(pluginId)?.seal;
      // The store would outlive what a failing disk has lost of the log.
      const recorded = await events.lastSettled();
      if (recorded?.allowed === false) return recorded;
      if (find(pluginId)?.seal !== before) {
        const reason = `the approval of ${pluginId} was taken back or replaced meanwhile`;
        return refuse("RUNTIME_APPROVAL_CHANGED", RULE, reason);
      }
      try {
        await store.save(approved.value);
      } catch (error) {
        return notKept(pluginId, operator, "approval.save", error);
      }
      return allow(RULE, found.asking.source);
    },
    async revoke(pluginId, operator, running) {
      const found = find(pluginId);
      if (found === undefined) return false;
      // The effect first: neither a disk nor a log may keep a grant alive.
      const grants = broker.grants(found.pluginId).filter(({ id }) => broker.revoke(id));
      const removed = store.remove(pluginId);
      if (running !== undefined) wait(running, `${pluginId}: ${operator} took its approval back`);
      try {
        await removed;
      } catch (error) {
        notKept(pluginId, operator, "approval.revoke", error);
        throw error;
      }
      const details = { action: "approval.revoke", grants: grants.map(({ id }) => id) };
      const actor = `operator:${operator}`;
      events.tell(
        { pluginId: found.pluginId },
        { kind: EVENT.operator, success: true, rule: RULE, actor, details },
      );
      return true;
    },
  };

  function notKept(pluginId: string, operator: string, action: string, cause: unknown) {
    const reason = `the approvals cannot be kept: ${sanitizeForMessage(String(cause))}`;
    const code = "RUNTIME_APPROVAL_STORE";
    const event = { kind: EVENT.operator, success: false, rule: RULE, code, error: reason };
    const actor = `operator:${operator}`;
    events.tell({}, { ...event, actor, details: { action, pluginId } });
    return refuse(code, RULE, reason);
  }
}
