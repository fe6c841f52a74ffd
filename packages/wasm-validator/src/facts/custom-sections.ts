/**
 * @module What custom sections claim: tools, debug data, dependencies. No engine checks any of it, so
 * it is a claim of whoever made the module, read within bounds and never trusted: a section that
 * cannot be read says nothing.
 */
import { inflateSync } from "node:zlib";

import { parseBoundedJson } from "@glovebox/core/json";
import { ByteReader } from "@glovebox/wasm-binary";

import { MAX_CLAIMS, MAX_DEPENDENCY_BYTES, MAX_NAME_BYTES } from "../limits.ts";
import { assertPlain } from "./names.ts";
import type { ModuleSection } from "./sections.ts";

/** A tool or language that the `producers` section names. */
export interface Producer {
  /** `language`, `processed-by` or `sdk` (tool conventions, ProducersSection.md). */
  readonly field: string;
  readonly name: string;
  readonly version: string;
}

/** A library that was built into the module, or that it wants to be linked with. */
export interface Dependency {
  readonly name: string;
  /** Empty where the section tells none. */
  readonly version: string;
  /** The custom section that says so. */
  readonly section: string;
}

/** What custom sections claim. */
export interface Claims {
  readonly producers: readonly Producer[];
  readonly dependencies: readonly Dependency[];
  /** Features that the compiler says it was allowed to use (`target_features`). */
  readonly targetFeatures: readonly string[];
  /** What debug data is there; it tells whoever holds the module about its source. */
  readonly debug: readonly ("names" | "dwarf" | "source map" | "external")[];
}

/** Reads the claims of all custom sections. */
export function readClaims(bytes: Uint8Array, sections: readonly ModuleSection[]): Claims {
  const producers: Producer[] = [];
  const dependencies: Dependency[] = [];
  const targetFeatures: string[] = [];
  const debug = new Set<Claims["debug"][number]>();
  for (const { id, name, offset, size } of sections) {
    if (id !== 0) continue;
    const kind = DEBUG_SECTIONS[name] ?? (name.startsWith(".debug_") ? "dwarf" : undefined);
    if (kind !== undefined) debug.add(kind);
    const reader = new ByteReader(bytes);
    reader.seek(offset, offset + size);
    try {
      reader.skipName();
      if (name === "producers") readProducers(reader, producers);
      else if (name === "target_features") readTargetFeatures(reader, targetFeatures);
      else if (name === ".dep-v0") readCargoAuditable(reader, dependencies);
      else if (name === "dylink.0") readDylink(reader, dependencies);
    } catch {
      // Malformed claims are no claims; the sections list still names the section.
    }
  }
  return { producers, dependencies, targetFeatures, debug: [...debug] };
}

const DEBUG_SECTIONS: Readonly<Record<string, Claims["debug"][number]>> = {
  name: "names",
  sourceMappingURL: "source map",
  external_debug_info: "external",
};

function readProducers(reader: ByteReader, into: Producer[]): void {
  for (let fields = reader.count(2); fields > 0; fields -= 1) {
    const field = plainName(reader);
    for (let values = reader.count(2); values > 0; values -= 1) {
      const producer = { field, name: plainName(reader), version: plainName(reader) };
      if (into.length < MAX_CLAIMS) into.push(producer);
    }
  }
}

function readTargetFeatures(reader: ByteReader, into: string[]): void {
  for (let left = reader.count(2); left > 0 && into.length < MAX_CLAIMS; left -= 1) {
    const prefix = String.fromCharCode(reader.byte());
    const feature = plainName(reader);
    if (prefix === "+") into.push(feature);
  }
}

/** cargo-auditable: a JSON list of crates, compressed with zlib. */
function readCargoAuditable(reader: ByteReader, into: Dependency[]): void {
  const compressed = reader.bytes.subarray(reader.position, reader.end);
  // The length after decompression is attacker-controlled.
  const text = inflateSync(compressed, { maxOutputLength: MAX_DEPENDENCY_BYTES }).toString("utf8");
  const parsed = parseBoundedJson(text, { maxBytes: MAX_DEPENDENCY_BYTES });
  if (!parsed.allowed) return;
  const { packages } = parsed.value as { readonly packages?: unknown };
  if (!Array.isArray(packages)) return;
  for (const entry of packages.slice(0, MAX_CLAIMS)) {
    const { name, version } = entry as { readonly name?: unknown; readonly version?: unknown };
    if (typeof name !== "string" || typeof version !== "string") continue;
    assertPlain(name, reader.position);
    assertPlain(version, reader.position);
    into.push({ name, version, section: ".dep-v0" });
  }
}

const DYLINK_NEEDED = 2;

/** Dynamic linking (tool conventions, DynamicLinking.md): libraries wanted beside the module. */
function readDylink(reader: ByteReader, into: Dependency[]): void {
  while (reader.position < reader.end) {
    const subsection = reader.byte();
    const size = reader.u32();
    const end = reader.skip(size) + size;
    if (subsection !== DYLINK_NEEDED) continue;
    const inner = new ByteReader(reader.bytes);
    inner.seek(end - size, end);
    for (let left = inner.count(1); left > 0 && into.length < MAX_CLAIMS; left -= 1) {
      into.push({ name: plainName(inner), version: "", section: "dylink.0" });
    }
  }
}

function plainName(reader: ByteReader): string {
  const at = reader.position;
  const name = reader.name();
  if (name.length > MAX_NAME_BYTES) throw new RangeError("a claim is too long");
  assertPlain(name, at);
  return name;
}
