/**
 * @module Reads a whole module: each byte is looked at once and each list bounded by the bytes that
 * hold it, so that time is linear and memory below four bytes for each byte of input (CWE-400,
 * CWE-789). It says what stands in the bytes; whether types fit is the engine's to say.
 */
import { allow, type Decision, failClosed, refuse } from "@glovebox/core/decision";

import { WasmBinaryError } from "../errors.ts";
import { DATA_OPCODES } from "../opcode/shape.ts";
import { ModuleBuilder } from "./module-builder.ts";
import { ModuleParser } from "./module-parser.ts";
import { OperatorReader } from "./operator-reader.ts";
import type { WasmModule } from "./wasm-module.ts";

/** How much is read. */
export interface ReadOptions {
  /**
   * `"read"` (default) reads every operator of every function body; `"skip"` only finds where each
   * body stands, for a caller that reads them itself.
   */
  readonly bodies?: "read" | "skip";
}

/**
 * Reads a module. Refuses with the code and offset of the first byte that cannot be read.
 *
 * @throws {@link WasmBinaryError} (`WASM_BINARY_USAGE`) when `bytes` is no Uint8Array.
 * @example
 * ```ts
 * const decision = readModule(bytes);
 * if (decision.allowed) console.log(decision.value.functions.length);
 * ```
 */
export function readModule(bytes: Uint8Array, options: ReadOptions = {}): Decision<WasmModule> {
  assertBytes(bytes);
  return failClosed("wasm.binary", () => {
    try {
      return allow("wasm.binary", parseModule(bytes, options));
    } catch (error) {
      if (!(error instanceof WasmBinaryError)) throw error;
      return refuse(error.code, "wasm.binary", error.message);
    }
  });
}

/**
 * As {@link readModule}, for a caller that reads on and wants all that goes wrong in one place.
 *
 * @throws {@link WasmBinaryError} with the offset of the first byte that cannot be read.
 */
export function parseModule(bytes: Uint8Array, { bodies = "read" }: ReadOptions = {}): WasmModule {
  assertBytes(bytes);
  const parser = new ModuleParser();
  const builder = new ModuleBuilder(bytes);
  for (;;) {
    const step = parser.parse(bytes.subarray(parser.offset), true);
    if (step.kind === "need-more") continue;
    const { part } = step;
    if (part.kind === "section") builder.section(part);
    else if (part.kind === "body") builder.body(part.start, part.end);
    else if (part.kind === "end") break;
  }
  const module = builder.finish();
  if (bodies === "read") readBodies(module);
  return module;
}

function assertBytes(bytes: Uint8Array): void {
  if (bytes instanceof Uint8Array) return;
  throw new WasmBinaryError("WASM_BINARY_USAGE", 0, "a module is read from a Uint8Array");
}

/** Reads every operator of every body. Segments of data that a body names have to be announced. */
function readBodies({ bytes, bodies, dataCount }: WasmModule): void {
  const reader = new OperatorReader(bytes);
  for (let index = 0; index < bodies.length; index++) {
    reader.openBody(bodies.startOf(index), bodies.endOf(index));
    for (let opcode = reader.next(); opcode >= 0; opcode = reader.next()) {
      if (DATA_OPCODES[opcode] === 1 && dataCount === undefined) {
        reader.fail("WASM_BINARY_COUNT", reader.offset, "the section that counts data is missing");
      }
    }
    reader.close();
  }
}
