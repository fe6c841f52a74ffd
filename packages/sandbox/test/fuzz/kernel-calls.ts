/**
 * @module Random modules that call the imports of `extism:host/env` in any order with any values.
 * Whatever they do, our runner keeps to the protocol, and the call ends with a code of a plugin's.
 */
import type { CallOutcome } from "@glovebox/core/ports";
import fc from "fast-check";

/** Parameters and result of each import that is called. */
const IMPORTS = {
  alloc: ["i64", "i64"],
  free: ["i64", ""],
  length: ["i64", "i64"],
  length_unsafe: ["i64", "i64"],
  load_u8: ["i64", "i32"],
  load_u64: ["i64", "i64"],
  store_u8: ["i64 i32", ""],
  store_u64: ["i64 i64", ""],
  input_length: ["", "i64"],
  input_load_u8: ["i64", "i32"],
  input_load_u64: ["i64", "i64"],
  output_set: ["i64 i64", ""],
  error_set: ["i64", ""],
  config_get: ["i64", "i64"],
  var_get: ["i64", "i64"],
  var_set: ["i64 i64", ""],
  http_request: ["i64 i64", "i64"],
  http_status_code: ["", "i32"],
  http_headers: ["", "i64"],
  log_info: ["i64", ""],
  log_error: ["i64", ""],
  get_log_level: ["", "i32"],
} as const satisfies Readonly<Record<string, readonly [string, string]>>;

type ImportName = keyof typeof IMPORTS;

/** A value, or what a call before it answered. */
type Operand = { readonly value: bigint } | { readonly result: number };

/** One call of an import. */
export interface KernelCall {
  readonly name: ImportName;
  readonly operands: readonly Operand[];
}

const RESULTS = 4;
const EDGES = [0n, 1n, 7n, 8n, 16n, 65_535n, 65_536n, 2n ** 31n, 2n ** 32n - 1n, 2n ** 48n, -1n];

const operand: fc.Arbitrary<Operand> = fc.oneof(
  { weight: 5, arbitrary: fc.record({ result: fc.nat({ max: RESULTS - 1 }) }) },
  { weight: 3, arbitrary: fc.record({ value: fc.constantFrom(...EDGES) }) },
  { weight: 3, arbitrary: fc.record({ value: fc.bigInt(0n, 300n) }) },
  { weight: 1, arbitrary: fc.record({ value: fc.bigInt(-(2n ** 63n), 2n ** 63n - 1n) }) },
);

/** Programs to try. */
export const kernelProgram: fc.Arbitrary<readonly KernelCall[]> = fc.array(
  fc.record({
    name: fc.oneof(
      fc.constant<ImportName>("alloc"),
      fc.constantFrom(...(Object.keys(IMPORTS) as ImportName[])),
    ),
    operands: fc.tuple(operand, operand),
  }),
  { minLength: 1, maxLength: 40 },
);

/** The module that makes these calls in its function `run`; the last four results are at hand. */
export function moduleOf(calls: readonly KernelCall[]): string {
  const imports = Object.entries(IMPORTS).map(
    ([name, [parameters, result]]) =>
      `(import "extism:host/env" "${name}" (func $${name} (param ${parameters}) ${result && `(result ${result})`}))`,
  );
  const body = calls.map(({ name, operands }, at) => {
    const [parameters, result] = IMPORTS[name];
    const values = parameters
      .split(" ")
      .filter(Boolean)
      .map((type, place) => valueOf(operands[place], type));
    const call = `(call $${name} ${values.join(" ")})`;
    if (result === "") return call;
    const value = result === "i32" ? `(i64.extend_i32_u ${call})` : call;
    return `(local.set $r${at % RESULTS} ${value})`;
  });
  const locals = Array.from({ length: RESULTS }, (_, at) => `(local $r${at} i64)`).join(" ");
  return `(module ${imports.join("\n")} (func (export "run") (result i32) ${locals}
    ${body.join("\n")} (i32.const 0)))`;
}

function valueOf(given: Operand | undefined, type: string): string {
  const value =
    given !== undefined && "result" in given
      ? `(local.get $r${given.result})`
      : `(i64.const ${given?.value ?? 0n})`;
  return type === "i32" ? `(i32.wrap_i64 ${value})` : value;
}

/** The codes that a module can bring about. */
const CODES: ReadonlySet<string> = new Set([
  "SANDBOX_PLUGIN_ERROR",
  "SANDBOX_TRAP",
  "SANDBOX_OUTPUT_SIZE",
  "SANDBOX_OUTPUT_RANGE",
  "SANDBOX_MEMORY_LIMIT",
  "SANDBOX_CPU_LIMIT",
  "SANDBOX_HOST_CALL_REFUSED",
]);

/** What is wrong with how the call ended. */
export function problemWithKernel(outcome: CallOutcome): string | undefined {
  if (outcome.ok || CODES.has(outcome.error.code)) return undefined;
  return `${outcome.error.code}: ${outcome.error.message}`;
}
