/** @module How the reader gives up: thrown in this folder only, and answered as a refusal. */
import { type Refusal, refuse } from "../decision/index.ts";
import type { CoreErrorCode } from "../errors/index.ts";
import { describePosition } from "./position.ts";

/** Carries a refusal out of nested calls. */
export class JsonStop extends Error {
  readonly refusal: Refusal;

  constructor(code: CoreErrorCode, rule: string, reason: string) {
    super(reason);
    this.refusal = refuse(code, rule, reason);
  }
}

/** A stop at a place of the text. */
export function stopAt(
  code: CoreErrorCode,
  rule: string,
  problem: string,
  text: string,
  offset: number,
): JsonStop {
  return new JsonStop(code, rule, `${problem} at ${describePosition(text, offset)}`);
}
