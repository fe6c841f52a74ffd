/** @module The WebAssembly engine, in the process that will hold the module (invariant I1). */
import type { Decision } from "../decision/index.ts";

/** The WebAssembly engine, in the process that will hold the module (I1). */
export interface Engine {
  /** Reads the bytes and keeps them as they are, also after its verdict: others hold them too. */
  validate(original: Uint8Array): Promise<Decision<EngineVerdict>>;
}

/** What the engine says of a module that it accepted. */
export interface EngineVerdict {
  readonly imports: readonly ModuleImport[];
  readonly exports: readonly ModuleExport[];
}

/** One import or export as the engine reports it. */
export interface ModuleImport {
  readonly module: string;
  readonly name: string;
  readonly kind: ExternKind;
}

/** One export as the engine reports it. */
export interface ModuleExport {
  readonly name: string;
  readonly kind: ExternKind;
}

/** The kinds of WebAssembly's external values. */
export type ExternKind = "function" | "memory" | "table" | "global" | "tag";
