/**
 * @module A report on a module for people and tools, without an engine: it says what stands in the
 * bytes and not whether the module is valid, which only an engine can tell.
 */
import { WasmError } from "../errors.ts";
import type { ModuleDefect } from "../facts/defect.ts";
import { type ModuleFacts, readFacts } from "../facts/module-facts.ts";
import type { TypedExport, TypedImport } from "../facts/names.ts";
import type { ModuleSection } from "../facts/sections.ts";
import { HEADER_BYTES } from "../limits.ts";
import { capabilitiesOf } from "./capabilities.ts";
import { type Finding, findingsOf } from "./findings.ts";

/** What the bytes of a module say of it. */
export interface ModuleReport {
  /** Whether it begins with 00 61 73 6d. */
  readonly magicOk: boolean;
  /** 1 for a core module; absent when the bytes end before it, or are no module. */
  readonly version?: number;
  /** Bytes. */
  readonly size: number;
  readonly sections: readonly ModuleSection[];
  readonly imports: readonly TypedImport[];
  readonly exports: readonly TypedExport[];
  /** What its imports let it do beyond computing. */
  readonly capabilities: readonly string[];
  /** What is in it; absent where reading stopped. */
  readonly facts?: ModuleFacts;
  readonly findings: readonly Finding[];
  /** Where and why reading stopped; absent when everything was read. */
  readonly defect?: ModuleDefect;
}

const MAGIC = [0x00, 0x61, 0x73, 0x6d];

/**
 * Reports on a module's bytes, as far as they can be read, in time linear to them.
 *
 * @throws {@link WasmError} (`WASM_USAGE`) when `bytes` is no Uint8Array.
 * @example
 * ```ts
 * const { capabilities, findings } = inspectModule(bytes);
 * ```
 */
export function inspectModule(bytes: Uint8Array): ModuleReport {
  if (!(bytes instanceof Uint8Array)) {
    throw new WasmError("WASM_USAGE", { message: "inspectModule takes a Uint8Array" });
  }
  const magicOk = MAGIC.every((byte, index) => bytes[index] === byte);
  const version = magicOk ? versionOf(bytes) : undefined;
  const { facts, defect, ...reading } = readFacts(bytes);
  return {
    magicOk,
    ...(version === undefined ? {} : { version }),
    size: bytes.byteLength,
    ...reading,
    capabilities: capabilitiesOf(reading.imports),
    ...(facts === undefined ? {} : { facts }),
    findings: facts === undefined ? [] : findingsOf(facts),
    ...(defect === undefined ? {} : { defect }),
  };
}

function versionOf(bytes: Uint8Array): number | undefined {
  if (bytes.byteLength < HEADER_BYTES) return undefined;
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength).getUint32(4, true);
}
