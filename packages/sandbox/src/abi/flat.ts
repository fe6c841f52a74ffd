/**
 * @module The `flat` ABI (contract.md 2): exports `memory`, `alloc(len) → ptr`, optionally
 * `dealloc(ptr, len)`, and functions `(ptr, len) → (ptr, len)` or `→ i64 = ptr << 32 | len`. All
 * pointers and lengths that come back are attacker-controlled: they are read as unsigned and
 * checked against the memory before a byte is touched.
 */
import { WASM_PAGE_BYTES } from "../limits.ts";
import { type LinkPlugin, PluginFailure } from "./abi.ts";
import { linkModules } from "./link-modules.ts";

const ALLOCATOR = new Set(["alloc", "dealloc"]);

/** Joins modules by name, without any import from the host. */
export const flat: LinkPlugin = (modules, _spec, _host, _limits, fuel) => {
  const { main } = linkModules(modules, () => ({ imports: {} }), fuel);
  const { functions, exports } = main;
  const { memory } = exports;
  const alloc = functions.get("alloc");
  const dealloc = functions.get("dealloc");
  if (!(memory instanceof WebAssembly.Memory) || alloc === undefined) {
    throw new PluginFailure(
      "SANDBOX_ABI",
      "the flat ABI needs the exports memory and alloc(i32) -> i32",
    );
  }
  return {
    functions: [...functions.keys()].filter((name) => !ALLOCATOR.has(name)),
    memoryPages: () => memory.buffer.byteLength / WASM_PAGE_BYTES,
    call(functionName, input) {
      const run = functions.get(functionName);
      if (run === undefined || run.length !== 2) {
        throw new PluginFailure(
          "SANDBOX_EXPORT_MISSING",
          `${functionName} is not an exported function of two parameters`,
          true,
        );
      }
      const inputAt = Number(alloc(input.length)) >>> 0;
      viewOf(memory, inputAt, input.length, "alloc").set(input);
      const [outputAt, outputLength] = decodeResult(run(inputAt, input.length), functionName);
      const output = viewOf(memory, outputAt, outputLength, functionName);
      if (dealloc === undefined) return output;
      // dealloc is plugin code: it runs inside the call and its limits, and may overwrite the output.
      const copy = output.slice();
      dealloc(inputAt, input.length);
      dealloc(outputAt, outputLength);
      return copy;
    },
  };
};

function decodeResult(result: unknown, functionName: string): readonly [number, number] {
  if (typeof result === "bigint") {
    return [Number((result >> 32n) & 0xffffffffn), Number(result & 0xffffffffn)];
  }
  if (Array.isArray(result) && result.length === 2) {
    const [at, length] = result as unknown[];
    if (typeof at === "number" && typeof length === "number") return [at >>> 0, length >>> 0];
  }
  throw new PluginFailure(
    "SANDBOX_ABI",
    `${functionName} must return (i32, i32) or i64, and returned ${typeof result}`,
  );
}

function viewOf(
  memory: WebAssembly.Memory,
  at: number,
  length: number,
  source: string,
): Uint8Array {
  const size = memory.buffer.byteLength;
  if (at + length > size) {
    throw new PluginFailure(
      "SANDBOX_OUTPUT_RANGE",
      `${source} answered the range ${at}+${length}, outside the memory of ${size} bytes`,
    );
  }
  return new Uint8Array(memory.buffer, at, length);
}
