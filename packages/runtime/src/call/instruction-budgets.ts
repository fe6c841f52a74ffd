/**
 * @module What calls are charged in instructions, in budgets that plugins, tenants and the host have
 * over time. A call sets aside the most that it may use and is charged what it used. Where its count
 * was lost, as in a trap, it is charged by the CPU time that the kernel saw, at the rate of calls
 * that ended well: never by what it had left (threats: cheap-trap-drains-tenant).
 */
import type { Decision } from "@glovebox/core/decision";
import type { CallScope, Usage } from "@glovebox/core/ports";
import type { Budgets, CpuRate, Reservation } from "@glovebox/limiter";

/** Charges calls. */
export interface InstructionBudgets {
  /** Sets aside what a call may use; refused with `LIMITER_BUDGET` where there is not so much. */
  reserve(scope: CallScope, maxInstructions: number): Decision<Reservation>;
  /** Charges a call, and answers its usage with an estimate where the count was lost. */
  settle(reservation: Reservation, usage: Usage): Usage;
  /** What became of each budget that concerns a plugin and a tenant. */
  readonly useOf: Budgets["useOf"];
}

/** Joins the limiter's parts. */
export function createInstructionBudgets(budgets: Budgets, rate: CpuRate): InstructionBudgets {
  return {
    reserve: (scope, maxInstructions) => budgets.reserve(scope, maxInstructions),
    settle(reservation, usage) {
      const counted = withEstimate(usage, reservation.amount, rate);
      reservation.settle(counted.instructions ?? 0);
      return counted;
    },
    useOf: (owner) => budgets.useOf(owner),
  };
}

function withEstimate(usage: Usage, max: number, rate: CpuRate): Usage {
  const { instructions, instructionsExact, cpuMs, wallMs } = usage;
  if (instructionsExact === false) {
    return { ...usage, instructions: Math.min(max, rate.unitsFor(cpuMs ?? wallMs)) };
  }
  if (instructions !== null && cpuMs !== null) rate.observe(instructions, cpuMs);
  return usage;
}
