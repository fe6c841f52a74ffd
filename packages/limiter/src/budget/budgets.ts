/**
 * @module Budgets of a resource that calls use up, for the plugin, the tenant and the host at once:
 * fuel, bytes, milliseconds of CPU. A call reserves what it may use at most before it starts and
 * settles what it used at its end.
 */
import { type Clock, systemClock } from "@glovebox/core/clock";
import { type Decision, type Refusal, allow, refuse } from "@glovebox/core/decision";
import type { PluginId, TenantId } from "@glovebox/core/ids";

import { outside, positive, wholeNumber } from "../check-option.ts";
import { KeyTable } from "../key-table.ts";
import { BUSY_RETRY_MS, DEFAULT_MAX_KEYS } from "../limits.ts";
import { Account, type BudgetUse } from "./account.ts";
import {
  type Allowance,
  type BudgetLevel,
  type LeaseSource,
  leaseSupply,
  timeSupply,
} from "./supply.ts";

/** The budgets of one resource. A level that is left out is not limited. */
export interface BudgetOptions {
  /** What each plugin has. Default: no limit. */
  readonly plugin?: Allowance;
  /** What each tenant has, across plugins. Default: no limit. */
  readonly tenant?: Allowance;
  /** What all calls together have. Default: no limit. */
  readonly host?: Allowance;
  /** Plugins, and likewise tenants, that are tracked at once, at least 1. Default: 10,000. */
  readonly maxKeys?: number;
}

/** What {@link createBudgets} needs from outside. */
export interface BudgetDeps {
  /** Default: the system's clock. */
  readonly clock?: Clock;
  /**
   * Shares the budgets with other hosts. Default: none; units come back with time, on this host
   * alone. With it, `perSecond` is the source's to apply, and every account starts empty.
   */
  readonly leases?: LeaseSource;
}

/** Whose budgets are meant. */
export interface BudgetOwner {
  readonly pluginId: PluginId;
  /** Without it only the plugin's and the host's budgets count. */
  readonly tenantId?: TenantId;
}

/** Units that are set aside for one call. Disposed without being settled, all of them count as used. */
export interface Reservation extends Disposable {
  readonly amount: number;
  /**
   * Says what was used; what was not comes back. More than was reserved becomes a debt. `false` when
   * it was settled before, which changes nothing.
   *
   * @throws {@link LimiterError} (`LIMITER_OPTION`) when `used` is negative or not finite.
   */
  settle(used: number): boolean;
}

/** Budgets of one resource. */
export interface Budgets {
  /** Reserves from all levels or from none; refuses with `LIMITER_BUDGET` or `LIMITER_KEYS`. */
  reserve(owner: BudgetOwner, amount: number): Decision<Reservation>;
  /** What became of each budget that concerns the owner; a level is absent where nothing is limited or known. */
  useOf(owner: BudgetOwner): Readonly<Partial<Record<BudgetLevel, BudgetUse>>>;
}

/**
 * Makes the budgets of one resource.
 *
 * @throws {@link LimiterError} (`LIMITER_OPTION`) for an option outside its range.
 *
 * @example
 * ```ts
 * const fuel = createBudgets({ plugin: { capacity: 1e9, perSecond: 1e8 } });
 * const reservation = fuel.reserve({ pluginId }, 1e6);
 * if (reservation.allowed) reservation.value.settle(123_456);
 * ```
 */
export function createBudgets(options: BudgetOptions, deps: BudgetDeps = {}): Budgets {
  const clock = deps.clock ?? systemClock;
  const maxKeys = wholeNumber("maxKeys", options.maxKeys ?? DEFAULT_MAX_KEYS, 1);
  const openAccount = (level: BudgetLevel, allowance: Allowance, key: string): Account => {
    const { leases } = deps;
    if (leases === undefined) {
      return new Account(timeSupply(allowance, clock), allowance.capacity, allowance.capacity);
    }
    const acquire = (wanted: number): Promise<number> => leases.acquire(level, key, wanted);
    return new Account(leaseSupply(allowance, clock, acquire), allowance.capacity, 0);
  };
  const table = <Key extends string>(
    level: "plugin" | "tenant",
  ): KeyTable<Key, Account> | undefined => {
    const allowance = checked(level, options[level]);
    return allowance && new KeyTable(maxKeys, (key: Key) => openAccount(level, allowance, key));
  };
  const plugins = table<PluginId>("plugin");
  const tenants = table<TenantId>("tenant");
  const hostAllowance = checked("host", options.host);
  const host = hostAllowance && openAccount("host", hostAllowance, "");

  return {
    reserve({ pluginId, tenantId }, amount) {
      assertAmount("amount", amount);
      const accounts: Account[] = [];
      // The widest first: its refusal is the most useful one.
      const levels = [
        ["host", host, host !== undefined],
        [
          "tenant",
          tenantId && tenants?.open(tenantId),
          tenantId !== undefined && tenants !== undefined,
        ],
        ["plugin", plugins?.open(pluginId), plugins !== undefined],
      ] as const;
      for (const [level, account, isLimited] of levels) {
        if (!isLimited) continue;
        if (!(account instanceof Account)) return keysRefusal(level);
        const waitMs = account.waitMs(amount);
        if (waitMs > 0) return budgetRefusal(level, amount, waitMs);
        accounts.push(account);
      }
      for (const account of accounts) account.reserve(amount);
      return allow("limiter.budget", reservation(accounts, amount));
    },
    useOf({ pluginId, tenantId }) {
      const accounts = {
        plugin: plugins?.get(pluginId),
        tenant: tenantId && tenants?.get(tenantId),
        host,
      };
      const known = Object.entries(accounts).flatMap(([level, account]) =>
        account instanceof Account ? [[level, account.use()] as const] : [],
      );
      return Object.fromEntries(known);
    },
  };
}

function reservation(accounts: readonly Account[], amount: number): Reservation {
  let isSettled = false;
  const settle = (used: number): boolean => {
    assertAmount("used", used);
    if (isSettled) return false;
    isSettled = true;
    for (const account of accounts) account.settle(amount, used);
    return true;
  };
  return { amount, settle, [Symbol.dispose]: () => void settle(amount) };
}

function checked(level: BudgetLevel, allowance: Allowance | undefined): Allowance | undefined {
  if (allowance === undefined) return undefined;
  for (const name of ["capacity", "perSecond"] as const) {
    const value = positive(`${level}.${name}`, allowance[name]);
    if (value === Infinity) throw outside(`${level}.${name}`, "a finite number", value);
  }
  return { ...allowance };
}

/** A negative amount would enlarge a budget, and NaN would never be above it. */
function assertAmount(name: string, amount: number): void {
  if (!(amount >= 0 && amount < Infinity))
    throw outside(name, "a finite number of at least 0", amount);
}

function budgetRefusal(level: BudgetLevel, amount: number, waitMs: number): Refusal {
  const rule = `limiter.budget.${level}`;
  return waitMs === Infinity
    ? refuse(
        "LIMITER_BUDGET",
        rule,
        `${amount} units are more than the ${level}'s budget ever holds`,
      )
    : refuse("LIMITER_BUDGET", rule, `the ${level}'s budget has no ${amount} units left`, waitMs);
}

function keysRefusal(level: BudgetLevel): Refusal {
  const reason = `no idle ${level} can be dropped to make room for a new one`;
  return refuse("LIMITER_KEYS", `limiter.keys.${level}`, reason, BUSY_RETRY_MS);
}
