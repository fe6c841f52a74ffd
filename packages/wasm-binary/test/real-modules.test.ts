/** @module Modules from npm: every operator is read and written again, byte for byte. */
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";

import { readModule } from "@glovebox/wasm-binary";
import { instructionOf, OperatorReader } from "@glovebox/wasm-binary/operators";
import { ByteWriter, writeInstruction, writeModule } from "@glovebox/wasm-binary/write";
import { expect, it } from "vitest";

const { resolve } = createRequire(import.meta.url);

it.each([
  ["@dprint/json/plugin.wasm", { padded: true }],
  ["sql.js/dist/sql-wasm.wasm", { padded: false }],
  ["web-tree-sitter/web-tree-sitter.wasm", { padded: false }],
] as const)("%s", (file, { padded }) => {
  const bytes = readFileSync(resolve(file));
  const decision = readModule(bytes);
  if (!decision.allowed) throw new Error(decision.reason);
  const module = decision.value;
  expect(Buffer.compare(writeModule(module), bytes)).toBe(0);

  const reader = new OperatorReader(bytes);
  const writer = new ByteWriter(64);
  let longer = 0;
  for (let index = 0; index < module.bodies.length; index++) {
    reader.openBody(module.bodies.startOf(index), module.bodies.endOf(index));
    for (let opcode = reader.next(); opcode >= 0; opcode = reader.next()) {
      writer.clear();
      writeInstruction(writer, instructionOf(reader, opcode));
      if (Buffer.compare(writer.finish(), bytes.subarray(reader.offset, reader.position)) !== 0)
        longer++;
    }
    reader.close();
  }
  // A Rust module's relocated indices are padded to five bytes, and are written shorter.
  expect(longer > 0).toBe(padded);
});
