/** @module The code of one function of a program: what its types ask for decides what a tree becomes. */
import { ByteWriter } from "@glovebox/wasm-binary/write";

import { UNTOUCHABLE, VOID } from "./code-writer.ts";
import { ExpressionEncoder } from "./encode-expression.ts";
import { GLOBALS, TYPE_BYTES } from "./module-shape.ts";
import { type Expression, NUMBER_TYPES, type NumberType, type Statement } from "./program.ts";

const EXNREF = 0x69;
const STORES: readonly (readonly [string, NumberType])[] = [
  ["i32.store", "i32"],
  ["i32.store8", "i32"],
  ["i32.store16", "i32"],
  ["i64.store", "i64"],
  ["i64.store32", "i64"],
  ["f32.store", "f32"],
  ["f64.store", "f64"],
];

/** Encodes a function. */
export class BodyEncoder extends ExpressionEncoder {
  /** Locals that count the turns of a loop. */
  readonly #counters = new Set<number>();

  encode(): ByteWriter {
    const { results, values, body, parameters } = this.function;
    this.spendStep(results);
    this.statements(body);
    for (const [index, type] of results.entries())
      this.expression(values[index % values.length] as Expression, type);
    this.op("end");
    const whole = new ByteWriter();
    const declared = this.locals.slice(parameters.length);
    whole.unsigned(declared.length);
    for (const type of declared) whole.raw([1, TYPE_BYTES[type]]);
    whole.append(this.code);
    return whole;
  }

  protected statements(list: readonly Statement[]): void {
    for (const statement of list) this.#statement(statement);
  }

  #statement(statement: Statement): void {
    switch (statement.kind) {
      case "nop":
      case "unreachable":
        return this.op(statement.kind);
      case "return":
        return this.leave(this.labels.length - 1, "return");
      case "drop":
        this.expression(
          statement.value,
          NUMBER_TYPES[statement.index % NUMBER_TYPES.length] as NumberType,
        );
        return this.op("drop");
      case "set": {
        const free = [...this.locals.keys()].filter((local) => !this.#counters.has(local));
        const index = free[statement.index % free.length];
        if (index === undefined) return;
        this.expression(statement.value, this.locals[index] as NumberType);
        return this.op("local.set", index);
      }
      case "setGlobal": {
        const index = 1 + (statement.index % (GLOBALS.length - 1));
        this.expression(statement.value, GLOBALS[index] as NumberType);
        return this.op("global.set", index);
      }
      case "store": {
        const [name, type] = STORES[statement.index % STORES.length] as (typeof STORES)[number];
        this.address(statement.address, statement.index);
        this.expression(statement.value, type);
        return this.op(name, 0, statement.index);
      }
      case "branch":
        return this.leave(this.depthOf(statement.depth), "br");
      case "branchIf": {
        const depth = this.depthOf(statement.depth);
        const types = this.typesAt(depth);
        for (const type of types) this.constant(7, type);
        this.expression(statement.condition, "i32");
        this.op("br_if", depth);
        for (const _ of types) this.op("drop");
        return;
      }
      case "branchTable": {
        // Every label of a table takes the same types: those that take none.
        const all = [...this.labels.keys()].filter((depth) => this.typesAt(depth).length === 0);
        if (all.length === 0) return;
        this.expression(statement.value, "i32");
        this.op("br_table", statement.depths.length - 1);
        for (const depth of statement.depths) this.code.unsigned(all[depth % all.length] as number);
        return;
      }
      case "blockOf":
        return this.block("block", [], () => this.statements(statement.body));
      case "loopOf":
        return this.block("loop", [], () => {
          this.spendStep(this.function.results);
          this.statements(statement.body);
        });
      case "counted":
        return this.#counted(statement);
      case "ifOf":
        this.expression(statement.condition, "i32");
        return this.block("if", [], () => {
          this.statements(statement.body);
          if (statement.otherwise.length === 0) return;
          this.op("else");
          this.statements(statement.otherwise);
        });
      case "tailCall":
        return this.#tailCall(statement.index, statement.isIndirect);
      case "throw":
        return this.#throw(statement.index, statement.value);
      case "rethrow":
        return this.#rethrow(statement.body);
      case "bulk":
        return this.#bulk(statement);
    }
  }

  /** A local that goes by a step to zero, tested at the end or at the start, as compilers write it. */
  #counted({ turns, step, body }: Extract<Statement, { kind: "counted" }>): void {
    const by = step === 0 ? 1 : step;
    const counter = this.locals.length;
    this.locals.push("i32");
    this.constant(turns * by, "i32");
    this.op("local.set", counter);
    // Not for the body to set.
    this.#counters.add(counter);
    const turn = (isTestedFirst: boolean): void => {
      // A branch back that does not count would never end.
      this.labels.splice(-1, 1, UNTOUCHABLE);
      if (isTestedFirst) {
        this.op("local.get", counter);
        this.op("i32.eqz");
        this.op("br_if", 1);
      }
      this.statements(body);
      this.op("local.get", counter);
      this.constant(by, "i32");
      this.op("i32.sub");
      this.op("local.tee", counter);
    };
    if (turns % 3 === 0) {
      return this.block("block", [], () =>
        this.block("loop", [], () => {
          turn(true);
          this.op("drop");
          this.op("br", 0);
        }),
      );
    }
    this.block("loop", [], () => {
      turn(false);
      if (turns % 3 === 1) {
        this.constant(0, "i32");
        this.op(by > 0 ? "i32.gt_s" : "i32.lt_s");
      }
      this.op("br_if", 0);
    });
  }

  #tailCall(index: number, isIndirect: boolean): void {
    const fitting = this.calleesWith(this.function.results);
    const callee = fitting[index % fitting.length] as number;
    for (const type of this.program.functions[callee]?.parameters ?? []) this.constant(index, type);
    if (!isIndirect) return this.op("return_call", callee);
    this.constant(index % (this.program.functions.length + 2), "i32");
    this.op("return_call_indirect", callee, 0);
  }

  #throw(index: number, value: Expression): void {
    if (index % 2 === 0) {
      this.expression(value, "i32");
      return this.op("throw", 0);
    }
    this.expression(value, "i64");
    this.constant(index, "f64");
    this.op("throw", 1);
  }

  /** Catches everything as a reference and throws it again. */
  #rethrow(body: readonly Statement[]): void {
    this.op("block", VOID);
    this.labels.push([]);
    this.op("block", EXNREF);
    // A label that only the handler may name.
    this.labels.push(UNTOUCHABLE);
    this.op("try_table", VOID, 1, 3, 0);
    this.labels.push([]);
    this.statements(body);
    this.labels.pop();
    this.op("end");
    this.op("br", 1);
    this.labels.pop();
    this.op("end");
    this.op("throw_ref");
    this.labels.pop();
    this.op("end");
  }

  #bulk({ index, to, length }: Extract<Statement, { kind: "bulk" }>): void {
    const slots = this.program.functions.length + 2;
    const small = (value: number, limit: number): void => this.constant(value % limit, "i32");
    switch (index % 7) {
      case 0:
        this.address(to, index);
        this.constant(length, "i32");
        this.constant(length * 9, "i32");
        return this.op("memory.fill", 0);
      case 1:
        this.address(to, index);
        this.address(to, index + 1);
        this.constant(length * 5, "i32");
        return this.op("memory.copy", 0, 0);
      case 2:
        this.address(to, index);
        this.constant(index % 8, "i32");
        this.constant(length % 14, "i32");
        return this.op("memory.init", 0, 0);
      case 3:
        small(index, slots);
        small(length, slots);
        small(index + length, 4);
        return this.op("table.copy", 0, 0);
      case 4:
        small(index, slots);
        this.constant(0, "i32");
        small(length, 4);
        return this.op("table.init", 1, 0);
      case 5:
        this.constant(length % 3, "i32");
        this.op("memory.grow", 0);
        return this.op("drop");
      default:
        return length > 35
          ? this.op(length % 2 === 0 ? "data.drop" : "elem.drop", length % 2)
          : undefined;
    }
  }
}
