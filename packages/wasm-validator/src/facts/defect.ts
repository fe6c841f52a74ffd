/** @module Where and why reading a module stopped, in the codes of this package. */
import { WasmBinaryError, type WasmBinaryErrorCode } from "@glovebox/wasm-binary";

import type { WasmErrorCode } from "../errors.ts";

/** Where and why reading a module stopped. */
export interface ModuleDefect {
  readonly code: WasmErrorCode;
  /** Byte offset from the start of the module. */
  readonly offset: number;
  readonly reason: string;
}

/** Ends the reading of a module; caught where reading began. */
export class Defect extends Error implements ModuleDefect {
  readonly code: WasmErrorCode;
  readonly offset: number;

  constructor(code: WasmErrorCode, offset: number, problem: string) {
    super(`${problem} (at byte ${offset})`);
    this.code = code;
    this.offset = offset;
  }

  get reason(): string {
    return this.message;
  }
}

/** The reader's codes in ours: what is wrong, not which part of the reader found it. */
const CODES: Readonly<Record<WasmBinaryErrorCode, WasmErrorCode>> = {
  WASM_BINARY_USAGE: "WASM_USAGE",
  WASM_BINARY_HEADER: "WASM_MAGIC",
  WASM_BINARY_END: "WASM_SECTION",
  WASM_BINARY_SECTION: "WASM_SECTION",
  WASM_BINARY_BODY: "WASM_SECTION",
  WASM_BINARY_INTEGER: "WASM_INTEGER",
  WASM_BINARY_COUNT: "WASM_COUNT",
  WASM_BINARY_LIMIT: "WASM_COUNT",
  WASM_BINARY_NAME: "WASM_NAME",
  WASM_BINARY_TYPE: "WASM_TYPE",
  WASM_BINARY_OPCODE: "WASM_TYPE",
};

const VERSION_OFFSET = 4;

/** What was thrown while reading as a defect; anything unexpected is thrown on. */
export function defectOf(error: unknown): ModuleDefect {
  if (error instanceof Defect)
    return { code: error.code, offset: error.offset, reason: error.message };
  if (!(error instanceof WasmBinaryError)) throw error;
  const isVersion = error.code === "WASM_BINARY_HEADER" && error.offset >= VERSION_OFFSET;
  const code = isVersion ? "WASM_VERSION" : CODES[error.code];
  return { code, offset: error.offset, reason: error.message };
}
