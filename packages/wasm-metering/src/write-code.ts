/** @module The code section of the metered module, and the functions and types added for it. */
import { SECTION, type WasmModule } from "@glovebox/wasm-binary";
import { opcodeNamed, OperatorReader } from "@glovebox/wasm-binary/operators";
import { ByteWriter } from "@glovebox/wasm-binary/write";

import { writePerBlock } from "./charge/per-block.ts";
import { ControlFlow } from "./graph/control-flow.ts";
import type { IndexCheck } from "./index-check.ts";
import { MAX_BODY_BYTES, MAX_LOCALS } from "./limits.ts";
import type { MeteringFallback } from "./metered-module.ts";
import { MeteringStop } from "./metering-stop.ts";
import { OffsetMapBuilder } from "./offset-map.ts";
import { BodyContext, type ModuleContext } from "./rewrite/body-context.ts";
import { Code } from "./rewrite/code.ts";
import { I64, TypePool } from "./rewrite/type-pool.ts";

const LOCAL_GET = opcodeNamed("local.get");
const LOCAL_TEE = opcodeNamed("local.tee");

/** What was written. */
export interface WrittenCode {
  /** Content of the code section. */
  readonly content: Uint8Array;
  readonly types: TypePool;
  /** Type indices of the functions appended. */
  readonly addedFunctions: readonly number[];
  readonly map: OffsetMapBuilder;
  /** Bytes of `content` that hold the original's functions. */
  readonly mappedBytes: number;
  readonly fuelGlobal: number;
  readonly fallbacks: readonly MeteringFallback[];
}

/** Writes every body with its charges, and the function that ends a call without fuel. */
export function writeCode(module: WasmModule, check: IndexCheck): WrittenCode {
  const types = new TypePool(module);
  const map = new OffsetMapBuilder();
  const shared: ModuleContext = {
    module,
    types,
    fuelGlobal: module.globals.length,
    outOfFuel: module.functions.length,
  };
  const content = new ByteWriter(Math.ceil(1.5 * codeBytes(module)) + 64);
  content.unsigned(module.bodies.length + 1);
  const body = new ByteWriter(4_096);
  const reader = new OperatorReader(module.bytes);
  const flow = new ControlFlow();

  for (let index = 0; index < module.bodies.length; index++) {
    const functionIndex = module.imported.function + index;
    readBody(module, reader, flow, check, index);
    body.clear();
    const context = new BodyContext(
      shared,
      typeOf(module, functionIndex),
      body,
      module.bodies.startOf(index),
    );
    if (context.parameters.length + flow.localCount + 2 > MAX_LOCALS) {
      throw new MeteringStop(
        "METERING_LIMIT",
        `function ${functionIndex} has too many locals to add two`,
      );
    }
    writePerBlock(flow, context);
    append(content, body, functionIndex);
    map.addBody(content.length - body.length, context.runs);
  }
  const mappedBytes = content.length;
  body.clear();
  writeOutOfFuel(new Code(body), shared.fuelGlobal);
  append(content, body, shared.outOfFuel);
  const addedFunctions = [types.functionType([I64], [])];
  const { fuelGlobal } = shared;
  return {
    content: content.finish(),
    types,
    addedFunctions,
    map,
    mappedBytes,
    fuelGlobal,
    fallbacks: [],
  };
}

/** Builds the graph of one body and checks every index in it, in dead code too. */
function readBody(
  module: WasmModule,
  reader: OperatorReader,
  flow: ControlFlow,
  check: IndexCheck,
  index: number,
): void {
  const { bodies, imported } = module;
  reader.openBody(bodies.startOf(index), bodies.endOf(index));
  const locals = typeOf(module, imported.function + index).parameters.length + reader.localCount;
  flow.build(reader, -1, (opcode) => {
    const isLocal = opcode >= LOCAL_GET && opcode <= LOCAL_TEE;
    if (isLocal ? reader.first >= locals : !check.allows(reader, opcode))
      refuseIndex(imported.function + index, reader.offset);
  });
  if (!check.allowsTypes(reader)) refuseIndex(imported.function + index, bodies.startOf(index));
}

function refuseIndex(functionIndex: number, offset: number): never {
  throw new MeteringStop("METERING_INDEX", `function ${functionIndex}, at byte ${offset}`);
}

function typeOf(
  { types, functions }: WasmModule,
  index: number,
): { readonly parameters: readonly number[]; readonly results: readonly number[] } {
  const type = types.at(functions[index] as number);
  if (type.kind !== "function")
    throw new MeteringStop("METERING_INDEX", `the type of function ${index}`);
  return type;
}

/** Stores the fuel one lower than it is, so that it is never the poison, and traps. */
function writeOutOfFuel(code: Code, fuelGlobal: number): void {
  code.bytes.byte(0);
  code.index("localGet", 0);
  code.i64(1);
  code.op("subtract");
  code.index("globalSet", fuelGlobal);
  code.op("unreachable");
  code.op("end");
}

function append(content: ByteWriter, body: ByteWriter, functionIndex: number): void {
  if (body.length > MAX_BODY_BYTES) {
    throw new MeteringStop(
      "METERING_LIMIT",
      `function ${functionIndex} becomes ${body.length} bytes long`,
    );
  }
  content.unsigned(body.length);
  content.append(body);
}

function codeBytes({ sections }: WasmModule): number {
  const code = sections.find(({ id }) => id === SECTION.code);
  return code === undefined ? 0 : code.end - code.start;
}
