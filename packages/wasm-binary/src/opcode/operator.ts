/**
 * @module What the opcode table says of one operator, and how a row of it is read.
 *
 * `fc:0b memory.fill [memory] : addr i32 addr -> ; cost=bulk-bytes` is: prefix and number in hex, the
 * name (braces stand for names of consecutive numbers), immediates in their order, operands and
 * results (`*` where they depend on more than the operator, `addr` is i32 or i64 by the memory or
 * table), and after a semicolon the cost class (default `simple`) and `const` where a constant
 * expression may hold it.
 */

/** What stands after an opcode, in the order it stands. */
export type Immediate =
  | IndexImmediate
  | "block-type"
  | "labels"
  | "types"
  | "memarg"
  | "i32"
  | "i64"
  | "f32"
  | "f64"
  | "v128"
  | "lanes"
  | "lane"
  | "heap-type"
  | "catches"
  | "cast-flags"
  | "zero";

/** Immediates that are one LEB128 u32: an index, a depth or a count. */
export type IndexImmediate =
  | "label"
  | "function"
  | "type"
  | "table"
  | "local"
  | "global"
  | "memory"
  | "tag"
  | "data"
  | "element"
  | "field"
  | "count";

const INDEX_IMMEDIATES: ReadonlySet<string> = new Set<IndexImmediate>([
  "label",
  "function",
  "type",
  "table",
  "local",
  "global",
  "memory",
  "tag",
  "data",
  "element",
  "field",
  "count",
]);

/** {@link Immediate} with its kinds of index taken together. */
export type ImmediateForm = Exclude<Immediate, IndexImmediate> | "index";

/** The form of an immediate. */
export function formOf(immediate: Immediate): ImmediateForm {
  return isIndex(immediate) ? "index" : immediate;
}

function isIndex(immediate: Immediate): immediate is IndexImmediate {
  return INDEX_IMMEDIATES.has(immediate);
}

/** How an operator is priced; the weights are another package's. */
export type CostClass =
  | "structure"
  | "simple"
  | "divide"
  | "call"
  | "indirect"
  | "throw"
  | "grow"
  | "bulk-bytes"
  | "bulk-elements"
  | "bulk-table"
  | "table"
  | "allocate"
  | "allocate-array"
  | "cast"
  | "atomic"
  | "wait";

/** One row of the table. */
export interface Operator {
  /** Dense number below 1,024: what the reader answers and tables are indexed by. */
  readonly opcode: number;
  /** The first byte. */
  readonly byte: number;
  /** The number after a prefix byte; -1 without one. */
  readonly sub: number;
  readonly name: string;
  readonly immediates: readonly Immediate[];
  /** Operand types, the last one on top of the stack; `*` alone where they vary. */
  readonly operands: readonly string[];
  /** Result types; `*` alone where they vary. */
  readonly results: readonly string[];
  /** The proposal that brought it; `mvp` for WebAssembly 1.0. */
  readonly proposal: string;
  readonly cost: CostClass;
  /** Whether a constant expression may hold it. */
  readonly constant: boolean;
}

/** One more than the highest opcode number. */
export const OPCODE_SLOTS = 1024;

/** First opcode number of each prefix byte, and how many it has. */
const PREFIXES: Readonly<Record<number, readonly [base: number, size: number]>> = {
  0xfb: [256, 64],
  0xfc: [320, 64],
  0xfe: [384, 128],
  0xfd: [512, 512],
};

/** The dense number of an opcode, or -1 where no operator can be. */
export function opcodeOf(byte: number, sub: number): number {
  const prefix = PREFIXES[byte];
  if (prefix === undefined) return byte;
  return sub < prefix[1] ? prefix[0] + sub : -1;
}

const ROW =
  /^(?:(?<prefix>f[bcde]):)?(?<code>[0-9a-f]+) (?<names>[^[:]+?)(?: \[(?<immediates>[^\]]*)\])? : (?<operands>[^;]*?) ?-> ?(?<results>[^;]*?) ?(?:; (?<flags>.*))?$/;

/** Reads the rows of one proposal. */
export function parseRows(proposal: string, text: string): readonly Operator[] {
  return text
    .split("\n")
    .map((line) => line.trim())
    .filter((line) => line !== "")
    .flatMap((line) => parseRow(proposal, line));
}

function parseRow(proposal: string, line: string): readonly Operator[] {
  const { prefix, code = "", names = "", immediates, operands, results, flags } = fieldsOf(line);
  const first = Number.parseInt(code, 16);
  const words = wordsOf(flags);
  const cost = words.find((word) => word.startsWith("cost="))?.slice("cost=".length);
  return expand(names).map((name, index) => {
    const byte = prefix === undefined ? first + index : Number.parseInt(prefix, 16);
    const sub = prefix === undefined ? -1 : first + index;
    return Object.freeze({
      opcode: opcodeOf(byte, sub),
      byte,
      sub,
      name,
      immediates: Object.freeze(wordsOf(immediates)) as readonly Immediate[],
      operands: Object.freeze(wordsOf(operands)),
      results: Object.freeze(wordsOf(results)),
      proposal,
      cost: (cost ?? "simple") as CostClass,
      constant: words.includes("const"),
    });
  });
}

function fieldsOf(line: string): Readonly<Record<string, string | undefined>> {
  const fields = ROW.exec(line)?.groups;
  if (fields === undefined) throw new TypeError(`not a row of the opcode table: ${line}`);
  return fields;
}

/** `i32.{add sub}` is `i32.add` and `i32.sub`. */
function expand(names: string): readonly string[] {
  const [before = "", list] = names.split("{");
  return list === undefined
    ? [before]
    : wordsOf(list.replace("}", "")).map((name) => before + name);
}

function wordsOf(text = ""): string[] {
  return text.split(" ").filter((word) => word !== "");
}
