/** @module The expressions of generated modules: values of a type, from blocks, calls, loads and locals. */
import { Emitter, Random } from "./random-code.ts";

export type Type = 0x7f | 0x7e | 0x7c;
/** Types of parameters and results. */
export interface FunctionType {
  readonly parameters: readonly Type[];
  readonly results: readonly Type[];
}
/** What the modules may hold. */
export interface Features {
  readonly tailCalls?: boolean;
  /** Throwing and handling, in the form with `try` or with `try_table`; and a host that throws. */
  readonly exceptions?: "legacy" | "standard";
  /** Whether runs may trap. Default: false. */
  readonly traps?: boolean;
  /** Whether the table is exported, so that the module cannot know what is in it. */
  readonly openTable?: boolean;
}

export const I32 = 0x7f;
export const I64 = 0x7e;
export const F64 = 0x7c;
export const TYPES: readonly Type[] = [I32, I64, F64];
export const STEPS = 0;
export const TALLY = 1;
export const VOID = 0x40;
const MASK = 0xff0;
const BINARY: Readonly<Record<Type, readonly string[]>> = {
  [I32]: ["add", "sub", "mul", "and", "or", "xor", "shl", "shr_s", "rotl"].map(
    (name) => `i32.${name}`,
  ),
  [I64]: ["add", "sub", "mul", "and", "or", "xor", "shr_u", "rotr"].map((name) => `i64.${name}`),
  [F64]: ["add", "sub", "mul", "min", "max"].map((name) => `f64.${name}`),
};
const COMPARE = ["i32.eq", "i32.lt_s", "i32.gt_u", "i32.ne"];
/** Stands in the list of labels for one of a loop. */
export const LOOP_LABEL: readonly Type[] = [];
/** Stands in the list of labels for one that only exceptions go to. */
export const EXCEPTION_LABEL: readonly Type[] = [];

/** Writes expressions; statements are the subclass's. */
export abstract class ExpressionGenerator {
  protected readonly features: Features;
  protected readonly types: FunctionType[] = [];
  protected readonly random: Random;
  protected code = new Emitter();
  protected locals: readonly Type[] = [];
  protected type: FunctionType = { parameters: [], results: [] };
  /** Values that a branch to each open label takes, the innermost last. */
  protected labels: (readonly Type[])[] = [];
  protected budget = 0;
  /** Functions that come from the host. */
  protected readonly imported: number;

  constructor(seed: number, features: Features) {
    this.random = new Random(seed);
    this.features = features;
    this.imported = features.exceptions === undefined ? 0 : 1;
  }

  protected abstract statements(depth: number): void;
  protected abstract leave(depth: number): void;
  protected block(name: "block" | "loop", results: readonly Type[], write: () => void): void {
    this.code.op(name);
    this.code.writer.byte(results[0] ?? VOID);
    this.labels.push(name === "loop" ? LOOP_LABEL : results);
    write();
    this.labels.pop();
    this.code.op("end");
  }

  protected loopsBack(depth: number): boolean {
    return this.loopLabels().has(this.labels.length - 1 - depth);
  }

  protected loopLabels(): ReadonlySet<number> {
    const isBarred = (values: readonly Type[]): boolean =>
      values === LOOP_LABEL || values === EXCEPTION_LABEL;
    return new Set(this.labels.flatMap((values, index) => (isBarred(values) ? [index] : [])));
  }

  protected valuesAt(depth: number): readonly Type[] {
    return this.labels[this.labels.length - 1 - depth] ?? [];
  }

  protected call(callee: number, drops: boolean): void {
    const { parameters, results } = this.types[callee] as FunctionType;
    for (const parameter of parameters) this.expression(parameter, 1);
    if (this.random.chance(0.3)) {
      this.code.i32(callee);
      this.code.op("call_indirect");
      this.code.writer.raw([callee, 0]);
    } else this.code.index("call", callee + this.imported);
    if (drops) for (const _ of results) this.code.op("drop");
  }

  protected expression(type: Type, depth: number): void {
    this.budget--;
    const choices: (() => void)[] = [
      () => this.constant(type),
      () => this.get(type),
      () => this.get(type),
    ];
    if (depth > 0 && this.budget > 0) {
      choices.push(
        () => this.binary(type, depth - 1),
        () => this.binary(type, depth - 1),
        () => {
          this.expression(type, depth - 1);
          this.expression(type, depth - 1);
          this.condition();
          this.code.op("select");
        },
        () =>
          this.block("block", [type], () => {
            this.statements(depth - 1);
            this.expression(type, depth - 1);
          }),
        () => this.choice(type, depth - 1),
      );
      const callees = [...this.types.keys()].filter(
        (index) => this.types[index]?.results.join() === String(type),
      );
      if (callees.length > 0) choices.push(() => this.call(this.random.pick(callees), false));
      if (type === I32)
        choices.push(
          () => this.condition(),
          () => this.load(),
        );
      if (type === I64) choices.push(() => this.code.index("global.get", TALLY));
    }
    this.random.pick(choices)();
  }

  protected choice(type: Type, depth: number): void {
    this.condition();
    this.code.op("if");
    this.code.writer.byte(type);
    this.labels.push([type]);
    this.expression(type, depth);
    this.code.op("else");
    if (this.random.chance(0.2)) this.leave(0);
    this.expression(type, depth);
    this.labels.pop();
    this.code.op("end");
  }

  protected binary(type: Type, depth: number): void {
    this.expression(type, depth);
    this.expression(type, depth);
    if (type === I32 && this.features.traps === true && this.random.chance(0.15))
      return this.code.op("i32.div_s");
    this.code.op(this.random.pick(BINARY[type]));
  }

  protected condition(): void {
    this.expression(I32, 1);
    this.expression(I32, 1);
    this.code.op(this.random.pick(COMPARE));
  }

  protected load(): void {
    this.address();
    this.code.op("i32.load");
    this.code.writer.raw([2, 8]);
  }

  protected address(): void {
    this.expression(I32, 1);
    if (this.features.traps === true && this.random.chance(0.03)) return;
    this.code.i32(MASK);
    this.code.op("i32.and");
  }

  protected get(type: Type): void {
    const fitting = [...this.locals.keys()].filter((local) => this.locals[local] === type);
    if (fitting.length === 0) this.constant(type);
    else this.code.index("local.get", this.random.pick(fitting));
  }

  protected constant(type: Type): void {
    const value = this.random.below(20) - 5;
    if (type === I32) this.code.i32(value);
    else if (type === I64) {
      this.code.op("i64.const");
      this.code.writer.signed(value);
    } else {
      this.code.op("f64.const");
      this.code.writer.raw(new Uint8Array(Float64Array.of(value).buffer));
    }
  }
}
