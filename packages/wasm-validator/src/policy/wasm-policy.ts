/** @module The host's policy for modules, checked once when a validator is made. */
import { received } from "@glovebox/core/errors";

import { WasmError } from "../errors.ts";
import type { WasmFeature } from "../facts/features.ts";
import {
  DEFAULT_MAX_COMPILE_COST,
  DEFAULT_MAX_INSTANTIATION_COST,
  DEFAULT_MAX_MODULE_BYTES,
  HEADER_BYTES,
  HIGHEST_MAX_MODULE_BYTES,
} from "../limits.ts";
import { DEFAULT_FEATURES, parseFeatures } from "./features.ts";
import { compileImportPatterns, type ImportMatcher, type ImportPattern } from "./import-pattern.ts";
import { compileNameGlobs } from "./name-glob.ts";
import { parseStructureLimits, type StructureLimits } from "./structure-limits.ts";

/** What a host allows in modules; with nothing given, only what the ABI needs. */
export interface WasmPolicy {
  /** Bytes of a module, 8 to 1 GiB. Default: 10 MiB. */
  readonly maxModuleBytes?: number;
  /**
   * Imports allowed beyond those of the ABI, as globs over `MODULE.NAME`, such as
   * `wasi_snapshot_preview1.{fd_write,clock_time_get}` or `extism:host/env.*`, and with a type where
   * only imports of that type are meant. The last dot separates the halves and no star crosses it.
   * Default: none.
   */
  readonly allowedImportPatterns?: readonly (string | ImportPattern)[];
  /** Limits on the module's structure; those left out have their defaults. */
  readonly limits?: Partial<StructureLimits>;
  /** Proposals that a module may use. Default: all but `gc`. */
  readonly allowedFeatures?: readonly WasmFeature[];
  /** Whether a module may have a start function, which runs before any call. Default: `allow`. */
  readonly startFunction?: "allow" | "refuse";
  /** Custom sections that a module may have, as globs over their names. Default: `["**"]`, all. */
  readonly allowedCustomSections?: readonly string[];
  /** What compiling may cost, in units of one operator. Default: 50,000,000. */
  readonly maxCompileCost?: number;
  /**
   * What instantiating may cost before any function runs, in units of one operator: constant
   * expressions, segments by length, first sizes of tables. Default: 16,777,216.
   */
  readonly maxInstantiationCost?: number;
}

/** A policy, checked and compiled. */
export interface CompiledPolicy {
  readonly maxModuleBytes: number;
  readonly allowsImport: ImportMatcher;
  readonly limits: StructureLimits;
  readonly features: ReadonlySet<WasmFeature>;
  readonly allowsStart: boolean;
  readonly allowsCustomSection: (name: string) => boolean;
  readonly maxCompileCost: number;
  readonly maxInstantiationCost: number;
}

/**
 * Checks and compiles a policy.
 *
 * @throws {@link WasmError} (`WASM_POLICY`).
 */
export function compilePolicy(policy: WasmPolicy): CompiledPolicy {
  const { startFunction = "allow" } = policy;
  if (startFunction !== "allow" && startFunction !== "refuse") {
    const message = `startFunction is allow or refuse; received ${received(startFunction)}`;
    throw new WasmError("WASM_POLICY", { message });
  }
  const whole = (name: keyof WasmPolicy, preset: number, min: number, max: number): number => {
    const value = policy[name] ?? preset;
    if (Number.isSafeInteger(value) && Number(value) >= min && Number(value) <= max) {
      return Number(value);
    }
    const message = `${name} is a whole number from ${min} to ${max}; received ${received(value)}`;
    throw new WasmError("WASM_POLICY", { message });
  };
  return {
    maxModuleBytes: whole(
      "maxModuleBytes",
      DEFAULT_MAX_MODULE_BYTES,
      HEADER_BYTES,
      HIGHEST_MAX_MODULE_BYTES,
    ),
    allowsImport: compileImportPatterns(policy.allowedImportPatterns ?? []),
    limits: parseStructureLimits(policy.limits ?? {}),
    features: parseFeatures(policy.allowedFeatures ?? DEFAULT_FEATURES),
    allowsStart: startFunction === "allow",
    allowsCustomSection: compileNameGlobs(
      "allowedCustomSections",
      policy.allowedCustomSections ?? ["**"],
    ),
    maxCompileCost: whole("maxCompileCost", DEFAULT_MAX_COMPILE_COST, 0, Number.MAX_SAFE_INTEGER),
    maxInstantiationCost: whole(
      "maxInstantiationCost",
      DEFAULT_MAX_INSTANTIATION_COST,
      0,
      Number.MAX_SAFE_INTEGER,
    ),
  };
}
