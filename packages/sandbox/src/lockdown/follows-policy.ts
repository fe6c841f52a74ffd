/**
 * @module Whether a filter's program answers every call as the table says: evaluated for each
 * number, for the numbers of other ABIs, and for the arguments that make a difference.
 */
import {
  type Architecture,
  AUDIT_ARCH,
  type CallAnswer,
  type CallRule,
  judgeCall,
  SYSTEM_CALL_NUMBERS,
} from "@glovebox/linux/seccomp";

import { runnerCalls } from "./syscall-policy.ts";

/** Above every number that Linux has given (470 in 2026), and beyond it nothing differs. */
const NUMBERS = 512;
/** The same numbers with this bit are those of x86-64's 32-bit ABI. */
const X32_BIT = 0x40000000;

/** Whether `program` is the filter of the runner with this pid. */
export function followsPolicy(program: Uint8Array, pid: number, own: Architecture): boolean {
  const rules = runnerCalls(pid);
  const byNumber = new Map<number | null, CallRule>(
    rules.map((rule) => [SYSTEM_CALL_NUMBERS[rule.call][own], rule]),
  );
  const answers = (
    architecture: number,
    number: number,
    args: bigint[] = [],
  ): CallAnswer | undefined => judgeCall(program, { architecture, number, arguments: args });
  for (let number = 0; number < NUMBERS; number++) {
    const rule = byNumber.get(number);
    if (answers(AUDIT_ARCH[own], number) !== (rule?.answer ?? "kill")) return false;
    if (answers(AUDIT_ARCH[own], number + X32_BIT) !== "kill") return false;
    if (answers(AUDIT_ARCH[own === "x64" ? "arm64" : "x64"], number) !== "kill") return false;
    if (rule?.allowedWhere !== undefined) {
      const args = Array.from({ length: rule.allowedWhere.argument + 1 }, () => 0n);
      args[rule.allowedWhere.argument] = BigInt(rule.allowedWhere.equals);
      if (answers(AUDIT_ARCH[own], number, args) !== "allow") return false;
    }
    if (rule?.killedWhere !== undefined) {
      const { argument, anyOf } = rule.killedWhere;
      for (let bit = 0; bit < 32; bit++) {
        const args = Array.from({ length: argument + 1 }, () => 0n);
        args[argument] = 1n << BigInt(bit);
        const expected = ((anyOf >>> bit) & 1) === 1 ? "kill" : rule.answer;
        if (answers(AUDIT_ARCH[own], number, args) !== expected) return false;
      }
    }
  }
  return true;
}
