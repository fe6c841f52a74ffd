/** @module Expressions of a program as code. */
import { OPERATORS } from "@glovebox/wasm-binary/operators";

import { CodeWriter, VOID } from "./code-writer.ts";
import { GLOBALS, MORE_TYPES, TYPE_BYTES } from "./module-shape.ts";
import type { Expression, NumberType, Program, ProgramFunction, Statement } from "./program.ts";

const PAGE_MASK = 0xffff;
const NUMERIC = /^(?:[if](?:32|64))$/;

/** Operators on numbers by what they give, from the opcode table. */
const OPERATORS_OF = new Map<
  string,
  readonly { readonly name: string; readonly operands: readonly NumberType[] }[]
>(
  ["i32", "i64", "f32", "f64"].map((type) => [
    type,
    OPERATORS.filter(
      ({ results, operands, immediates }) =>
        results[0] === type &&
        immediates.length === 0 &&
        operands.every((operand) => NUMERIC.test(operand)) &&
        operands.length > 0,
    )
      .filter(({ proposal }) => proposal !== "gc")
      .map(({ name, operands }) => ({ name, operands: operands as readonly NumberType[] })),
  ]),
);
const LOADS: Readonly<Record<NumberType, readonly string[]>> = {
  i32: ["i32.load", "i32.load8_s", "i32.load8_u", "i32.load16_s", "i32.load16_u"],
  i64: ["i64.load", "i64.load8_s", "i64.load16_u", "i64.load32_s", "i64.load32_u"],
  f32: ["f32.load"],
  f64: ["f64.load"],
};

/** Encodes expressions; statements are the subclass's. */
export abstract class ExpressionEncoder extends CodeWriter {
  protected readonly program: Program;
  protected readonly function: ProgramFunction;
  protected readonly locals: NumberType[];

  constructor(program: Program, self: ProgramFunction) {
    super(self.results);
    this.program = program;
    this.function = self;
    this.locals = [...self.parameters, ...self.locals];
  }

  protected abstract statements(list: readonly Statement[]): void;

  protected expression(expression: Expression, type: NumberType): void {
    switch (expression.kind) {
      case "constant":
        return this.constant(expression.value, type);
      case "local":
      case "global": {
        const list = expression.kind === "local" ? this.locals : GLOBALS;
        const fitting = [...list.keys()].filter((index) => list[index] === type);
        if (fitting.length === 0) return this.constant(expression.index, type);
        return this.op(
          `${expression.kind}.get`,
          fitting[expression.index % fitting.length] as number,
        );
      }
      case "operator": {
        const all = OPERATORS_OF.get(type) ?? [];
        const { name, operands } = all[expression.index % all.length] as (typeof all)[number];
        for (const [place, operand] of operands.entries())
          this.expression(expression.operands[place] as Expression, operand);
        this.op(name);
        return this.#clean(type);
      }
      case "load": {
        const names = LOADS[type];
        this.address(expression.address, expression.offset);
        this.op(names[expression.width % names.length] as string, 0, expression.offset);
        return this.#clean(type);
      }
      case "block":
      case "loop":
        return this.block(expression.kind, [type], () => {
          if (expression.kind === "loop") this.spendStep(this.function.results);
          this.statements(expression.body);
          this.expression(expression.value, type);
        });
      case "if":
        this.expression(expression.condition, "i32");
        return this.block("if", [type], () => {
          this.expression(expression.value, type);
          this.op("else");
          this.expression(expression.otherwise, type);
        });
      case "try":
        return this.#try(expression, type);
      case "call":
        return this.#call(expression, type);
      case "wide":
        return this.#wide(expression, type);
    }
  }

  /** A handler for each tag; what they bring is dropped. */
  #try({ body, value, otherwise }: Extract<Expression, { kind: "try" }>, type: NumberType): void {
    this.block("block", [type], () => {
      this.block("block", [], () => {
        this.block("block", ["i32"], () => {
          this.op("try_table", TYPE_BYTES[type], 2, 0, 0, 0, 2, 1);
          this.labels.push([type]);
          this.statements(body);
          this.expression(value, type);
          this.labels.pop();
          this.op("end");
          this.op("br", 2);
        });
        this.op("drop");
      });
      this.expression(otherwise, type);
    });
  }

  #call(
    { index, isIndirect, given }: Extract<Expression, { kind: "call" }>,
    type: NumberType,
  ): void {
    const fitting = this.calleesWith([type]);
    if (fitting.length === 0) return this.constant(index, type);
    const callee = fitting[index % fitting.length] as number;
    const parameters = this.program.functions[callee]?.parameters ?? [];
    for (const [place, parameter] of parameters.entries())
      this.expression(given[place] ?? { kind: "constant", value: place }, parameter);
    if (!isIndirect) return this.op("call", callee);
    this.constant(index % 5 === 0 ? index % (this.program.functions.length + 2) : callee, "i32");
    this.op("call_indirect", callee, 0);
  }

  /** Vectors, structs and arrays that come down to a number. */
  #wide(
    { index, operands: [one, two] }: Extract<Expression, { kind: "wide" }>,
    type: NumberType,
  ): void {
    if (one === undefined || two === undefined) throw new Error("two operands are missing");
    const first = this.program.functions.length;
    const struct = first + MORE_TYPES.struct;
    const array = first + MORE_TYPES.array;
    const convert = (from: NumberType): void => this.#convert(from, type);
    switch (index % 4) {
      case 0:
        this.expression(one, "i32");
        this.op("i32x4.splat");
        this.expression(two, "i64");
        this.op("i64x2.splat");
        this.op("i16x8.mul");
        this.op("i32x4.extract_lane", index % 4);
        return convert("i32");
      case 1:
        this.expression(one, "i32");
        this.expression(two, "f64");
        this.op("struct.new", struct);
        this.op("struct.get", struct, index % 8 === 1 ? 0 : 1);
        return convert(index % 8 === 1 ? "i32" : "f64");
      case 2:
        this.expression(one, "i64");
        this.expression(two, "i32");
        this.constant(0x3f, "i32");
        this.op("i32.and");
        this.op("array.new", array);
        this.constant(index % 9, "i32");
        // Out of bounds where the array is shorter.
        this.op("array.get", array);
        return convert("i64");
      default:
        this.expression(one, "i32");
        this.op("ref.i31");
        this.op("ref.test", 0x6c);
        return convert("i32");
    }
  }

  #convert(from: NumberType, to: NumberType): void {
    if (from === to) return;
    this.op("drop");
    this.constant(from.length, to);
  }

  /** An address, mostly within the first page. */
  protected address(expression: Expression, seed: number): void {
    this.expression(expression, "i32");
    if (seed % 40 === 0) return;
    this.constant(PAGE_MASK, "i32");
    this.op("i32.and");
  }

  /** 0 in place of NaN, also in the local that the program may read: copysign sees a NaN's sign. */
  #clean(type: NumberType): void {
    if (type === "i32" || type === "i64") return;
    const scratch = this.locals.length;
    this.locals.push(type);
    this.op("local.tee", scratch);
    this.constant(0, type);
    this.op("local.get", scratch);
    this.op("local.get", scratch);
    this.op(`${type}.eq`);
    this.op("select");
    this.op("local.tee", scratch);
  }

  protected calleesWith(results: readonly NumberType[]): readonly number[] {
    const { functions } = this.program;
    return [...functions.keys()].filter(
      (index) => functions[index]?.results.join() === results.join(),
    );
  }

  /** Leaves with zeros when the steps are spent, else spends one. */
  protected spendStep(results: readonly NumberType[]): void {
    this.op("global.get", 0);
    this.op("i32.eqz");
    this.op("if", VOID);
    for (const type of results) this.constant(0, type);
    this.op("return");
    this.op("end");
    this.op("global.get", 0);
    this.constant(1, "i32");
    this.op("i32.sub");
    this.op("global.set", 0);
  }
}
