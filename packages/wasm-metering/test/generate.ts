/**
 * @module Valid modules from a seed, for differential tests: every kind of block, branches in and
 * out of dead code, calls that recurse, call through a table and return several values, bulk memory,
 * traps. Each ends: loops and entries spend a global `steps`, and leave when it is spent.
 */
import { ByteWriter } from "@glovebox/wasm-binary/write";

import { ExceptionGenerator } from "./generate-exceptions.ts";
import {
  type Features,
  type FunctionType,
  I32,
  I64,
  STEPS,
  TALLY,
  type Type,
  TYPES,
  VOID,
} from "./generate-expressions.ts";
import { Emitter } from "./random-code.ts";

/** The bytes of the module of `seed`. It exports `run`, `memory`, `steps` and `tally`. */
export function generateModule(seed: number, features: Features = {}): Uint8Array {
  return new Generator(seed, features).module();
}

class Generator extends ExceptionGenerator {
  module(): Uint8Array {
    const { imported } = this;
    const count = 2 + this.random.below(5);
    this.types.push({ parameters: [I32, I64], results: [I32] });
    for (let index = 1; index < count; index++) {
      this.types.push({
        parameters: this.list(3),
        results: this.random.chance(0.3) ? this.list(2) : [this.random.pick(TYPES)],
      });
    }
    const bodies = this.types.map((type) => this.body(type));
    const out = new ByteWriter();
    out.raw([0, 0x61, 0x73, 0x6d, 1, 0, 0, 0]);
    const section = (id: number, write: (writer: ByteWriter) => void): void => {
      const content = new ByteWriter();
      write(content);
      out.byte(id);
      out.unsigned(content.length);
      out.append(content);
    };
    section(1, (w) => {
      w.unsigned(count + (imported === 0 ? 0 : 2));
      for (const { parameters, results } of this.types) {
        w.raw([0x60, parameters.length, ...parameters, results.length, ...results]);
      }
      if (imported > 0) w.raw([0x60, 0, 0, 0x60, 1, I32, 0]);
    });
    if (imported > 0) {
      section(2, (w) => {
        w.unsigned(1);
        w.name("host");
        w.name("throw");
        w.raw([0, count + 1]);
      });
    }
    section(3, (w) => w.raw([count, ...this.types.keys()]));
    section(4, (w) => w.raw([1, 0x70, 0, count]));
    section(5, (w) => w.raw([1, 0, 1]));
    if (imported > 0) section(13, (w) => w.raw([2, 0, count, 0, count + 1]));
    section(6, (w) => w.raw([2, I32, 1, 0x41, 0, 0x0b, I64, 1, 0x42, 0, 0x0b]));
    section(7, (w) => {
      w.unsigned(this.features.openTable === true ? 5 : 4);
      const entry = (name: string, kind: number, index: number): void => {
        w.name(name);
        w.raw([kind, index]);
      };
      entry("run", 0, imported);
      entry("memory", 2, 0);
      entry("steps", 3, STEPS);
      entry("tally", 3, TALLY);
      if (this.features.openTable === true) entry("table", 1, 0);
    });
    section(9, (w) =>
      w.raw([
        1,
        0,
        0x41,
        0,
        0x0b,
        count,
        ...[...this.types.keys()].map((index) => index + imported),
      ]),
    );
    section(10, (w) => {
      w.unsigned(count);
      for (const body of bodies) {
        w.unsigned(body.length);
        w.append(body);
      }
    });
    return out.finish();
  }

  protected body(type: FunctionType): ByteWriter {
    this.code = new Emitter();
    this.type = type;
    const declared = Array.from(
      { length: this.random.chance(0.1) ? 50 : this.random.below(5) },
      () => this.random.pick(TYPES),
    );
    this.locals = [...type.parameters, ...declared];
    this.labels = [type.results];
    this.budget = 60;
    this.code.writer.unsigned(declared.length);
    for (const local of declared) this.code.writer.raw([1, local]);
    this.spendStep(() => {
      for (const result of type.results) this.constant(result);
      this.code.op("return");
    });
    // At least one handler: where none is, what an exception of the host leaves out is not looked at.
    if (this.features.exceptions !== undefined && this.types[0] === type) this.try(1);
    this.statements(4);
    for (const result of type.results) this.expression(result, 3);
    this.code.op("end");
    return this.code.writer;
  }

  /** Leaves by `leave` when the steps are spent, else spends one. */
  protected spendStep(leave: () => void): void {
    this.code.index("global.get", STEPS);
    this.code.op("i32.eqz");
    this.code.op("if");
    this.code.writer.byte(VOID);
    leave();
    this.code.op("end");
    this.code.index("global.get", STEPS);
    this.code.i32(1);
    this.code.op("i32.sub");
    this.code.index("global.set", STEPS);
  }

  protected statements(depth: number): void {
    for (let left = this.random.below(4); left >= 0 && this.budget > 0; left--)
      this.statement(depth);
  }

  protected statement(depth: number): void {
    this.budget--;
    const choices: (() => void)[] = [
      () => this.set(),
      () => this.set(),
      () => {
        this.expression(I64, 2);
        this.code.index("global.set", TALLY);
      },
      () => {
        this.address();
        this.expression(I32, 2);
        this.code.op("i32.store");
        this.code.writer.raw([2, 4]);
      },
      () => {
        this.expression(this.random.pick(TYPES), 2);
        this.code.op("drop");
      },
      () => this.call(this.random.below(this.types.length), true),
      () => this.branchIf(),
      () => this.branchIf(),
    ];
    if (depth > 0) {
      choices.push(
        () => this.block("block", [], () => this.statements(depth - 1)),
        () => this.loop(depth - 1),
        () => this.loop(depth - 1),
        () => this.countedLoop(depth - 1),
        () => this.countedLoop(depth - 1),
        () => this.conditional(depth - 1),
        () => this.conditional(depth - 1),
        () => this.branchTable(depth - 1),
        () => this.block("block", [], () => this.leave(depth - 1)),
        () => this.bulk(),
      );
      if (this.features.traps === true) choices.push(() => this.trap());
      if (this.features.exceptions !== undefined) {
        choices.push(
          () => this.throw(),
          () => this.try(depth - 1),
          () => this.try(depth - 1),
        );
      }
    }
    this.random.pick(choices)();
  }

  protected set(): void {
    if (this.locals.length === 0) return;
    const local = this.random.below(this.locals.length);
    this.expression(this.locals[local] as Type, 3);
    this.code.index("local.set", local);
  }

  protected loop(depth: number): void {
    this.block("block", [], () =>
      this.block("loop", [], () => {
        this.spendStep(() => this.code.index("br", 2));
        this.statements(depth);
        if (this.random.chance(0.3)) this.branchIf();
        this.condition();
        this.code.index("br_if", 0);
        if (this.random.chance(0.3)) this.statements(0);
      }),
    );
  }

  /** A loop as compilers write it: a local from a start by a step to a bound, tested at the bottom. */
  protected countedLoop(depth: number): void {
    const candidates = [...this.locals.keys()].filter((local) => this.locals[local] === I32);
    if (candidates.length === 0) return this.set();
    const local = this.random.pick(candidates);
    const step = this.random.pick([1, 1, 2, 3, -1, -4]);
    const trips = 1 + this.random.below(9);
    const start = this.random.below(50) - 25;
    this.code.i32(start);
    this.code.index("local.set", local);
    this.block("loop", [], () => {
      const saved = this.locals;
      // Only what does not write the counter: other locals are hidden from the statements.
      this.locals = saved.filter((_, index) => index < local);
      if (this.random.chance(0.7)) this.set();
      if (this.random.chance(0.2)) this.statements(Math.min(depth, 1));
      this.locals = saved;
      this.code.index("local.get", local);
      this.code.i32(step);
      this.code.op("i32.add");
      this.code.index("local.tee", local);
      if (start + step * trips !== 0 || this.random.chance(0.5)) {
        this.code.i32(start + step * trips);
        const below = this.random.pick(["i32.ne", "i32.lt_s", "i32.lt_s"]);
        this.code.op(step < 0 && below === "i32.lt_s" ? "i32.gt_s" : below);
      }
      this.code.index("br_if", 0);
    });
  }

  protected conditional(depth: number): void {
    this.condition();
    this.code.op("if");
    this.code.writer.byte(VOID);
    this.labels.push([]);
    this.statements(depth);
    if (this.random.chance(0.2)) this.leave(0);
    if (this.random.chance(0.6)) {
      this.code.op("else");
      this.statements(depth);
    }
    this.labels.pop();
    this.code.op("end");
  }

  protected branchIf(): void {
    const depth = this.random.below(this.labels.length);
    const values = this.valuesAt(depth);
    if (this.loopsBack(depth)) return;
    for (const type of values) this.expression(type, 1);
    this.condition();
    this.code.index("br_if", depth);
    for (const _ of values) this.code.op("drop");
  }

  /** A branch that never falls through, and now and then code behind it that cannot be reached. */
  protected leave(depth: number): void {
    const target = this.random.below(this.labels.length);
    if (this.loopsBack(target)) return;
    const isBody = target === this.labels.length - 1;
    if (this.features.tailCalls === true && this.random.chance(0.3) && this.tailCall())
      return this.dead(depth);
    for (const type of this.valuesAt(target)) this.expression(type, 1);
    if (isBody && this.random.chance(0.5)) this.code.op("return");
    else this.code.index("br", target);
    this.dead(depth);
  }

  protected dead(depth: number): void {
    if (this.random.chance(0.5)) this.statements(depth);
  }

  protected branchTable(depth: number): void {
    this.block("block", [], () =>
      this.block("block", [], () => {
        this.statements(Math.max(0, depth - 1));
        this.expression(I32, 1);
        this.code.op("br_table");
        const labels = [...this.labels.keys()].filter(
          (depthOf) => this.valuesAt(depthOf).length === 0 && !this.loopsBack(depthOf),
        );
        const targets = Array.from({ length: 1 + this.random.below(4) }, () =>
          this.random.pick(labels),
        );
        this.code.writer.raw([targets.length - 1, ...targets]);
      }),
    );
  }

  /** A `loop` label: branching there without spending a step might never end. */
  protected bulk(): void {
    const kind = this.random.below(3);
    this.address();
    if (kind === 0) this.expression(I32, 1);
    else this.address();
    this.code.i32(this.random.below(100));
    this.code.op(kind === 0 ? "memory.fill" : "memory.copy");
    this.code.writer.raw(kind === 0 ? [0] : [0, 0]);
    if (!this.random.chance(0.05)) return;
    this.code.i32(this.random.below(2));
    this.code.op("memory.grow");
    this.code.writer.byte(0);
    this.code.op("drop");
  }

  protected trap(): void {
    this.condition();
    this.code.op("if");
    this.code.writer.byte(VOID);
    this.code.op("unreachable");
    this.code.op("end");
  }

  protected tailCall(): boolean {
    const same = [...this.types.keys()].filter(
      (index) => this.types[index]?.results.join() === this.type.results.join(),
    );
    const callee = this.random.pick(same);
    for (const parameter of this.types[callee]?.parameters ?? []) this.expression(parameter, 1);
    if (this.random.chance(0.3)) {
      this.code.i32(callee);
      this.code.op("return_call_indirect");
      this.code.writer.raw([callee, 0]);
    } else this.code.index("return_call", callee + this.imported);
    return true;
  }

  /** An address within the memory; with traps now and then one beyond it. */
  protected list(most: number): Type[] {
    return Array.from({ length: this.random.below(most + 1) }, () => this.random.pick(TYPES));
  }
}
