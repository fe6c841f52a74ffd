/**
 * @module Matchers for coded errors and refusals. `import "@glovebox/testkit/matchers"` registers
 * both with vitest; tests then match on the code, which is stable, and never on a message.
 */
import { SecurityError, received as quote } from "@glovebox/core/errors";
import { expect } from "vitest";

/** What a matcher answers to vitest. */
export interface MatchResult {
  readonly pass: boolean;
  readonly message: () => string;
}

/** What a function answers when it is called; other values stand for themselves. */
type Answer<T> = T extends (...args: never) => infer A ? A : T;

/** `unknown` first: `any` and `never` would otherwise count as promises too. */
type Eventually<R, T> =
  R extends Promise<void>
    ? R
    : unknown extends Answer<T>
      ? R
      : [Answer<T>] extends [never]
        ? R
        : Answer<T> extends PromiseLike<unknown>
          ? Promise<void>
          : R;

declare module "vitest" {
  // The type parameters have to be those of vitest's own declaration.
  interface Matchers<R extends void | Promise<void> = void | Promise<void>, T = unknown> {
    /**
     * The function throws, or the promise (also that of an asynchronous function) rejects with, a
     * `SecurityError` of this code. Of a promise it has to be awaited. After `.rejects` the error
     * itself is judged.
     */
    toThrowCode(code: string): Eventually<R, T>;
    /** The decision, or the promise of one, is a refusal of this code that names rule and reason. */
    toRefuse(code: string): Eventually<R, T>;
  }
}

/** The matchers as functions. */
export interface CodedMatchers {
  toThrowCode(received: unknown, code: string): MatchResult | Promise<MatchResult>;
  toRefuse(received: unknown, code: string): MatchResult | Promise<MatchResult>;
}

/** The matchers that importing this file registers. */
export const codedMatchers: CodedMatchers = {
  toThrowCode(received, code) {
    if (typeof received !== "function") {
      return isPromiseLike(received) ? judgeRejection(received, code) : judgeError(received, code);
    }
    let returned: unknown;
    try {
      returned = received();
    } catch (error) {
      return judgeError(error, code);
    }
    return isPromiseLike(returned) ? judgeRejection(returned, code) : nothingThrown(code, returned);
  },
  toRefuse(received, code) {
    return isPromiseLike(received)
      ? Promise.resolve(received).then((decision) => judgeRefusal(decision, code))
      : judgeRefusal(received, code);
  },
};

expect.extend({ ...codedMatchers });

async function judgeRejection(promise: PromiseLike<unknown>, code: string): Promise<MatchResult> {
  return promise.then(
    (value) => nothingThrown(code, value),
    (error: unknown) => judgeError(error, code),
  );
}

function judgeError(error: unknown, code: string): MatchResult {
  const pass = error instanceof SecurityError && error.code === code;
  return result(pass, `an error with code ${code}`, describeThrown(error));
}

function nothingThrown(code: string, value: unknown): MatchResult {
  const hint = isRefusal(value)
    ? `the refusal ${value.code} was returned: use toRefuse`
    : "nothing was thrown";
  return result(false, `an error with code ${code}`, hint);
}

function judgeRefusal(decision: unknown, code: string): MatchResult {
  const pass = isRefusal(decision) && decision.code === code;
  return result(pass, `a refusal with code ${code}`, describeDecision(decision));
}

function result(pass: boolean, expected: string, got: string): MatchResult {
  return {
    pass,
    message: () => `expected ${pass ? "anything but " : ""}${expected}; received: ${got}`,
  };
}

function describeThrown(error: unknown): string {
  if (error instanceof SecurityError) return `${error.name} ${error.code}: ${error.message}`;
  return error instanceof Error ? `${error.name} without a code: ${error.message}` : quote(error);
}

function describeDecision(value: unknown): string {
  if (isRefusal(value)) return `a refusal with code ${value.code} (${value.rule}): ${value.reason}`;
  return typeof value === "object" && value !== null && "allowed" in value
    ? `a decision that is no whole refusal: ${JSON.stringify(value)}`
    : `no decision: ${quote(value)}`;
}

/** A refusal that does not say which rule spoke and why is none. */
function isRefusal(value: unknown): value is { code: string; rule: string; reason: string } {
  if (typeof value !== "object" || value === null) return false;
  const { allowed, code, rule, reason } = value as Readonly<Record<string, unknown>>;
  return (
    allowed === false &&
    [code, rule, reason].every((part) => typeof part === "string" && part !== "")
  );
}

function isPromiseLike(value: unknown): value is PromiseLike<unknown> {
  return (
    typeof value === "object" &&
    value !== null &&
    "then" in value &&
    typeof value.then === "function"
  );
}
