/**
 * @module A call's instructions in modules that carry fuel, here metered by hand: this package knows
 * no metering, only the global and the start function that it leaves. Real modules meet it in the
 * runtime's tests.
 */
import { assembleWat } from "@glovebox/testkit";
import { describe, expect, it, test } from "vitest";

import { hostileRunner } from "./support/hostile-runner.ts";
import { codeOf, openPlugin, textOf } from "./support/open-plugin.ts";

const BUDGET = 1_000;
const limits = { instructions: BUDGET };
const FUEL = { global: "fuel" };

/** Takes units, or ends the call when there are not so many. */
const pay = (units: number): string => `
  (global.set $fuel (i64.sub (global.get $fuel) (i64.const ${units})))
  (if (i64.lt_s (global.get $fuel) (i64.const 0)) (then
    (global.set $fuel (i64.sub (global.get $fuel) (i64.const 1))) unreachable))`;

const FUEL_GLOBAL = `(global $fuel (export "fuel") (mut i64) (i64.const 0))`;

const metered = (functions: Readonly<Record<string, string>>, more = "", imports = ""): string =>
  `(module ${imports}
    (memory (export "memory") 1)
    ${FUEL_GLOBAL}
    (func (export "alloc") (param i32) (result i32) (i32.const 1024))
    ${more}
    ${Object.entries(functions)
      .map(
        ([name, body]) =>
          `(func (export "${name}") (param i32 i32) (result i32 i32) ${body} (local.get 0) (local.get 1))`,
      )
      .join("\n")})`;

async function open(wat: string, fuel: { global: string; start?: string } = FUEL, options = {}) {
  const bytes = await assembleWat(wat);
  const spec = { modules: [{ name: "main", bytes, fuel }] };
  return openPlugin(bytes, { limits, spec, ...options });
}

describe("a call with fuel", () => {
  it("says what it used, and begins with its whole budget each time", async () => {
    await using opened = await open(metered({ run: pay(300) }));
    for (let round = 0; round < 5; round++) {
      const { usage } = await opened.call("run", "x");
      expect(usage).toMatchObject({ instructions: 300, instructionsExact: true });
    }
  });

  it("ends with a code and the count when there is none left", async () => {
    await using opened = await open(metered({ run: pay(BUDGET + 1), fine: pay(BUDGET) }));
    expect(await opened.call("run", "x")).toMatchObject({
      error: {
        code: "SANDBOX_INSTRUCTION_LIMIT",
        details: { instructions: BUDGET, maxInstructions: BUDGET },
      },
      usage: { instructions: BUDGET, instructionsExact: true },
    });
    expect(textOf(await opened.call("fine", "x"))).toBe("x");
  });

  it("says of a trap that the count is lost", async () => {
    const body = "(global.set $fuel (i64.const -1)) unreachable";
    await using opened = await open(metered({ run: body }));
    const outcome = await opened.call("run", "x");
    expect(codeOf(outcome)).toBe("SANDBOX_TRAP");
    expect(outcome.usage).toMatchObject({ instructions: null, instructionsExact: false });
  });

  it("counts nothing where modules have no fuel", async () => {
    await using opened = await openPlugin(metered({ run: "" }));
    const { usage } = await opened.call("run", "x");
    expect(usage).toMatchObject({ instructions: null, instructionsExact: null });
  });

  it("says nothing of a call that was never begun", async () => {
    await using opened = await open(metered({ run: "" }));
    const { usage } = await opened.call("missing", "x");
    expect(usage).toMatchObject({ instructions: null, instructionsExact: null });
  });
});

describe("the start function", () => {
  const START = `(func (export "begin") ${pay(400)})`;
  const fuel = { global: "fuel", start: "begin" };

  it("runs once, on the budget of the load, and is no function that can be called", async () => {
    await using opened = await open(metered({ run: pay(700) }, START), fuel);
    expect(opened.plugin.functions).toEqual(["run"]);
    expect((await opened.call("run", "x")).usage.instructions).toBe(700);
  });

  it("shares a fresh instance's budget with the call", async () => {
    const bytes = await assembleWat(metered({ run: pay(500), more: pay(601) }, START));
    const spec = { modules: [{ name: "main", bytes, fuel }], instance: "call" } as const;
    await using opened = await openPlugin(bytes, { limits, spec });
    // The first call has the instance of the load, whose start function the load has paid for.
    expect((await opened.call("run", "x")).usage.instructions).toBe(500);
    expect((await opened.call("run", "x")).usage.instructions).toBe(900);
    expect(codeOf(await opened.call("more", "x"))).toBe("SANDBOX_INSTRUCTION_LIMIT");
  });

  it("ends the load when it uses more", async () => {
    const wat = metered({ run: "" }, `(func (export "begin") ${pay(BUDGET + 1)})`);
    await expect(open(wat, fuel)).rejects.toThrow("SANDBOX_INSTRUCTION_LIMIT");
  });
});

describe("linked modules", () => {
  const library = `(module ${FUEL_GLOBAL} (func (export "work") ${pay(400)})
    (func (export "peek") (result i64) (global.get $fuel))
    (export "also" (global $fuel)))`;
  const imports = `(import "library" "work" (func $work)) (import "library" "peek" (func $peek (result i64)))`;
  const openLinked = async (main: string) => {
    const modules = [
      { name: "library", bytes: await assembleWat(library), fuel: FUEL },
      { name: "main", bytes: await assembleWat(main), fuel: FUEL },
    ];
    return openPlugin(await assembleWat(main), { limits, spec: { modules } });
  };

  it("share one budget, which goes with each call and comes back", async () => {
    const twice = `${pay(100)} (call $work) ${pay(50)} (call $work)`;
    await using opened = await openLinked(
      metered({ twice, thrice: `${twice} (call $work)` }, "", imports),
    );
    expect((await opened.call("twice", "x")).usage.instructions).toBe(950);
    expect(codeOf(await opened.call("thrice", "x"))).toBe("SANDBOX_INSTRUCTION_LIMIT");
  });

  it("have nothing while another one runs", async () => {
    const answer = "(i32.store (i32.const 1024) (i32.wrap_i64 (call $peek)))";
    const spied = `(i32.store (i32.const 1024) (i32.wrap_i64 (global.get $theirs)))`;
    const spy = `(import "library" "also" (global $theirs (mut i64)))`;
    await using opened = await openLinked(metered({ called: answer, spied }, "", imports + spy));
    const read = async (name: string): Promise<number> => {
      const outcome = await opened.call(name, "1234");
      return outcome.ok ? Buffer.from(outcome.output).readInt32LE() : Number.NaN;
    };
    expect(await read("called")).toBe(BUDGET);
    expect(await read("spied")).toBe(-1);
  });

  it("are all metered or none", async () => {
    const main = await assembleWat(metered({ run: "" }));
    const modules = [
      { name: "library", bytes: await assembleWat(library) },
      { name: "main", bytes: main, fuel: FUEL },
    ];
    const opening = openPlugin(main, { limits, spec: { modules } });
    await expect(opening).rejects.toThrow("SANDBOX_OPTIONS");
  });
});

describe("work outside of the modules", () => {
  it("costs the kernel's caller by call and by byte", async () => {
    const wat = `(module
      (import "extism:host/env" "alloc" (func $alloc (param i64) (result i64)))
      (import "extism:host/env" "length" (func $length (param i64) (result i64)))
      ${FUEL_GLOBAL}
      (func (export "alloc0") (drop (call $alloc (i64.const 0))))
      (func (export "alloc800") (drop (call $alloc (i64.const 800))))
      (func (export "length") (drop (call $length (i64.const 0)))))`;
    await using opened = await open(wat, FUEL, { abi: "extism" });
    const used = async (name: string): Promise<number | null> =>
      (await opened.call(name)).usage.instructions;
    expect(await used("alloc0")).toBe(50);
    expect(await used("alloc800")).toBe(150);
    expect(await used("length")).toBe(20);
  });
});

test("a process that was taken over cannot run up a debt for others", async () => {
  await using hostile = await hostileRunner(
    `send(frame(REPLY, callId, "x", 0, 1, undefined, 2n ** 52n)); block()`,
  );
  await using opened = await open(metered({ run: "" }), FUEL, {
    deps: { runnerProgram: hostile.path },
  });
  expect((await opened.call("run", "x")).usage.instructions).toBe(BUDGET);
});
