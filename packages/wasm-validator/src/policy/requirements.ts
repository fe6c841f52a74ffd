/**
 * @module What a module must export and may import, by its ABI and the host's policy. The ABI comes
 * in as data (the sandbox publishes it), so that this package knows no ABI. All findings of one kind
 * are named at once.
 */
import { allow, type Decision, refuse } from "@glovebox/core/decision";
import { received, sanitizeForMessage } from "@glovebox/core/errors";
import type { ExternKind, ModuleImport } from "@glovebox/core/ports";

import type { TypedExport, TypedImport } from "../facts/names.ts";
import { MAX_FINDINGS_NAMED } from "../limits.ts";
import type { CompiledPolicy } from "./wasm-policy.ts";

/** What an ABI asks of a module, as data. */
export interface AbiRequirements {
  /** The ABI's name, for reasons. */
  readonly abi: string;
  /** Imports that the ABI provides, each as exactly this kind. */
  readonly imports: readonly {
    readonly module: string;
    readonly name: string;
    readonly kind: ExternKind;
    /** In the text format, such as `(func (param i64) (result i64))`. Default: any. */
    readonly type?: string;
  }[];
  /** Modules from which any function may be imported: the host application's own. */
  readonly openModules?: readonly string[];
  /** The plugin's own other modules, by name: from these anything may be imported. */
  readonly linkedModules?: readonly string[];
  /**
   * What may pass between the plugin's modules besides memories: `plain` is numbers and `externref`,
   * so that no function of one is reached in another but by its import. Default `any`.
   */
  readonly linkedValues?: "any" | "plain";
  /** Exports that a module must have, each as exactly this kind, and type where one is given. */
  readonly exports: readonly {
    readonly name: string;
    readonly kind: ExternKind;
    readonly type?: string;
  }[];
}

/** What is asked when no ABI is given: nothing, so that the policy alone allows imports. */
export const NO_REQUIREMENTS: AbiRequirements = Object.freeze({
  abi: "none",
  imports: Object.freeze([]),
  exports: Object.freeze([]),
});

/** What a module imports and exports, with types. */
export interface ModuleInterface {
  readonly imports: readonly TypedImport[];
  readonly exports: readonly TypedExport[];
}

/** Decides by name, kind and type. */
export function decideImportsAndExports(
  { imports, exports }: ModuleInterface,
  requirements: AbiRequirements,
  policy: Pick<CompiledPolicy, "allowsImport">,
): Decision<void> {
  const provided = new Map(requirements.imports.map((entry) => [keyOf(entry), entry]));
  const open = new Set(requirements.openModules);
  const linked = new Set(requirements.linkedModules);
  const refused = imports.filter(
    (entry) =>
      !isAs(entry, provided.get(keyOf(entry))) &&
      !(open.has(entry.module) && entry.kind === "function") &&
      !linked.has(entry.module) &&
      !policy.allowsImport(entry),
  );
  if (refused.length > 0) {
    const findings = refused.map((entry) => {
      const name = `${entry.kind} ${received(`${entry.module}.${entry.name}`)}`;
      const wanted = provided.get(keyOf(entry));
      return wanted?.kind === entry.kind ? `${name} as ${entry.type} and not ${wanted.type}` : name;
    });
    return refuseWith("WASM_IMPORT_NOT_ALLOWED", "wasm.imports", requirements, findings);
  }
  const unfit = imports.filter(
    (entry) => requirements.linkedValues === "plain" && linked.has(entry.module) && !isPlain(entry),
  );
  if (unfit.length > 0) {
    const findings = unfit.map(
      ({ module, name, type }) => `${received(`${module}.${name}`)} of type ${type}`,
    );
    return refuseWith("WASM_LINK_TYPE", "wasm.links", requirements, findings);
  }
  const exported = new Map(exports.map((entry) => [entry.name, entry]));
  const missing = requirements.exports.filter((wanted) => !isAs(exported.get(wanted.name), wanted));
  if (missing.length > 0) {
    const findings = missing.map(({ name, kind, type }) => {
      const found = exported.get(name);
      const wanted = `${kind} ${received(name)}`;
      if (found === undefined) return wanted;
      return found.kind === kind
        ? `${wanted} as ${type} and not ${found.type}`
        : `${wanted} and not a ${found.kind}`;
    });
    return refuseWith("WASM_EXPORT_MISSING", "wasm.exports", requirements, findings);
  }
  return allow("wasm.imports", undefined);
}

/** Whether an entry is what is wanted, in kind and, where one is given, type. */
function isAs(
  entry: { readonly kind: ExternKind; readonly type: string } | undefined,
  wanted: { readonly kind: ExternKind; readonly type?: string } | undefined,
): boolean {
  return (
    entry !== undefined &&
    wanted !== undefined &&
    entry.kind === wanted.kind &&
    (wanted.type === undefined || wanted.type === entry.type)
  );
}

const PLAIN_WORDS = new Set(
  "i32 i64 f32 f64 externref func param result table global mut tag".split(" "),
);
const HOST_REFERENCE = /\(ref (?:null )?extern\)/g;

/** By its type's words: what is neither known to be plain nor a number is not. */
function isPlain({ kind, type }: TypedImport): boolean {
  if (kind === "memory") return true;
  const words = type.replaceAll(HOST_REFERENCE, "").split(/[() ]+/);
  return words.every((word) => /^\d*$/.test(word) || PLAIN_WORDS.has(word));
}

/** Joined with a character that no name of a module that was read can hold. */
function keyOf({ module, name }: Pick<ModuleImport, "module" | "name">): string {
  return `${module}\0${name}`;
}

const VERBS = {
  WASM_IMPORT_NOT_ALLOWED: "may not import",
  WASM_LINK_TYPE: "may not import from another of the plugin's modules",
  WASM_EXPORT_MISSING: "has to export",
} as const;

function refuseWith(
  code: keyof typeof VERBS,
  rule: string,
  { abi }: AbiRequirements,
  findings: readonly string[],
): Decision<never> {
  const named = findings.slice(0, MAX_FINDINGS_NAMED).join(", ");
  const more = findings.length - MAX_FINDINGS_NAMED;
  const rest = more > 0 ? ` and ${more} more` : "";
  return refuse(
    code,
    rule,
    sanitizeForMessage(`a module of the ABI ${abi} ${VERBS[code]} ${named}${rest}`),
  );
}
