/**
 * @module What a person should look at in a module, as rules over its facts. A finding is no verdict:
 * a policy decides, and each of these has honest uses.
 */
import type { ModuleFacts } from "../facts/module-facts.ts";

/** Something to look at. */
export interface Finding {
  /** Stable id of the rule, such as `module/endless-loop`. */
  readonly rule: string;
  readonly level: "warning" | "note";
  readonly message: string;
  /** Byte offset in the module; absent where it concerns the whole. */
  readonly offset?: number;
}

interface Rule {
  readonly id: string;
  readonly level: Finding["level"];
  /** The message, with an offset where there is one place; `undefined`: nothing to say. */
  readonly find: (
    facts: ModuleFacts,
  ) => string | readonly [message: string, offset: number] | undefined;
}

const RULES: readonly Rule[] = [
  {
    id: "module/hash-like",
    level: "warning",
    find: ({ code: { hashLike } }) => {
      const [first] = hashLike;
      if (first === undefined) return undefined;
      const who = hashLike.length === 1 ? "a function mixes" : `${hashLike.length} functions mix`;
      return [`${who} bits, as hashing, encryption and mining do`, first.offset];
    },
  },
  {
    id: "module/endless-loop",
    level: "warning",
    find: ({ code: { endlessLoops: count } }) =>
      count === 0 ? undefined : `${loops(count)} that nothing leaves`,
  },
  {
    id: "module/recursion",
    level: "note",
    find: ({ code: { recursive } }) =>
      recursive.functions === 0
        ? undefined
        : `${recursive.functions} functions can call themselves, up to ${recursive.largestCycle} in a circle`,
  },
  {
    id: "module/start",
    level: "note",
    find: ({ start }) =>
      start === null ? undefined : `function ${start} runs at instantiation, before any call`,
  },
  {
    id: "module/memory-without-maximum",
    level: "note",
    find: ({ memories }) =>
      memories.some(({ maximum }) => maximum === null)
        ? "a memory declares no maximum: the host's limit bounds it"
        : undefined,
  },
  {
    id: "module/shared-memory",
    level: "note",
    find: ({ memories }) =>
      memories.some(({ shared }) => shared) ? "a memory is shared between threads" : undefined,
  },
  {
    id: "module/gc",
    level: "note",
    find: ({ features }) =>
      features.includes("gc")
        ? "objects of the engine's collector are not bounded by memory limits of the module"
        : undefined,
  },
  {
    id: "module/debug-data",
    level: "note",
    find: ({ claims: { debug } }) =>
      debug.length === 0 ? undefined : `debug data tells about the source: ${debug.join(", ")}`,
  },
];

/** Everything worth a look, warnings first. */
export function findingsOf(facts: ModuleFacts): readonly Finding[] {
  return RULES.flatMap(({ id, level, find }) => {
    const found = find(facts);
    if (found === undefined) return [];
    if (typeof found === "string") return [{ rule: id, level, message: found }];
    const [message, offset] = found;
    return [{ rule: id, level, message, offset }];
  });
}

function loops(count: number): string {
  return count === 1 ? "there is a loop" : `there are ${count} loops`;
}
