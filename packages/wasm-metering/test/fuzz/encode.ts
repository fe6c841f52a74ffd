/**
 * @module A program as a module. Loops and calls spend a global `steps` and leave when it is spent, so
 * that every run ends. Floats that may be NaN are replaced by 0 where they arise: which NaN it is the
 * specification leaves open.
 */
import { ByteWriter } from "@glovebox/wasm-binary/write";

import { BodyEncoder } from "./encode-body.ts";
import { GLOBALS, MORE_TYPES, TYPE_BYTES } from "./module-shape.ts";
import type { NumberType, Program } from "./program.ts";

const PASSIVE_BYTES = Buffer.from("glovebox fuzz data");

/** The bytes: they export `run`, `memory`, the globals `g0` to `g4`, and perhaps `table`. */
export function encode(program: Program, hasWide: boolean): Uint8Array<ArrayBuffer> {
  const { functions, hasOpenTable, steps } = program;
  const count = functions.length;
  const out = new ByteWriter(1_024);
  out.raw([0, 0x61, 0x73, 0x6d, 1, 0, 0, 0]);
  const section = (id: number, write: (writer: ByteWriter) => void): void => {
    const content = new ByteWriter();
    write(content);
    out.byte(id);
    out.unsigned(content.length);
    out.append(content);
  };
  const writeTypes = (writer: ByteWriter, types: readonly NumberType[]): void => {
    writer.unsigned(types.length);
    writer.raw(types.map((type) => TYPE_BYTES[type]));
  };
  section(1, (writer) => {
    writer.unsigned(count + (hasWide ? 4 : 2));
    for (const { parameters, results } of functions) {
      writer.byte(0x60);
      writeTypes(writer, parameters);
      writeTypes(writer, results);
    }
    writer.raw([0x60, 1, 0x7f, 0]);
    writer.raw([0x60, 2, 0x7e, 0x7c, 0]);
    // A struct of a mutable i32 and f64, and an array of i64.
    if (hasWide) writer.raw([0x5f, 2, 0x7f, 1, 0x7c, 1, 0x5e, 0x7e, 1]);
  });
  section(3, (writer) => writer.raw([count, ...functions.keys()]));
  section(4, (writer) => writer.raw([1, 0x70, 1, count + 2, count + 2]));
  section(5, (writer) => writer.raw([1, 1, 1, 3]));
  section(13, (writer) =>
    writer.raw([2, 0, count + MORE_TYPES.tagOfI32, 0, count + MORE_TYPES.tagOfTwo]),
  );
  section(6, (writer) => {
    writer.unsigned(GLOBALS.length);
    writer.raw([0x7f, 1, 0x41]);
    writer.signed(steps);
    writer.raw([0x0b, 0x7f, 1, 0x41, 3, 0x0b, 0x7e, 1, 0x42, 5, 0x0b]);
    writer.raw([0x7d, 1, 0x43, 0, 0, 0, 0, 0x0b, 0x7c, 1, 0x44, 0, 0, 0, 0, 0, 0, 0, 0, 0x0b]);
  });
  section(7, (writer) => {
    const entries: [string, number, number][] = [
      ["run", 0, 0],
      ["memory", 2, 0],
      ...GLOBALS.map((_, index): [string, number, number] => [`g${index}`, 3, index]),
      ...(hasOpenTable ? [["table", 1, 0] as [string, number, number]] : []),
    ];
    writer.unsigned(entries.length);
    for (const [name, kind, index] of entries) {
      writer.name(name);
      writer.raw([kind, index]);
    }
  });
  // Active from 0 on; passive with the functions backwards.
  section(9, (writer) =>
    writer.raw([
      2,
      0,
      0x41,
      0,
      0x0b,
      count,
      ...functions.keys(),
      1,
      0,
      count,
      ...[...functions.keys()].toReversed(),
    ]),
  );
  section(12, (writer) => writer.byte(1));
  section(10, (writer) => {
    writer.unsigned(count);
    for (const each of functions) {
      const body = new BodyEncoder(program, each).encode();
      writer.unsigned(body.length);
      writer.append(body);
    }
  });
  section(11, (writer) => {
    writer.raw([1, 1, PASSIVE_BYTES.length]);
    writer.raw(PASSIVE_BYTES);
  });
  return out.finish();
}
