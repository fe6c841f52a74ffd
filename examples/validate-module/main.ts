/**
 * @module May this module be loaded? Structure and imports are judged here, the rest by the engine
 * in a locked process: no byte of the module is compiled in this one (invariant I1).
 */
import assert from "node:assert/strict";

import { parsePluginId } from "@glovebox/core/ids";
import { ABI_REQUIREMENTS, createSandbox } from "@glovebox/sandbox";
import { createWasmValidator } from "@glovebox/wasm-validator";

const header = [0, 0x61, 0x73, 0x6d, 1, 0, 0, 0];
const types = [1, 6, 1, 0x60, 1, 0x7f, 1, 0x7f]; // (type (func (param i32) (result i32)))
const memory = [5, 3, 1, 0, 1]; // (memory 1)
const functions = [3, 2, 1, 0];
// (export "memory" (memory 0)) (export "alloc" (func 0))
const exports = [7, 18, 2, 6, ...text("memory"), 2, 0, 5, ...text("alloc"), 0, 0];
const alloc = [10, 7, 1, 5, 0, 0x41, 0x80, 0x08, 0x0b]; // (i32.const 1024)
const wrongType = [10, 4, 1, 2, 0, 0x0b]; // gives back nothing, and an i32 is due
const imports = [2, 14, 1, 3, ...text("env"), 6, ...text("system"), 0, 0];

const modules = {
  good: [header, types, functions, memory, exports, alloc],
  "wrong in its code": [header, types, functions, memory, exports, wrongType],
  "asking for env.system": [header, types, imports, memory],
  "cut off": [header, types.slice(0, 4)],
};

const pluginId = parsePluginId("example");
assert.ok(pluginId.allowed);

await using sandbox = await createSandbox();
const validator = createWasmValidator();

for (const [name, sections] of Object.entries(modules)) {
  const reserved = await sandbox.reserve({ pluginId: pluginId.value });
  assert.ok(reserved.allowed);
  await using engine = reserved.value;
  const bytes = Uint8Array.from(sections.flat());
  const decision = await validator.validate(bytes, engine, ABI_REQUIREMENTS.flat);
  const answer = decision.allowed
    ? `allowed, SHA-256 ${decision.value.sha256.slice(0, 12)}…`
    : `${decision.code}: ${decision.reason}`;
  process.stdout.write(`${name}: ${answer}\n`);
}

function text(name: string): readonly number[] {
  return [...new TextEncoder().encode(name)];
}
