/** @module A module written again, with every operator of its code written from its value. */
import { readModule, SECTION, type WasmModule } from "@glovebox/wasm-binary";
import { instructionOf, OperatorReader } from "@glovebox/wasm-binary/operators";
import { ByteWriter, writeInstruction, writeModule } from "@glovebox/wasm-binary/write";

import { Refusal } from "./run-script.ts";

/**
 * Writes a module twice: as it was read, which must give the same bytes, and operator by operator.
 *
 * @throws Refusal when the reader refuses it.
 */
export function reencode(original: Uint8Array): Uint8Array<ArrayBuffer> {
  const reading = readModule(original);
  if (!reading.allowed) throw new Refusal(reading.reason);
  const module = reading.value;
  if (Buffer.compare(writeModule(module), original) !== 0)
    throw new Error("written otherwise than it was read");
  if (module.bodies.length === 0) return writeModule(module);
  return writeModule(module, { replace: new Map([[SECTION.code, codeOf(module)]]) });
}

function codeOf({ bytes, bodies }: WasmModule): Uint8Array {
  const reader = new OperatorReader(bytes);
  const content = new ByteWriter(bytes.length);
  const body = new ByteWriter();
  content.unsigned(bodies.length);
  for (let index = 0; index < bodies.length; index++) {
    body.clear();
    reader.openBody(bodies.startOf(index), bodies.endOf(index));
    body.copy(bytes, bodies.startOf(index), reader.position);
    for (let opcode = reader.next(); opcode >= 0; opcode = reader.next()) {
      writeInstruction(body, instructionOf(reader, opcode));
    }
    content.unsigned(body.length);
    content.append(body);
  }
  return content.finish();
}
