/**
 * @module What an operator said yes to, as a sealed statement. It is bound to the plugin, to who
 * published it and to the request: another publisher, or a request for more, needs a new one; a
 * request for less does not. A statement whose seal does not hold is nobody's.
 */
import { createHash, createHmac, timingSafeEqual } from "node:crypto";

import { type Decision, allow, failClosed, refuse } from "@glovebox/core/decision";
import { encodeTerminal } from "@glovebox/core/encode";
import type { PluginId } from "@glovebox/core/ids";
import { type JsonValue, canonicalJson } from "@glovebox/core/json";
import type { DecisionLog } from "@glovebox/core/ports";

import { BrokerError } from "../errors.ts";
import { MAX_RECORDED_ENTRIES, MIN_SEAL_KEY_BYTES } from "../limits.ts";
import { createRecorder, recordedText } from "../record.ts";
import type { Cidr } from "../target/address.ts";
import { type Change, differenceOf } from "./difference.ts";
import { type Capabilities, widerFields } from "./field-table.ts";
import { parseRequest } from "./parse-request.ts";
import { type CapabilityRequest, policyCidrs } from "./policy.ts";

/** A sealed yes; plain data that can be stored anywhere. */
export interface Approval {
  readonly pluginId: PluginId;
  /** Who signed the plugin, as the signer names them. */
  readonly publisher: string;
  /** What was approved. */
  readonly request: CapabilityRequest;
  /** SHA-256 of the canonical JSON (RFC 8785) of plugin, publisher and request, hexadecimal. */
  readonly requestDigest: string;
  /** Who approved. */
  readonly operator: string;
  readonly approvedAtMs: number;
  /** Base64 over everything else. */
  readonly seal: string;
}

/** Makes and checks seals; a signature scheme serves as well as a keyed hash. */
export interface Sealer {
  seal(bytes: Uint8Array): Uint8Array;
  isSealed(bytes: Uint8Array, seal: Uint8Array): boolean;
}

/** Whose request, and what it asks. */
export interface ApprovalSubject {
  readonly pluginId: PluginId;
  readonly publisher: string;
  readonly request: CapabilityRequest;
}

/** How approvals are made and checked. */
export interface ApprovalOptions {
  /** Makes and checks the seals. */
  readonly sealer: Sealer;
  /** Takes every approval and every check. */
  readonly log: DecisionLog;
  /** Ranges that the policy opens; requests may name addresses in them. Default: none. */
  readonly privateCidrs?: readonly string[];
  /** Milliseconds since 1970. Default: the system's clock. */
  readonly wallMs?: () => number;
}

/** Makes approvals, and checks them against what is asked. */
export interface Approvals {
  /** Says yes to a request, in the operator's name. */
  approve(subject: ApprovalSubject, operator: string): Decision<Approval>;
  /**
   * What may be granted under an approval: the request itself, which it covers. A request for no
   * capability is covered by none.
   */
  check(approval: Approval | undefined, subject: ApprovalSubject): Decision<CapabilityRequest>;
  /** What a request asks beyond an approval and less than it; all that it asks where the approval is not the subject's. */
  difference(approval: Approval | undefined, subject: ApprovalSubject): Decision<readonly Change[]>;
  /** Whether the seal holds; no more is believed of an approval that was stored. */
  isSealed(approval: Approval): boolean;
  /** Names who asks for what: SHA-256 of the subject's canonical JSON (RFC 8785), hexadecimal. */
  digest(subject: ApprovalSubject): string;
}

const RULE = "grant.approval";
/** Who may stand in the log as `operator:NAME`: one word of printable ASCII. */
const OPERATOR = /^[\x21-\x7e]{1,110}$/;

/**
 * Seals by HMAC-SHA-256: whoever holds the key may approve.
 *
 * @throws {@link BrokerError} (`BROKER_POLICY`) when the key is shorter than 32 bytes.
 */
export function createHmacSealer(key: Uint8Array): Sealer {
  if (key.length < MIN_SEAL_KEY_BYTES) {
    throw new BrokerError("BROKER_POLICY", {
      message: `a key for seals has at least ${MIN_SEAL_KEY_BYTES} bytes`,
    });
  }
  const own = Uint8Array.from(key);
  const seal = (bytes: Uint8Array): Uint8Array => createHmac("sha256", own).update(bytes).digest();
  return {
    seal,
    isSealed(bytes, given) {
      const expected = seal(bytes);
      return given.length === expected.length && timingSafeEqual(given, expected);
    },
  };
}

/**
 * Approvals over a sealer.
 *
 * @example
 * ```ts
 * import { createApprovals, createHmacSealer } from "@glovebox/capability-broker";
 *
 * const log = { record: () => ({ allowed: false, code: "NO_LOG", rule: "example", reason: "no log" }) } as const;
 * const approvals = createApprovals({ sealer: createHmacSealer(new Uint8Array(32).fill(7)), log });
 * ```
 */
export function createApprovals(options: ApprovalOptions): Approvals {
  const { sealer, log, wallMs = () => Date.now() } = options;
  const recorder = createRecorder(log, "return");
  const cidrs: readonly Cidr[] = policyCidrs("privateCidrs", options.privateCidrs);

  function recorded<T>(
    kind: string,
    subject: ApprovalSubject,
    decision: Decision<T>,
    actor?: string,
  ): Decision<T> {
    const details = {
      publisher: recordedText(subject.publisher),
      requestDigest: digestOf(subject),
    };
    return recorder.decide({ pluginId: subject.pluginId }, kind, decision, details, actor);
  }

  function isSealed(approval: Approval): boolean {
    const decision = failClosed(RULE, () => {
      const seal = Buffer.from(approval.seal, "base64");
      return allow(RULE, sealer.isSealed(sealedBytes(approval), seal));
    });
    return decision.allowed && decision.value;
  }

  /** What an approval gives; it comes from where it was stored, and only its seal is believed. */
  function given(
    approval: Approval | undefined,
    { pluginId, publisher }: ApprovalSubject,
  ): Decision<Capabilities> {
    const refused = (why: string): Decision<never> =>
      refuse("BROKER_APPROVAL", RULE, `${pluginId}: ${why}`);
    if (approval === undefined) return refused("nobody approved it");
    if (!isSealed(approval)) return refused("the seal does not hold");
    if (approval.requestDigest !== digestOf(approval))
      return refused("the digest is not that of the request");
    if (approval.pluginId !== pluginId) return refused(`it approves ${approval.pluginId}`);
    if (approval.publisher !== publisher)
      return refused(`the publisher has changed; approved is ${approval.publisher}`);
    return parseRequest(approval.request, cidrs);
  }

  function checked(
    approval: Approval | undefined,
    subject: ApprovalSubject,
  ): Decision<CapabilityRequest> {
    const { pluginId, request } = subject;
    const asked = parseRequest(request, cidrs);
    if (!asked.allowed) return asked;
    const nothing = parseRequest({}, cidrs);
    if (nothing.allowed && widerFields(nothing.value, asked.value).length === 0)
      return allow(RULE, request);
    const gives = given(approval, subject);
    if (!gives.allowed) return gives;
    const wider = widerFields(gives.value, asked.value);
    if (wider.length === 0) return allow(RULE, request);
    const more = differenceOf(gives.value, asked.value)
      .filter(({ kind }) => kind === "gained")
      .slice(0, MAX_RECORDED_ENTRIES);
    const words = more.length === 0 ? wider : more.map((change) => change.words);
    return refuse("BROKER_APPROVAL", RULE, `${pluginId}: asks for more: ${words.join("; ")}`);
  }

  return {
    approve(subject, operator) {
      const isNamed = OPERATOR.test(operator);
      const parsed = failClosed(RULE, () =>
        isNamed
          ? parseRequest(subject.request, cidrs)
          : refuse("BROKER_REQUEST", RULE, "operator: expected a name of ASCII without spaces"),
      );
      const request = structuredClone(subject.request);
      const decision: Decision<Omit<Approval, "seal">> = parsed.allowed
        ? allow(RULE, {
            pluginId: subject.pluginId,
            publisher: subject.publisher,
            request,
            requestDigest: digestOf({ ...subject, request }),
            operator,
            approvedAtMs: wallMs(),
          })
        : parsed;
      // Recorded before it is sealed: an approval that the log does not know is not made.
      const actor = isNamed ? `operator:${operator}` : undefined;
      const taken = recorded("capability.approve", subject, decision, actor);
      if (!taken.allowed) return taken;
      const seal = Buffer.from(sealer.seal(sealedBytes(taken.value))).toString("base64");
      return allow(RULE, Object.freeze({ ...taken.value, seal }));
    },
    check: (approval, subject) =>
      recorded(
        "capability.approval",
        subject,
        failClosed(RULE, () => checked(approval, subject)),
      ),
    difference: (approval, subject) =>
      failClosed(RULE, () => {
        const isTheirs = failClosed(RULE, () => given(approval, subject)).allowed;
        const before = isTheirs ? approval?.request : undefined;
        return requestChanges(before, subject.request, options.privateCidrs);
      }),
    isSealed,
    digest: digestOf,
  };
}

/**
 * What one request asks beyond another and less than it; without the other, all that it asks. Both are
 * untrusted, and refused when malformed.
 *
 * @param privateCidrs - Ranges that the policy opens; requests may name addresses in them. Default: none
 */
export function requestChanges(
  before: CapabilityRequest | undefined,
  after: CapabilityRequest,
  privateCidrs?: readonly string[],
): Decision<readonly Change[]> {
  return failClosed(RULE, () => {
    const ranges = policyCidrs("privateCidrs", privateCidrs);
    const had = parseRequest(before ?? {}, ranges);
    const asks = parseRequest(after, ranges);
    if (!had.allowed) return had;
    return asks.allowed ? allow(RULE, differenceOf(had.value, asks.value)) : asks;
  });
}

/** Changes as lines for a person at a terminal; names in them are the plugin's. */
export function changeLines(changes: readonly Change[]): readonly string[] {
  return changes.map(
    ({ kind, words }) => `${kind === "gained" ? "+" : "-"} ${encodeTerminal(words)}`,
  );
}

function sealedBytes(approval: Omit<Approval, "seal">): Uint8Array {
  const { pluginId, publisher, request, requestDigest, operator, approvedAtMs } = approval;
  const statement = { pluginId, publisher, request, requestDigest, operator, approvedAtMs };
  // Named, so that a seal never counts for another kind of statement under the same key.
  return Buffer.from(`glovebox approval v1\n${canonicalJson(statement as unknown as JsonValue)}`);
}

/** With plugin and publisher: the same request of somebody else is not what an operator has read. */
function digestOf({ pluginId, publisher, request }: ApprovalSubject): string {
  const subject = { pluginId, publisher, request } as unknown as JsonValue;
  return createHash("sha256").update(canonicalJson(subject)).digest("hex");
}
