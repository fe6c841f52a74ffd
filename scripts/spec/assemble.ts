/**
 * @module Text modules to binary: by the assembler of the Bytecode Alliance (wasm-tools, compiled to
 * WebAssembly), and by wabt what that no longer reads, such as the first form of exceptions.
 */
import { parse } from "@bytecodealliance/jco-transpile/wasm-tools";
import { assembleWat } from "@glovebox/testkit";

/** What an assembler made of a text, or why it made nothing. */
export type Assembly = { readonly bytes: Uint8Array<ArrayBuffer> } | { readonly problem: string };

const FEATURES = {
  exceptions: true,
  simd: true,
  threads: true,
  function_references: true,
  tail_call: true,
  annotations: true,
  gc: true,
  memory64: true,
  multi_memory: true,
  extended_const: true,
  relaxed_simd: true,
} as const;
const MAX_PROBLEM = 200;

/** Assembles a module without checking that it is valid. */
export async function assemble(text: string): Promise<Assembly> {
  try {
    return { bytes: Uint8Array.from(await parse(text)) };
  } catch (first) {
    try {
      return { bytes: Uint8Array.from(await assembleWat(text, { validate: false, ...FEATURES })) };
    } catch {
      return { problem: `not assembled: ${describe(first)}` };
    }
  }
}

function describe(error: unknown): string {
  const payload = error instanceof Error && "payload" in error ? error.payload : error;
  const text = String(payload);
  // Around its message the assembler prints the whole of its error.
  const message = /Custom\(\s*"(?<message>[^"]*)/.exec(text)?.groups?.["message"] ?? text;
  return message.replaceAll(/\s+/g, " ").slice(0, MAX_PROBLEM);
}
