import { assembleWat } from "@glovebox/testkit";
import { fuelUse, MeteringError, meterModule } from "@glovebox/wasm-metering";
import { describe, expect, it } from "vitest";

import { metered, validated } from "./run-module.ts";

const WAT = `(module
  (memory (export "memory") 1)
  (table (export "table") 2 funcref)
  (global $started (export "started") (mut i32) (i32.const 0))
  (start $start)
  (func $start (global.set $started (i32.const 1)))
  (func (export "run") (param i32) (result i32)
    (if (local.get 0) (then (unreachable)))
    (memory.grow (i32.const 5))))`;

interface Loaded {
  readonly exports: Readonly<Record<string, unknown>>;
  readonly fuel: { value: bigint };
}

function load({
  bytes,
  fuelExport,
}: {
  readonly bytes: Uint8Array;
  readonly fuelExport: string;
}): Loaded {
  const { exports } = new WebAssembly.Instance(new WebAssembly.Module(Uint8Array.from(bytes)));
  return { exports, fuel: exports[fuelExport] as { value: bigint } };
}

describe("a metered module", () => {
  it("does nothing without fuel, and starts by a call", async () => {
    const module = metered(await assembleWat(WAT));
    const { exports, fuel } = load(module);
    expect(fuel.value).toBe(0n);
    expect((exports["started"] as { value: number }).value).toBe(0);
    const start = exports[module.startExport ?? ""] as () => void;
    expect(() => start()).toThrow("unreachable");
    fuel.value = 100n;
    start();
    expect((exports["started"] as { value: number }).value).toBe(1);
    expect(fuelUse(100n, fuel.value)).toEqual({ used: 3n, exact: true, exhausted: false });
  });

  it("grows no further than its host allows", async () => {
    const bytes = await assembleWat(WAT);
    const grown = (maxMemoryPages: number): unknown => {
      const { exports, fuel } = load(metered(bytes, { maxMemoryPages }));
      fuel.value = 1_000_000n;
      return (exports["run"] as (a: number) => number)(0);
    };
    expect(grown(6)).toBe(1);
    expect(grown(5)).toBe(-1);
    const { exports } = load(metered(bytes, { maxTableElements: 3 }));
    const table = exports["table"] as { grow: (by: number) => number };
    expect(table.grow(1)).toBe(2);
    expect(() => table.grow(1)).toThrow(RangeError);
  });

  it("that begins with more than its host allows is refused", async () => {
    const proof = validated(await assembleWat(WAT));
    expect(meterModule(proof, { maxMemoryPages: 0 })).toMatchObject({ code: "METERING_MEMORY" });
    expect(meterModule(proof, { maxTableElements: 1 })).toMatchObject({ code: "METERING_MEMORY" });
  });

  it("is the same for the same bytes, and names nothing that the original exports", async () => {
    const bytes = await assembleWat(WAT);
    expect(metered(bytes).bytes).toEqual(metered(bytes.slice()).bytes);
    expect(metered(bytes).fuelExport).toMatch(/^glovebox:fuel:[0-9a-f]{16}$/);
    const other = await assembleWat(`(module (func))`);
    expect(metered(other).fuelExport).not.toBe(metered(bytes).fuelExport);
    expect(metered(other).startExport).toBeUndefined();
  });

  it("does not share the bytes it was made from", async () => {
    const proof = validated(await assembleWat(WAT));
    const before = metered(proof.bytes).bytes.slice();
    const decision = meterModule(proof);
    proof.bytes.fill(0);
    expect(decision.allowed && decision.value.bytes).toEqual(before);
  });

  it("leads a trap back to the original", async () => {
    const original = await assembleWat(WAT);
    const module = metered(original);
    const { exports, fuel } = load(module);
    fuel.value = 1_000n;
    let stack = "";
    try {
      (exports["run"] as (a: number) => number)(1);
    } catch (error) {
      stack = String((error as Error).stack);
    }
    const offset = Number.parseInt(/:0x([0-9a-f]+)/.exec(stack)?.[1] ?? "", 16);
    const mapped = module.map.lookUp(offset);
    expect(mapped).toMatchObject({ kind: "original", function: 1 });
    expect(mapped.kind === "original" && original[mapped.offset]).toBe(0x00);
  });

  it("says what was added, before what", async () => {
    const original = await assembleWat(WAT);
    const { map, bytes } = metered(original);
    const kinds = new Set<string>();
    for (let offset = 0; offset < bytes.length; offset++) {
      const mapped = map.lookUp(offset);
      kinds.add(mapped.kind);
      const copied = mapped.kind === "original" ? original[mapped.offset] : bytes[offset];
      expect(bytes[offset]).toBe(copied);
    }
    expect([...kinds].sort()).toEqual(["added", "none", "original"]);
  });

  it("drops sections whose offsets went stale, and keeps others", async () => {
    const section = (name: string): number[] => [
      0,
      name.length + 2,
      name.length,
      ...Buffer.from(name),
      7,
    ];
    const names = [
      "name",
      ".debug_info",
      "metadata.code.branch_hint",
      "producers",
      "sourceMappingURL",
    ];
    const original = Uint8Array.from([
      ...(await assembleWat(`(module (func))`)),
      ...names.flatMap(section),
    ]);
    const module = metered(original);
    expect(module.droppedSections).toEqual([
      ".debug_info",
      "metadata.code.branch_hint",
      "sourceMappingURL",
    ]);
    expect(WebAssembly.validate(module.bytes)).toBe(true);
    const left = names.filter((name) =>
      Buffer.from(module.bytes).includes(Buffer.from(section(name))),
    );
    expect(left).toEqual(["name", "producers"]);
  });

  it.each([
    { maxMemoryPages: -1 },
    { maxMemoryPages: 1.5 },
    { maxMemoryPages: 262_145 },
    { maxTableElements: Number.NaN },
    { maxTableElements: 10_000_001 },
    { placement: "best" as never },
  ])("with the options %j is misuse", async (options) => {
    const proof = validated(await assembleWat(`(module)`));
    expect(() => meterModule(proof, options)).toThrow(MeteringError);
    expect(() => meterModule({ ...proof, bytes: [] as never })).toThrow(MeteringError);
  });

  it("of nothing is a module with nothing but its fuel", async () => {
    const { exports } = load(metered(await assembleWat(`(module)`)));
    expect(Object.keys(exports)).toHaveLength(1);
  });

  it("that cannot be read is refused with the reader's code", () => {
    expect(meterModule(validated(Uint8Array.of(1, 2, 3)))).toMatchObject({
      code: "WASM_BINARY_HEADER",
    });
  });
});
