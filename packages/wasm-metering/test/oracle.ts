/**
 * @module An independent count: a module in which every operator adds its own cost to a global just
 * before it runs. It knows nothing of blocks, so it cannot share a mistake about them with what is
 * tested. It counts runs that neither trap nor throw, of modules with 32-bit lengths.
 */
import { readModule, SECTION, type WasmModule } from "@glovebox/wasm-binary";
import { opcodeNamed, OperatorReader, operatorOf } from "@glovebox/wasm-binary/operators";
import { ByteWriter, writeModule } from "@glovebox/wasm-binary/write";
import { COST_TABLE } from "@glovebox/wasm-metering";

const MARKERS = new Set(["else", "end", "catch", "catch_all", "delegate"].map(opcodeNamed));
const BLOCKS = new Set(["block", "loop", "if", "try", "try_table"]);
const OP = { get: 0x23, set: 0x24, i64: 0x42, add: 0x7c, multiply: 0x7e, shift: 0x88, call: 0x10 };

/** The module with counting; it exports the global `count`. */
export function countingModule(bytes: Uint8Array): Uint8Array {
  const decision = readModule(bytes);
  if (!decision.allowed) throw new Error(decision.reason);
  const module = decision.value;
  const counter = module.globals.length;
  const lengths = new Map<string, number>();
  const code = new ByteWriter();
  const helpers = new ByteWriter();
  for (let index = 0; index < module.bodies.length; index++) {
    const body = writeBody(module, index, counter, (units, shift) => {
      const key = `${units} ${shift}`;
      const known = lengths.get(key);
      if (known !== undefined) return known;
      lengths.set(key, module.functions.length + lengths.size);
      return module.functions.length + lengths.size - 1;
    });
    code.unsigned(body.length);
    code.append(body);
  }
  for (const key of lengths.keys()) {
    const [units = 0, shift = 0] = key.split(" ").map(Number);
    const body = lengthCounter(counter, units, shift);
    helpers.unsigned(body.length);
    helpers.append(body);
  }
  return writeModule(module, {
    replace: new Map([
      [SECTION.type, append(module, SECTION.type, 1, [0x60, 1, 0x7f, 1, 0x7f])],
      [
        SECTION.function,
        append(module, SECTION.function, lengths.size, typesOf(lengths.size, module.types.length)),
      ],
      [SECTION.global, append(module, SECTION.global, 1, [0x7e, 1, 0x42, 0, 0x0b])],
      [
        SECTION.export,
        append(module, SECTION.export, 1, [5, ...Buffer.from("count"), 3, ...leb(counter)]),
      ],
      [
        SECTION.code,
        joined([leb(module.bodies.length + lengths.size), code.finish(), helpers.finish()]),
      ],
    ]),
  });
}

function writeBody(
  { bytes, bodies }: WasmModule,
  index: number,
  counter: number,
  lengthFunction: (units: number, shift: number) => number,
): ByteWriter {
  const reader = new OperatorReader(bytes);
  const writer = new ByteWriter();
  const add = (units: number): void => {
    if (units === 0) return;
    writer.raw([OP.get, ...leb(counter), OP.i64]);
    writer.signed(units);
    writer.raw([OP.add, OP.set, ...leb(counter)]);
  };
  reader.openBody(bodies.startOf(index), bodies.endOf(index));
  writer.copy(bytes, bodies.startOf(index), reader.position);
  const { base, freeLocals, localsPerUnit } = COST_TABLE.entry;
  add(base + Math.ceil(Math.max(0, reader.localCount - freeLocals) / localsPerUnit));
  const catches = catchesOf(reader);
  reader.openBody(bodies.startOf(index), bodies.endOf(index));
  for (let opcode = reader.next(); opcode >= 0; opcode = reader.next()) {
    const operator = operatorOf(opcode);
    if (operator === undefined) throw new Error("an operator that is none");
    add(COST_TABLE.perCatch * (catches.get(reader.offset) ?? 0));
    const { base: units, perLength } = COST_TABLE.classes[operator.cost];
    if (!MARKERS.has(opcode)) add(units);
    if (perLength !== undefined) {
      writer.byte(OP.call);
      writer.unsigned(lengthFunction(perLength.units, perLength.shift));
    }
    writer.copy(bytes, reader.offset, reader.position);
  }
  return writer;
}

/** How many catches the block has that begins at an offset. */
function catchesOf(reader: OperatorReader): ReadonlyMap<number, number> {
  const catches = new Map<number, number>();
  const open: number[] = [];
  for (let opcode = reader.next(); opcode >= 0; opcode = reader.next()) {
    const name = operatorOf(opcode)?.name ?? "";
    if (name === "end" || name === "delegate") open.pop();
    else if (BLOCKS.has(name)) open.push(reader.offset);
    if (name === "try_table") catches.set(reader.offset, reader.listLength / 3);
    if (name !== "catch" && name !== "catch_all") continue;
    const block = open.at(-1) ?? 0;
    catches.set(block, (catches.get(block) ?? 0) + 1);
  }
  return catches;
}

/** (length) → (length), which counts it. */
function lengthCounter(counter: number, units: number, shift: number): ByteWriter {
  const writer = new ByteWriter();
  writer.raw([0, OP.get, ...leb(counter), 0x20, 0, 0xad, OP.i64]);
  writer.signed(shift);
  writer.raw([OP.shift, OP.i64]);
  writer.signed(units);
  writer.raw([OP.multiply, OP.add, OP.set, ...leb(counter), 0x20, 0, 0x0b]);
  return writer;
}

function append(
  { bytes, sections }: WasmModule,
  id: number,
  more: number,
  entries: readonly number[],
): Uint8Array {
  const section = sections.find((candidate) => candidate.id === id);
  if (section === undefined) return joined([leb(more), entries]);
  let at = section.start;
  let count = 0;
  for (let shift = 0; ; shift += 7) {
    const byte = bytes[at++] as number;
    count += (byte & 0x7f) * 2 ** shift;
    if (byte < 0x80) break;
  }
  return joined([leb(count + more), bytes.subarray(at, section.end), entries]);
}

function typesOf(count: number, type: number): number[] {
  return Array.from({ length: count }, () => leb(type)).flat();
}

function leb(value: number): number[] {
  const writer = new ByteWriter(8);
  writer.unsigned(value);
  return [...writer.finish()];
}

function joined(parts: readonly (Uint8Array | readonly number[])[]): Uint8Array {
  return Uint8Array.from(Buffer.concat(parts.map((part) => Uint8Array.from(part))));
}
