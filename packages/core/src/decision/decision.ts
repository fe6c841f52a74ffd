/**
 * @module Decisions as values. A door answers untrusted input with an allowance or a refusal that
 * says which rule spoke and why; exceptions are left to programmer errors (invariant I9: a check
 * that itself fails becomes a refusal, in {@link failClosed} and nowhere else).
 */
import { sanitizeForMessage } from "../errors/index.ts";

/** The answer "yes", with what may now be used and the rule that allowed it. */
export interface Allowed<T> {
  readonly allowed: true;
  readonly rule: string;
  readonly value: T;
}

/** The answer "no". */
export interface Refusal {
  readonly allowed: false;
  /** Stable code, prefixed by the package that refused, such as `BROKER_HOST_NOT_GRANTED`. */
  readonly code: string;
  /** The rule that refused, such as `network.hosts`. */
  readonly rule: string;
  /** One sentence for the operator: what, where, expected, received. */
  readonly reason: string;
  /** Milliseconds after which the same request may be allowed; absent when waiting does not help. */
  readonly retryAfterMs?: number;
}

/** An allowance or a refusal. */
export type Decision<T> = Allowed<T> | Refusal;

/** Allows, naming the rule that did. */
export function allow<T>(rule: string, value: T): Allowed<T> {
  return { allowed: true, rule, value };
}

/** Refuses; `retryAfterMs` is set only where waiting helps. */
export function refuse(code: string, rule: string, reason: string, retryAfterMs?: number): Refusal {
  return retryAfterMs === undefined
    ? { allowed: false, code, rule, reason }
    : { allowed: false, code, rule, reason, retryAfterMs };
}

/** Code of a refusal that stands for a check which itself failed. */
export const CHECK_FAILED = "CORE_CHECK_FAILED";

/**
 * Runs a check and turns anything it throws into a refusal (I9).
 *
 * @example
 * ```ts
 * const decision = failClosed("network.hosts", () => decideHost(grant, rawUrl));
 * ```
 */
export function failClosed<T>(rule: string, check: () => Decision<T>): Decision<T> {
  try {
    return check();
  } catch (error) {
    return refusalOf(rule, error);
  }
}

/** As {@link failClosed}, for a check that answers later. */
export async function failClosedAsync<T>(
  rule: string,
  check: () => Promise<Decision<T>>,
): Promise<Decision<T>> {
  try {
    return await check();
  } catch (error) {
    return refusalOf(rule, error);
  }
}

function refusalOf(rule: string, error: unknown): Refusal {
  return refuse(CHECK_FAILED, rule, `the check ${rule} failed and so refuses: ${causeOf(error)}`);
}

/** What was thrown is attacker-controlled at worst: even reading it may throw. */
function causeOf(error: unknown): string {
  try {
    const text = error instanceof Error ? `${error.name}: ${error.message}` : String(error);
    return sanitizeForMessage(text);
  } catch {
    return "an error that cannot be read";
  }
}
