/**
 * @module The blocks of a plugin.yaml and the keys that each knows, as one table (contract.md 1).
 * A later feature adds its keys here and nowhere else.
 */
import { checkRequired, isMap, mapAt, type Rule, reportType } from "../rule.ts";
import { childPointer } from "../yaml/source-tree.ts";
import { NETWORK_LIMIT_KEYS } from "./network.ts";

interface Block {
  readonly keys: readonly string[];
  readonly required: readonly string[];
}

/** JSON pointer of a block → its keys. */
export const BLOCKS: Readonly<Record<string, Block>> = {
  "": { keys: ["plugin", "capabilities", "functions", "dependencies"], required: ["plugin"] },
  "/plugin": {
    keys: [
      "id",
      "version",
      "name",
      "description",
      "author",
      "types",
      "abi",
      "wasm",
      "modules",
      "instance",
    ],
    required: ["id", "version", "types", "abi"],
  },
  "/capabilities": { keys: ["network", "filesystem", "resources"], required: [] },
  "/capabilities/network": {
    keys: [
      "allow_http_outbound",
      "allowed_hosts",
      "ports",
      "methods",
      "path_prefixes",
      "spki_pins",
      "secrets",
      "limits",
    ],
    required: [],
  },
  "/capabilities/network/limits": { keys: Object.values(NETWORK_LIMIT_KEYS), required: [] },
  "/capabilities/filesystem": {
    keys: ["allow_read", "allow_write", "allowed_paths", "rights"],
    required: [],
  },
  "/capabilities/resources": {
    keys: ["max_memory_bytes", "max_cpu_time_ms", "max_instructions"],
    required: [],
  },
};

const OPEN_MAPS = ["/functions", "/dependencies"];

/** Every block that is there is a map. */
export const blocksAreMaps: Rule = (context) => {
  for (const pointer of [...Object.keys(BLOCKS), ...OPEN_MAPS]) {
    const value = context.valueAt(pointer);
    if (value !== undefined && !isMap(value)) reportType(context, pointer, "a map", value);
  }
};

/** Every block has the keys that it must have. */
export const requiredKeysArePresent: Rule = (context) => {
  for (const [pointer, block] of Object.entries(BLOCKS)) {
    checkRequired(context, pointer, block.required);
  }
};

/** Every block has only keys that it may have. */
export const keysAreKnown: Rule = (context) => {
  for (const [pointer, block] of Object.entries(BLOCKS)) {
    for (const key of Object.keys(mapAt(context, pointer) ?? {})) {
      if (block.keys.includes(key)) continue;
      context.reportUnknownKey(childPointer(pointer, key), {
        expected: `one of ${block.keys.join(", ")}`,
        received: key,
      });
    }
  }
};
