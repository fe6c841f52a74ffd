/** @module The door @glovebox/wasm-binary/write. Writing modules and operators. */
export { ByteWriter } from "./byte-writer.ts";
export { writeInstruction, writeValueType } from "./write-instruction.ts";
export { writeModule } from "./write-module.ts";
export type { ModuleEdits } from "./write-module.ts";
