/**
 * @module Decides whether a module may be loaded: the cheap refusals first (size, header, sections,
 * names, policy), then the engine's verdict, asked for in the process that will hold the module:
 * this process never compiles or validates plugin bytes (invariant I1). Everything looks at one
 * private copy, taken before the first check, so that nothing can change between check and use
 * (CWE-367).
 */
import { createHash } from "node:crypto";

import { allow, type Decision, failClosedAsync, refuse } from "@glovebox/core/decision";
import type { Sha256 } from "@glovebox/core/ids";
import type { Engine, EngineVerdict } from "@glovebox/core/ports";

import { findDisagreement } from "./agreement.ts";
import { WasmError } from "./errors.ts";
import { readFacts } from "./facts/module-facts.ts";
import { HEADER_BYTES } from "./limits.ts";
import { decideContents } from "./policy/contents.ts";
import {
  type AbiRequirements,
  decideImportsAndExports,
  type ModuleInterface,
  NO_REQUIREMENTS,
} from "./policy/requirements.ts";
import { type CompiledPolicy, compilePolicy, type WasmPolicy } from "./policy/wasm-policy.ts";
import { createValidatedModule, type ValidatedModule } from "./validated-module.ts";

/** Validates modules against one policy. */
export interface WasmValidator {
  /**
   * Decides on a module. Rejects only on misuse (`WASM_USAGE`); an engine's refusal is passed on as
   * it is. The engine sets its own deadline.
   */
  validate(
    bytes: Uint8Array,
    engine: Engine,
    requirements?: AbiRequirements,
  ): Promise<Decision<ValidatedModule>>;
}

/**
 * Makes a validator.
 *
 * @throws {@link WasmError} (`WASM_POLICY`) for a malformed policy.
 *
 * @example
 * ```ts
 * const validator = createWasmValidator({ maxModuleBytes: 1_048_576 });
 * const decision = await validator.validate(bytes, reservedRunner, ABI_REQUIREMENTS.flat);
 * ```
 */
export function createWasmValidator(policy: WasmPolicy = {}): WasmValidator {
  const compiled = compilePolicy(policy);
  return {
    async validate(bytes, engine, requirements = NO_REQUIREMENTS) {
      if (!(bytes instanceof Uint8Array) || typeof engine?.validate !== "function") {
        throw new WasmError("WASM_USAGE", { message: "validate takes a Uint8Array and an engine" });
      }
      const size = decideSize(bytes.byteLength, compiled);
      if (!size.allowed) return size;
      // Synchronous with the call: the caller may change its buffer as soon as this one waits.
      const copy = new Uint8Array(bytes);
      return failClosedAsync("wasm.module", () => decide(copy, engine, requirements, compiled));
    },
  };
}

async function decide(
  bytes: Uint8Array<ArrayBuffer>,
  engine: Engine,
  requirements: AbiRequirements,
  policy: CompiledPolicy,
): Promise<Decision<ValidatedModule>> {
  const reading = readFacts(bytes);
  if (reading.facts === undefined) {
    const { code, reason } = reading.defect;
    return refuse(code, "wasm.structure", reason);
  }
  const names = decideImportsAndExports(reading, requirements, policy);
  if (!names.allowed) return names;
  const contents = decideContents(reading.facts, reading.sections, policy);
  if (!contents.allowed) return contents;
  const sha256 = createHash("sha256").update(bytes).digest("hex") as Sha256;

  // A copy of its own: an engine that transfers or changes what it gets must not reach ours.
  const judged = bytes.slice();
  const verdict = await engine.validate(judged);
  if (!verdict.allowed) return verdict;
  const own = verdictOf(reading);
  const disagreement = findDisagreement(own, verdict.value);
  if (disagreement !== undefined) return refuse("WASM_DISAGREEMENT", "wasm.engine", disagreement);
  // Left as it was, the engine's copy is handed out: its process knows the module by that identity.
  const handedOut = Buffer.compare(judged, bytes) === 0 ? judged : bytes;
  return allow("wasm.module", createValidatedModule(handedOut, sha256, own));
}

/** What an engine says of a module, as this package reads it. */
function verdictOf({ imports, exports }: ModuleInterface): EngineVerdict {
  return {
    imports: imports.map(({ module, name, kind }) => Object.freeze({ module, name, kind })),
    exports: exports.map(({ name, kind }) => Object.freeze({ name, kind })),
  };
}

function decideSize(size: number, { maxModuleBytes }: CompiledPolicy): Decision<void> {
  return size >= HEADER_BYTES && size <= maxModuleBytes
    ? allow("wasm.size", undefined)
    : refuse(
        "WASM_SIZE",
        "wasm.size",
        `a module has ${HEADER_BYTES} to ${maxModuleBytes} bytes; received ${size}`,
      );
}
