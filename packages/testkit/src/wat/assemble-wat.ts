/**
 * @module WebAssembly fixtures from readable text, through wabt (style: no opaque blobs). Each text
 * is assembled once per process.
 */
import wabt from "wabt";

import { TestkitError } from "../errors.ts";
import { MAX_CACHED_MODULES } from "../limits.ts";

type Wabt = Awaited<ReturnType<typeof wabt>>;
type WatFeatures = NonNullable<Parameters<Wabt["parseWat"]>[2]>;

/** Which proposals the text may use, under wabt's names (`multi_value`, `gc`, …), and a check. */
export interface WatOptions extends WatFeatures {
  /**
   * Refuse a module that does not validate. Default: true. `false` is for tests that attack a
   * validator with a module that is well-formed and invalid.
   */
  readonly validate?: boolean;
}

const UTF8 = new TextEncoder();
let loading: Promise<Wabt> | undefined;
const cache = new Map<string, Uint8Array>();

/**
 * Assembles WebAssembly text to a binary that the caller owns.
 *
 * @throws {@link TestkitError} (`TESTKIT_WAT`) with wabt's message, which names line and column.
 *
 * @example
 * ```ts
 * const bytes = await assembleWat(`(module (func (export "answer") (result i32) i32.const 42))`);
 * ```
 */
export async function assembleWat(wat: string, options: WatOptions = {}): Promise<Uint8Array> {
  const key = JSON.stringify([wat, Object.entries(options).map(String).sort()]);
  const known = cache.get(key);
  // A copy: a test that patches its module must not change the next test's.
  if (known !== undefined) return known.slice();
  loading ??= wabt();
  const bytes = assemble(await loading, wat, options);
  const oldest = cache.keys().next();
  if (cache.size >= MAX_CACHED_MODULES && oldest.done !== true) cache.delete(oldest.value);
  cache.set(key, bytes);
  return bytes.slice();
}

function assemble(library: Wabt, wat: string, options: WatOptions): Uint8Array {
  const { validate = true, ...features } = options;
  let module: ReturnType<Wabt["parseWat"]> | undefined;
  try {
    // Bytes: of a string wabt keeps one byte for each character.
    module = library.parseWat("fixture.wat", UTF8.encode(wat), features);
    module.resolveNames();
    if (validate) module.validate();
    // wabt's buffer is a view of its own memory, which the next module overwrites.
    return module.toBinary({}).buffer.slice();
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new TestkitError("TESTKIT_WAT", { message: reason, cause: error });
  } finally {
    module?.destroy();
  }
}
