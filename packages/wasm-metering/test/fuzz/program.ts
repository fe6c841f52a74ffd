/**
 * @module Random programs as trees (fast-check), so that a failing one can be made smaller. A tree says
 * nothing that could be ill-typed: indices are taken modulo what there is when it is encoded.
 */
import fc from "fast-check";

/** A number type. */
export type NumberType = "i32" | "i64" | "f32" | "f64";
/** The number types. */
export const NUMBER_TYPES: readonly NumberType[] = ["i32", "i64", "f32", "f64"];

/** Something that leaves one number. */
export type Expression =
  | { readonly kind: "constant"; readonly value: number }
  | { readonly kind: "local" | "global"; readonly index: number }
  | { readonly kind: "operator"; readonly index: number; readonly operands: readonly Expression[] }
  | {
      readonly kind: "load";
      readonly width: number;
      readonly address: Expression;
      readonly offset: number;
    }
  | {
      readonly kind: "block" | "loop";
      readonly body: readonly Statement[];
      readonly value: Expression;
    }
  | {
      readonly kind: "try";
      readonly body: readonly Statement[];
      readonly value: Expression;
      readonly otherwise: Expression;
    }
  | {
      readonly kind: "if";
      readonly condition: Expression;
      readonly value: Expression;
      readonly otherwise: Expression;
    }
  | {
      readonly kind: "call";
      readonly index: number;
      readonly isIndirect: boolean;
      readonly given: readonly Expression[];
    }
  | { readonly kind: "wide"; readonly index: number; readonly operands: readonly Expression[] };

/** Something that leaves nothing. */
export type Statement =
  | {
      readonly kind: "set" | "setGlobal" | "drop";
      readonly index: number;
      readonly value: Expression;
    }
  | {
      readonly kind: "store";
      readonly index: number;
      readonly address: Expression;
      readonly value: Expression;
    }
  | { readonly kind: "branch"; readonly depth: number }
  | { readonly kind: "branchIf"; readonly depth: number; readonly condition: Expression }
  | { readonly kind: "branchTable"; readonly depths: readonly number[]; readonly value: Expression }
  | { readonly kind: "blockOf" | "loopOf"; readonly body: readonly Statement[] }
  | {
      readonly kind: "counted";
      readonly turns: number;
      readonly step: number;
      readonly body: readonly Statement[];
    }
  | {
      readonly kind: "ifOf";
      readonly condition: Expression;
      readonly body: readonly Statement[];
      readonly otherwise: readonly Statement[];
    }
  | { readonly kind: "return" | "unreachable" | "nop" }
  | { readonly kind: "tailCall"; readonly index: number; readonly isIndirect: boolean }
  | { readonly kind: "throw"; readonly index: number; readonly value: Expression }
  | { readonly kind: "rethrow"; readonly body: readonly Statement[] }
  | {
      readonly kind: "bulk";
      readonly index: number;
      readonly to: Expression;
      readonly length: number;
    };

/** One function. */
export interface ProgramFunction {
  readonly parameters: readonly NumberType[];
  readonly results: readonly NumberType[];
  readonly locals: readonly NumberType[];
  readonly body: readonly Statement[];
  readonly values: readonly Expression[];
}

/** A module; its first function is the one that is called. */
export interface Program {
  readonly functions: readonly ProgramFunction[];
  /** Whether the table is exported, so that anybody may change it. */
  readonly hasOpenTable: boolean;
  /** Loops and calls that it may make before all of them leave. */
  readonly steps: number;
}

/** What programs may have. */
export interface ProgramFeatures {
  readonly tailCalls?: boolean;
  readonly exceptions?: boolean;
  /** Vectors and garbage-collected objects, which the interpreter does not know. */
  readonly wide?: boolean;
}

/** Programs with the features. */
export function programs({
  tailCalls = false,
  exceptions = false,
  wide = false,
}: ProgramFeatures): fc.Arbitrary<Program> {
  const type = fc.constantFrom(...NUMBER_TYPES);
  const { expression, statement } = fc.letrec<{ expression: Expression; statement: Statement }>(
    (tie) => {
      const value = tie("expression");
      const body = fc.array(tie("statement"), { maxLength: 4 });
      const index = fc.nat(60);
      const of = <K extends string, T extends object>(
        kind: K,
        members: { [P in keyof T]: fc.Arbitrary<T[P]> },
      ): fc.Arbitrary<T & { readonly kind: K }> =>
        fc.record({ kind: fc.constant(kind), ...members }) as unknown as fc.Arbitrary<
          T & { readonly kind: K }
        >;
      const operands = fc.tuple(value, value);
      return {
        expression: fc.oneof(
          { depthSize: "small", withCrossShrink: true },
          of("constant", { value: fc.oneof(fc.integer({ min: -5, max: 40 }), fc.integer()) }),
          of("local", { index }),
          of("global", { index }),
          of("operator", { index: fc.nat(200), operands }),
          of("operator", { index: fc.nat(200), operands }),
          of("load", { width: fc.nat(5), address: value, offset: fc.nat(300) }),
          of("block", { body, value }),
          of("loop", { body, value }),
          of("if", { condition: value, value, otherwise: value }),
          of("call", { index, isIndirect: fc.boolean(), given: operands }),
          ...(exceptions ? [of("try", { body, value, otherwise: value })] : []),
          ...(wide ? [of("wide", { index, operands }), of("wide", { index, operands })] : []),
        ),
        statement: fc.oneof(
          { depthSize: "small", withCrossShrink: true },
          of("nop", {}),
          of("set", { index, value }),
          of("set", { index, value }),
          of("setGlobal", { index, value }),
          of("drop", { index, value }),
          of("store", { index, address: value, value }),
          of("branch", { depth: index }),
          of("branchIf", { depth: index, condition: value }),
          of("branchTable", { depths: fc.array(index, { minLength: 1, maxLength: 4 }), value }),
          of("blockOf", { body }),
          of("loopOf", { body }),
          of("counted", {
            turns: fc.integer({ min: 1, max: 12 }),
            step: fc.integer({ min: -3, max: 3 }),
            body,
          }),
          of("ifOf", { condition: value, body, otherwise: body }),
          of("bulk", { index, to: value, length: fc.nat(40) }),
          of("return", {}),
          of("unreachable", {}),
          ...(tailCalls ? [of("tailCall", { index, isIndirect: fc.boolean() })] : []),
          ...(exceptions ? [of("throw", { index, value }), of("rethrow", { body })] : []),
        ),
      };
    },
  );
  const types = (maxLength: number): fc.Arbitrary<NumberType[]> => fc.array(type, { maxLength });
  const body = {
    body: fc.array(statement, { maxLength: 6 }),
    values: fc.array(expression, { minLength: 2, maxLength: 2 }),
  };
  const first = fc.record({
    parameters: fc.constant<NumberType[]>(["i32", "i64"]),
    results: fc.constant<NumberType[]>(["i32"]),
    locals: types(4),
    ...body,
  });
  const other = fc.record({
    parameters: types(3),
    results: types(2),
    locals: fc.oneof(
      { weight: 9, arbitrary: types(3) },
      { weight: 1, arbitrary: fc.constant(Array.from({ length: 50 }, () => "i64" as const)) },
    ),
    ...body,
  });
  return fc.record({
    functions: fc
      .tuple(first, fc.array(other, { minLength: 1, maxLength: 4 }))
      .map(([run, more]) => [run, ...more]),
    hasOpenTable: fc.boolean(),
    steps: fc.integer({ min: 1, max: 60 }),
  });
}
