/** @module CWE-367: the module changes between check and use. */
import { createHash } from "node:crypto";

import { createWasmValidator, type ValidatedModule } from "@glovebox/wasm-validator";
import { describe, expect, it } from "vitest";

import { engineSaying, localEngine } from "../engine.ts";
import { importsOf, moduleOf } from "../module-bytes.ts";

const EMPTY = { imports: [], exports: [] };

function expectUntouched(module: ValidatedModule, original: Uint8Array): void {
  expect(module.bytes).toEqual(original);
  expect(module.sha256).toBe(createHash("sha256").update(original).digest("hex"));
}

describe("bytes that change while they are checked", () => {
  it("do not reach what is handed out when the caller changes its buffer during the engine's answer", async () => {
    const original = moduleOf();
    const buffer = original.slice();
    const engine = engineSaying(EMPTY, () => buffer.fill(0xff));
    const decision = await createWasmValidator().validate(buffer, engine);
    buffer.fill(0xee);
    if (!decision.allowed) throw new Error(decision.reason);
    expectUntouched(decision.value, original);
  });

  it("do not reach the check when the caller changes its buffer right after the call", async () => {
    const buffer = moduleOf(importsOf(["env", "a"]));
    const original = buffer.slice();
    const pending = createWasmValidator({ allowedImportPatterns: ["env.a"] }).validate(
      buffer,
      localEngine,
    );
    buffer.fill(0);
    const decision = await pending;
    if (!decision.allowed) throw new Error(decision.reason);
    expectUntouched(decision.value, original);
  });

  it("do not reach what is handed out when the engine changes or transfers what it was given", async () => {
    const original = moduleOf();
    for (const harm of [
      (bytes: Uint8Array) => void bytes.fill(0),
      (bytes: Uint8Array) =>
        void structuredClone(bytes, { transfer: [bytes.buffer as ArrayBuffer] }),
    ]) {
      const decision = await createWasmValidator().validate(
        original.slice(),
        engineSaying(EMPTY, harm),
      );
      if (!decision.allowed) throw new Error(decision.reason);
      expectUntouched(decision.value, original);
    }
  });

  it("do not stay shared with other threads", async () => {
    const shared = new Uint8Array(new SharedArrayBuffer(8));
    shared.set(moduleOf());
    const decision = await createWasmValidator().validate(shared, localEngine);
    if (!decision.allowed) throw new Error(decision.reason);
    expect(decision.value.bytes.buffer).toBeInstanceOf(ArrayBuffer);
    shared.fill(0);
    expectUntouched(decision.value, moduleOf());
  });

  it("do not come in through a verdict that changes after it was compared", async () => {
    const entry = { module: "env", name: "a", kind: "function" };
    const bytes = moduleOf(importsOf(["env", "a"]));
    const decision = await createWasmValidator({ allowedImportPatterns: ["env.a"] }).validate(
      bytes,
      engineSaying({ imports: [entry], exports: [] }),
    );
    entry.name = "evil";
    if (!decision.allowed) throw new Error(decision.reason);
    expect(decision.value.verdict.imports).toEqual([
      { module: "env", name: "a", kind: "function" },
    ]);
  });
});
