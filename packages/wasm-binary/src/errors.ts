/**
 * @module Every code of this package. Types and docs/errors/wasm-binary.md derive from this table.
 * Refusals of {@link readModule} carry the same codes.
 */
import { type ErrorCodeTable, SecurityError } from "@glovebox/core/errors";

/** The codes of this package: what each means and what to do about it. */
export const WASM_BINARY_ERRORS = {
  WASM_BINARY_USAGE: {
    summary: "The reader or writer was called with something it does not take",
    advice: "Pass what the message names.",
  },
  WASM_BINARY_HEADER: {
    summary: "The bytes are not a core WebAssembly module of version 1",
    advice: "Give a .wasm file that begins with 00 61 73 6d 01 00 00 00.",
  },
  WASM_BINARY_END: {
    summary: "The bytes end, or a section or function body ends, in the middle of something",
    advice: "Rebuild the module; the byte offset says where reading stopped.",
  },
  WASM_BINARY_SECTION: {
    summary: "A section is unknown, repeated, out of order, or longer than its content",
    advice: "Rebuild the module; the byte offset says where the section stands.",
  },
  WASM_BINARY_INTEGER: {
    summary: "An integer is encoded in too many bytes, or overflows",
    advice: "Rebuild the module; the byte offset says where the integer begins.",
  },
  WASM_BINARY_COUNT: {
    summary: "A list claims more entries than its bytes can hold, or counts disagree",
    advice: "Rebuild the module; the byte offset says where the count stands.",
  },
  WASM_BINARY_NAME: {
    summary: "A name is not UTF-8",
    advice: "Rebuild the module with names in UTF-8.",
  },
  WASM_BINARY_TYPE: {
    summary: "A type, kind or flag is not one of WebAssembly 3.0",
    advice: "Build the module without the proposal that the byte belongs to.",
  },
  WASM_BINARY_OPCODE: {
    summary: "An opcode is unknown, or may not stand where it stands",
    advice: "Build the module without the proposal that the opcode belongs to.",
  },
  WASM_BINARY_BODY: {
    summary: "A function body or constant expression does not end where its blocks do",
    advice: "Rebuild the module; the byte offset says where the two part.",
  },
  WASM_BINARY_LIMIT: {
    summary: "The module has more of something than this reader or writer takes",
    advice: "Reduce what the message names.",
  },
} as const satisfies ErrorCodeTable;

/** A code of {@link WASM_BINARY_ERRORS}. */
export type WasmBinaryErrorCode = keyof typeof WASM_BINARY_ERRORS;

/** Thrown by readers at the first byte that cannot be read; `offset` says where. */
export class WasmBinaryError extends SecurityError<WasmBinaryErrorCode> {
  static override readonly brand: symbol = Symbol.for("@glovebox/wasm-binary/WasmBinaryError");
  /** Byte offset from the start of the module; 0 on misuse. */
  readonly offset: number;

  constructor(code: WasmBinaryErrorCode, offset: number, problem: string) {
    super(code, WASM_BINARY_ERRORS[code], {
      message: `${problem} (at byte ${offset})`,
      details: { offset },
    });
    this.offset = offset;
  }
}
