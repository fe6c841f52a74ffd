/** @module The host's policy for modules, checked once when a validator is made. */
import { WasmError } from "../errors.ts";
import { DEFAULT_MAX_MODULE_BYTES, HEADER_BYTES, HIGHEST_MAX_MODULE_BYTES } from "../limits.ts";
import { compileImportPatterns, type ImportMatcher } from "./import-pattern.ts";

/** What a host allows in modules; with nothing given, only what the ABI needs. */
export interface WasmPolicy {
  /** Bytes of a module, 8 to 1 GiB. Default: 10 MiB. */
  readonly maxModuleBytes?: number;
  /**
   * Imports allowed beyond those of the ABI, as globs over `MODULE.NAME`, such as
   * `wasi_snapshot_preview1.{fd_write,clock_time_get}` or `extism:host/env.*`. The last dot
   * separates the halves and no star crosses it. Default: none.
   */
  readonly allowedImportPatterns?: readonly string[];
}

/** A policy, checked and compiled. */
export interface CompiledPolicy {
  readonly maxModuleBytes: number;
  readonly allowsImport: ImportMatcher;
}

/**
 * Checks and compiles a policy.
 *
 * @throws {@link WasmError} (`WASM_POLICY`).
 */
export function compilePolicy(policy: WasmPolicy): CompiledPolicy {
  const maxModuleBytes = policy.maxModuleBytes ?? DEFAULT_MAX_MODULE_BYTES;
  const isInRange = maxModuleBytes >= HEADER_BYTES && maxModuleBytes <= HIGHEST_MAX_MODULE_BYTES;
  if (!Number.isSafeInteger(maxModuleBytes) || !isInRange) {
    throw new WasmError("WASM_POLICY", {
      message: `maxModuleBytes is a whole number from ${HEADER_BYTES} to ${HIGHEST_MAX_MODULE_BYTES}; received ${String(maxModuleBytes)}`,
    });
  }
  return {
    maxModuleBytes,
    allowsImport: compileImportPatterns(policy.allowedImportPatterns ?? []),
  };
}
