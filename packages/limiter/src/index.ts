/** @module The door of the limiter: admission, deadlines, budgets, memory. */
export type { BudgetUse } from "./budget/account.ts";
export { createBudgets } from "./budget/budgets.ts";
export type {
  BudgetDeps,
  BudgetOptions,
  BudgetOwner,
  Budgets,
  Reservation,
} from "./budget/budgets.ts";
export { createCpuRate } from "./budget/cpu-rate.ts";
export type { CpuRate, CpuRateOptions } from "./budget/cpu-rate.ts";
export type { Allowance, BudgetLevel, LeaseSource } from "./budget/supply.ts";
export { createDeadline } from "./deadline.ts";
export type { Deadline, DeadlineDeps, DeadlineOptions } from "./deadline.ts";
export { LIMITER_ERRORS, LimiterError } from "./errors.ts";
export type { LimiterErrorCode } from "./errors.ts";
export { createLimiter } from "./limiter.ts";
export type { AdmissionRequest, Limiter, LimiterDeps, LimiterStatus } from "./limiter.ts";
export { MemoryLimiter } from "./memory-limiter.ts";
export type { Allocation, MemoryLimiterOptions } from "./memory-limiter.ts";
export type { LimiterOptions } from "./options.ts";
export type { Permit } from "./permit.ts";
export { createRateLimiter } from "./rate-limiter.ts";
export type { RateLimiter, RateLimiterDeps, RateLimiterOptions } from "./rate-limiter.ts";
export type { Priority } from "./waiting-line.ts";
