/** @module Throwing and handling in generated modules, in both forms, and a host that throws. */
import { EXCEPTION_LABEL, ExpressionGenerator, I32, VOID } from "./generate-expressions.ts";

const EXNREF = 0x69;
const CATCH = { tag: 0, all: 2, allReference: 3 } as const;
/** Tag 0 carries nothing, tag 1 an i32. */
const TAG_WITH_VALUE = 1;

/** Writes statements that throw, and blocks that catch. */
export abstract class ExceptionGenerator extends ExpressionGenerator {
  /** Now and then: by itself, with a value or none, or from the host. */
  protected throw(): void {
    this.condition();
    this.code.op("if");
    this.code.writer.byte(VOID);
    this.labels.push([]);
    const kind = this.random.below(3);
    if (kind > 0) this.expression(I32, 1);
    if (kind === 2) this.code.index("call", 0);
    else this.code.index("throw", kind);
    this.labels.pop();
    this.code.op("end");
  }

  protected try(depth: number): void {
    if (this.features.exceptions === "legacy") return this.#legacy(depth);
    if (this.random.chance(0.3)) return this.#reference(depth);
    this.block("block", [], () => {
      this.block("block", [I32], () => {
        this.#tryTable(depth, true);
        if (this.random.chance(0.5)) this.code.index("br", 1);
        else this.expression(I32, 1);
      });
      this.code.op("drop");
    });
  }

  /** Catches to a label with a value, and perhaps to any without: a loop, a block, the body. */
  #tryTable(depth: number, toValue: boolean): void {
    const labels = [...this.labels.keys()].filter((at) => {
      const values = this.valuesAt(at);
      return values.length === 0 && values !== EXCEPTION_LABEL;
    });
    const all = labels.length > 0 && this.random.chance(0.5) ? this.random.pick(labels) : -1;
    this.code.op("try_table");
    this.code.writer.raw([VOID, (toValue ? 1 : 0) + (all < 0 ? 0 : 1)]);
    if (toValue) this.code.writer.raw([CATCH.tag, TAG_WITH_VALUE, 0]);
    if (all >= 0) this.code.writer.raw([CATCH.all, all]);
    this.labels.push([]);
    this.statements(depth);
    this.labels.pop();
    this.code.op("end");
  }

  /** Catches a reference and throws it again, or drops it. */
  #reference(depth: number): void {
    this.block("block", [], () => {
      this.code.op("block");
      this.code.writer.byte(EXNREF);
      this.labels.push(EXCEPTION_LABEL);
      this.code.op("try_table");
      this.code.writer.raw([VOID, 1, CATCH.allReference, 0]);
      this.labels.push([]);
      this.statements(depth);
      this.labels.pop();
      this.code.op("end");
      this.code.index("br", 1);
      this.labels.pop();
      this.code.op("end");
      if (this.random.chance(0.3)) this.code.op("throw_ref");
      else this.code.op("drop");
    });
  }

  #legacy(depth: number): void {
    const outer = this.labels;
    this.code.op("try");
    this.code.writer.byte(VOID);
    this.labels = [...outer, []];
    this.statements(depth);
    this.labels = outer;
    if (this.random.chance(0.2)) {
      return this.code.index("delegate", this.random.below(outer.length));
    }
    this.labels = [...outer, []];
    const arms = this.random.below(3);
    if (arms !== 1) this.#arm("catch", depth, TAG_WITH_VALUE);
    if (arms !== 0) this.#arm("catch_all", depth);
    this.labels = outer;
    this.code.op("end");
  }

  #arm(name: "catch" | "catch_all", depth: number, tag?: number): void {
    this.code.op(name);
    if (tag !== undefined) {
      this.code.writer.unsigned(tag);
      this.code.op("drop");
    }
    this.statements(depth);
    if (!this.random.chance(0.2)) return;
    this.condition();
    this.code.op("if");
    this.code.writer.byte(VOID);
    this.code.index("rethrow", 1);
    this.code.op("end");
  }
}
