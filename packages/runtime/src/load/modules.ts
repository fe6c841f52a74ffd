/**
 * @module The modules of a package on their way to a process: found, judged by policy, judged by the
 * engine in the process that will hold them (invariant I1), and metered. What an ABI asks is data of
 * the sandbox; the validator knows no ABI.
 */
import { allow, type Decision, refuse } from "@glovebox/core/decision";
import { received } from "@glovebox/core/errors";
import type { Engine } from "@glovebox/core/ports";
import type { PluginManifest } from "@glovebox/manifest-validator";
import {
  type Abi,
  ABI_REQUIREMENTS,
  type AbiRequirements,
  type NamedModuleBytes,
  type ReservedRunner,
} from "@glovebox/sandbox";
import type { MappedOffset } from "@glovebox/wasm-metering";

import { MAX_TABLE_ELEMENTS, WASM_PAGE_BYTES } from "../limits.ts";
import type { PluginPackage } from "../package/plugin-package.ts";
import type { CallLimits } from "../plugin/plugin.ts";
import { MeteredCache } from "../wasm/metered-cache.ts";
import type { ModuleCrew } from "../wasm/module-crew.ts";

/** Modules that may be loaded. */
export interface CheckedModules {
  readonly abi: Abi;
  /** The last is the plugin. */
  readonly list: readonly NamedModuleBytes[];
  /** What metering could not do as it should, for the operator. */
  readonly warnings: readonly string[];
}

/** An engine whose process is reserved when it is first asked, so that cheaper refusals come first. */
export interface LazyEngine extends Engine, AsyncDisposable {
  /** The process, reserved at the first call. */
  runner(): Promise<Decision<ReservedRunner>>;
}

/** Judges modules. */
export interface ModuleCheck {
  openEngine(reserve: () => Promise<Decision<ReservedRunner>>): LazyEngine;
  check(
    source: PluginPackage,
    manifest: PluginManifest,
    engine: LazyEngine,
    limits: CallLimits,
  ): Promise<Decision<CheckedModules>>;
  /**
   * Where in the module that its author wrote a plugin was, by offsets in the module as loaded. A
   * plugin of several modules is refused: an offset does not say in which.
   */
  locate(
    source: PluginPackage,
    manifest: PluginManifest,
    limits: CallLimits,
    offsets: readonly number[],
  ): Promise<Decision<readonly MappedOffset[]>>;
}

/** Makes the check. */
export function createModuleCheck(crew: ModuleCrew): ModuleCheck {
  const cache = new MeteredCache();
  return { openEngine, check, locate };

  async function locate(
    source: PluginPackage,
    { abi, modules }: PluginManifest,
    limits: CallLimits,
    offsets: readonly number[],
  ): Promise<Decision<readonly MappedOffset[]>> {
    const [only, ...others] = modules;
    const bytes = only && source.files.get(only.path);
    if (bytes === undefined || others.length > 0) {
      const reason = "the plugin has not one module but several";
      return refuse("RUNTIME_MODULE_WORK", "modules.locate", reason);
    }
    const requirements = ABI_REQUIREMENTS[abi];
    return crew.locate({ bytes, requirements, ...maximaOf(limits) }, offsets);
  }

  async function check(
    source: PluginPackage,
    manifest: PluginManifest,
    engine: LazyEngine,
    limits: CallLimits,
  ): Promise<Decision<CheckedModules>> {
    const { abi } = manifest;
    const list: NamedModuleBytes[] = [];
    const warnings: string[] = [];
    const maxima = maximaOf(limits);
    for (const [at, { name, path }] of manifest.modules.entries()) {
      const bytes = source.files.get(path);
      if (bytes === undefined) {
        const reason = `the module ${received(path)} is not in the package`;
        return refuse("RUNTIME_PACKAGE_FILE_MISSING", "package.module", reason);
      }
      const isMain = at === manifest.modules.length - 1;
      // Also those that come later: modules may import from each other.
      const others = manifest.modules.flatMap((module) =>
        module.name === name ? [] : module.name,
      );
      const requirements = requirementsOf(ABI_REQUIREMENTS[abi], isMain, others);
      const prepared = await crew.prepare(
        { bytes, requirements, ...maxima },
        {
          engine,
          known: (sha256, versions) => cache.get({ sha256, versions, ...maxima }),
          keep: (sha256, versions, made) => cache.set({ sha256, versions, ...maxima }, made),
        },
      );
      if (!prepared.allowed) return prepared;
      const { fuel, bytes: metered, warnings: noted } = prepared.value;
      list.push({ name, bytes: metered, fuel });
      warnings.push(...noted.map((line) => `${path}: ${line}`));
    }
    return allow("modules", { abi, list, warnings });
  }
}

/**
 * What the ABI asks of the main module; all may also import from the others. Fuel goes along where
 * one calls another by an import, and nowhere else.
 */
function requirementsOf(abi: AbiRequirements, isMain: boolean, linkedModules: readonly string[]) {
  const linkedValues = "plain" as const;
  return { ...abi, linkedModules, linkedValues, exports: isMain ? abi.exports : [] };
}

function maximaOf({ memoryBytes }: CallLimits) {
  return {
    maxMemoryPages: Math.floor(memoryBytes / WASM_PAGE_BYTES),
    maxTableElements: MAX_TABLE_ELEMENTS,
  };
}

function openEngine(reserve: () => Promise<Decision<ReservedRunner>>): LazyEngine {
  let reserved: Promise<Decision<ReservedRunner>> | undefined;
  const runner = (): Promise<Decision<ReservedRunner>> => (reserved ??= reserve());
  return {
    runner,
    async validate(original) {
      const decision = await runner();
      return decision.allowed ? decision.value.validate(original) : decision;
    },
    async [Symbol.asyncDispose]() {
      const decision = await reserved;
      // Ends the process unless the plugin was started in it.
      if (decision?.allowed === true) await decision.value[Symbol.asyncDispose]();
    },
  };
}
