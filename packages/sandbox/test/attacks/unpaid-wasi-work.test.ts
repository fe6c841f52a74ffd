/**
 * A program makes the runner work for the price of one call (threats: linked-budgets): lists with a
 * thousand empty entries, which move no byte, and lines of log that nobody will read.
 */
import { assembleWat } from "@glovebox/testkit";
import { expect, it } from "vitest";

import type { NamedModule } from "../../src/abi/abi.ts";
import { FuelTank } from "../../src/abi/fuel.ts";
import { linkModules } from "../../src/abi/link-modules.ts";
import { GuestMemory } from "../../src/abi/wasi/guest-memory.ts";
import { createWasi } from "../../src/abi/wasi/imports.ts";
import { Streams } from "../../src/abi/wasi/streams.ts";

const BUDGET = 100_000_000n;
/** What one call costs that does nothing. */
const CALL_UNITS = 100;
const LIST_AT = 65_536;
const EVENTS_AT = 4 * 65_536;

async function start() {
  const tank = new FuelTank();
  tank.fill(BUDGET);
  const memory = new GuestMemory(tank);
  const bytes = await assembleWat(`(module (memory (export "memory") 8))`);
  const { exports } = new WebAssembly.Instance(new WebAssembly.Module(bytes));
  memory.attach(exports["memory"] as WebAssembly.Memory);
  const environment = Object.fromEntries(Array.from({ length: 500 }, (_, at) => [`k${at}`, "v"]));
  const spec = {
    abi: "wasi",
    modules: [],
    freshInstances: false,
    hostFunctions: [],
    config: {},
  } as const;
  const system = createWasi(
    { ...spec, folders: [], args: [], clockResolutionNs: 1_000 },
    { outputBytes: 1_000 },
    () => new Uint8Array(0),
    { args: [], environment, logsOutput: false, toll: tank },
  );
  system.begin(new Uint8Array(0));
  const calls = system.importsFor(memory) as Record<string, (...args: number[]) => number>;
  return { tank, calls };
}

it.each<[string, string, number[], number]>([
  ["writing 1,024 empty ranges", "fd_write", [2, LIST_AT, 1_024, 8], 1_024],
  ["reading into 1,024 empty ranges", "fd_read", [0, LIST_AT, 1_024, 8], 1_024],
  ["asking for 4,096 clocks at once", "poll_oneoff", [LIST_AT, EVENTS_AT, 4_096, 8], 4_096],
  ["copying 500 variables", "environ_get", [0, LIST_AT], 500],
])("%s is paid entry by entry", async (_, name, args, entries) => {
  const { tank, calls } = await start();
  expect(calls[name]?.(...args)).toBe(0);
  expect(tank.used).toBeGreaterThan(entries * CALL_UNITS);
});

it("a program that catches its own end pays for what it calls then", async () => {
  const { tank, calls } = await start();
  expect(() => calls["proc_exit"]?.(0)).toThrow("exit");
  const before = tank.used;
  for (let round = 0; round < 10; round++) expect(() => calls["sched_yield"]?.()).toThrow("exit");
  expect(tank.used - before).toBe(10 * CALL_UNITS);
});

it("a module that catches the lack of a linked function pays for each call", async () => {
  const bytes = await assembleWat(
    `(module (import "later" "missing" (func $missing))
      (global (export "fuel") (mut i64) (i64.const 0))
      (func (export "run") (local $left i32)
        (local.set $left (i32.const 10))
        (loop $again
          (try (do (call $missing)) (catch_all))
          (br_if $again (local.tee $left (i32.sub (local.get $left) (i32.const 1)))))))`,
    { exceptions: true },
  );
  const later = await assembleWat(`(module (global (export "fuel") (mut i64) (i64.const 0)))`);
  const module = (name: string, code: Uint8Array<ArrayBuffer>): NamedModule => ({
    name,
    module: new WebAssembly.Module(code),
    fuel: { global: "fuel" },
  });
  const tank = new FuelTank();
  tank.fill(BUDGET);
  const { modules } = linkModules(
    [module("early", Uint8Array.from(bytes)), module("later", Uint8Array.from(later))],
    () => ({ imports: {} }),
    tank,
  );
  modules[0]?.functions.get("run")?.();
  expect(tank.used).toBe(10 * CALL_UNITS);
});

it("lines of log beyond the most are neither kept nor sent", () => {
  let sent = 0;
  const host = (): Uint8Array => {
    sent++;
    return new Uint8Array(0);
  };
  let looked = 0;
  const lines = Buffer.from("a\n".repeat(256));
  const counted: Iterable<number> = {
    *[Symbol.iterator]() {
      for (const byte of lines) {
        looked++;
        yield byte;
      }
    },
  };
  const streams = new Streams(host, 1_000, false);
  streams.log(lines);
  streams.log(counted as Uint8Array);
  streams.flush();
  expect(sent).toBe(256);
  expect(looked).toBe(1);
});
