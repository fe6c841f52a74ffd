/**
 * @module What plugins remember from call to call, in memory and outside of their processes, with a
 * quota. Each tenant of a plugin has its own variables, whatever processes are shared. Keys and
 * values are attacker-controlled; both count.
 */
import { allow, type Decision, refuse } from "@glovebox/core/decision";
import type { PluginId } from "@glovebox/core/ids";
import type { VariableStore } from "@glovebox/core/ports";

import {
  MAX_VARIABLE_BYTES,
  MAX_VARIABLE_BYTES_PER_PLUGIN,
  MAX_VARIABLES,
  VARIABLE_OVERHEAD_BYTES,
} from "../limits.ts";

/** The variables of all plugins. */
export interface Variables extends VariableStore {
  /** Drops everything of one plugin. */
  forget(pluginId: PluginId): void;
}

interface TenantVariables {
  readonly values: Map<string, Uint8Array>;
  bytes: number;
}

interface PluginVariables {
  readonly tenants: Map<string, TenantVariables>;
  bytes: number;
}

const RULE = "variables";
/** No tenant id is empty, so this names calls without a tenant. */
const NO_TENANT = "";

/** Makes an empty store. */
export function createVariables(): Variables {
  const plugins = new Map<PluginId, PluginVariables>();
  return {
    async get(scope, key) {
      const tenants = plugins.get(scope.pluginId)?.tenants;
      const value = tenants?.get(scope.tenantId ?? NO_TENANT)?.values.get(key);
      return allow(RULE, value && new Uint8Array(value));
    },
    async set(scope, key, value): Promise<Decision<void>> {
      const plugin = plugins.get(scope.pluginId) ?? { tenants: new Map(), bytes: 0 };
      const tenantId = scope.tenantId ?? NO_TENANT;
      const tenant = plugin.tenants.get(tenantId) ?? {
        values: new Map<string, Uint8Array>(),
        bytes: VARIABLE_OVERHEAD_BYTES,
      };
      const isNewTenant = tenant.values.size === 0;
      const before = tenant.values.get(key);
      const growth = sizeOf(key, value) - sizeOf(key, before);
      const pluginGrowth = growth + (isNewTenant ? tenant.bytes : 0);
      if (growth > 0) {
        if (tenant.bytes + growth > MAX_VARIABLE_BYTES) return full(MAX_VARIABLE_BYTES, "bytes");
        if (before === undefined && tenant.values.size >= MAX_VARIABLES) {
          return full(MAX_VARIABLES, "variables");
        }
        if (plugin.bytes + pluginGrowth > MAX_VARIABLE_BYTES_PER_PLUGIN) {
          return full(MAX_VARIABLE_BYTES_PER_PLUGIN, "bytes for all tenants");
        }
      }
      if (value === undefined) tenant.values.delete(key);
      // Not slice(): of a Buffer that is a view of memory that others may change.
      else tenant.values.set(key, new Uint8Array(value));
      if (isNewTenant && tenant.values.size === 0) return allow(RULE, undefined);
      tenant.bytes += growth;
      plugin.bytes += pluginGrowth;
      plugin.tenants.set(tenantId, tenant);
      if (tenant.values.size === 0) {
        plugin.tenants.delete(tenantId);
        plugin.bytes -= tenant.bytes;
      }
      plugins.set(scope.pluginId, plugin);
      return allow(RULE, undefined);
    },
    forget: (pluginId) => void plugins.delete(pluginId),
  };
}

function sizeOf(key: string, value: Uint8Array | undefined): number {
  return value === undefined ? 0 : Buffer.byteLength(key) + value.length + VARIABLE_OVERHEAD_BYTES;
}

function full(max: number, what: string): Decision<never> {
  const reason = `a plugin's variables have at most ${max} ${what}`;
  return refuse("RUNTIME_VARIABLE_QUOTA", "variables.quota", reason);
}
