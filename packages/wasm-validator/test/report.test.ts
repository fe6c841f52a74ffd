import { deflateSync } from "node:zlib";

import { assembleWat } from "@glovebox/testkit";
import { inspectModule, type ModuleReport } from "@glovebox/wasm-validator";
import { describe, expect, test } from "vitest";

import { moduleOf, name, section, u32 } from "./module-bytes.ts";

async function report(text: string): Promise<ModuleReport> {
  return inspectModule(
    await assembleWat(text, { validate: false, exceptions: true, tail_call: true, gc: true }),
  );
}

/** Loops that nothing leaves in a function with this body. */
async function endless(body: string): Promise<number | undefined> {
  return (await report(`(module (func (param i32) ${body}))`)).facts?.code.endlessLoops;
}

describe("loops that nothing leaves", () => {
  test.each([
    ["(loop (br 0))", 1],
    ["(loop (block (br 1)))", 1],
    ["(loop (loop (br 0)))", 2],
    ["(loop (loop (br 1)))", 1],
    ["(loop (if (local.get 0) (then (br 1)) (else (br 1))))", 1],
    ["(loop (block (br_table 0 1 (local.get 0))) (br 0))", 1],
    ["(loop (call 0 (local.get 0)) (br 0))", 1],
  ])("are found: %s", async (body, count) => {
    expect(await endless(body)).toBe(count);
  });

  test.each([
    "(loop)",
    "(loop (br_if 0 (local.get 0)))",
    "(block (loop (br_if 1 (local.get 0)) (br 0)))",
    "(block (loop (loop (br_if 2 (local.get 0)) (br 0))))",
    "(loop (if (local.get 0) (then (return))) (br 0))",
    "(loop (if (local.get 0) (then (unreachable))) (br 0))",
    "(block (loop (br_table 0 1 (local.get 0))))",
    "(loop (block (br 0)) (nop))",
    "(loop (block (block (br_table 0 1 (local.get 0))) (return)) (br 0))",
    "(unreachable) (loop (br 0))",
    "(return) (block (loop (br 0)))",
  ])("are not found: %s", async (body) => {
    expect(await endless(body)).toBe(0);
  });
});

describe("calls", () => {
  test("recursion is found in circles of any size, and through tail calls", async () => {
    const { facts, findings } = await report(`(module
      (func $self (call $self))
      (func $a (call $b)) (func $b (call $c)) (func $c (return_call $a) )
      (func $leaf) (func $caller (call $leaf) (call $a)))`);
    expect(facts?.code.recursive).toEqual({ functions: 4, largestCycle: 3 });
    expect(findings).toContainEqual({
      rule: "module/recursion",
      level: "note",
      message: "4 functions can call themselves, up to 3 in a circle",
    });
  });

  test("a call graph that doubles forty times is read once", async () => {
    const functions = Array.from({ length: 40 }, (_, at) =>
      at === 39 ? "(func)" : `(func (call ${at + 1}) (call ${at + 1}))`,
    );
    const { facts } = await report(`(module ${functions.join(" ")})`);
    expect(facts?.code).toMatchObject({ calls: 78, recursive: { functions: 0 } });
  });
});

describe("hash-like functions", () => {
  const round =
    "(local.set 0 (i32.xor (i32.rotl (local.get 0) (i32.const 7)) (i32.shr_u (local.get 0) (i32.const 3))))";

  test("are those that mix bits in loops", async () => {
    const body = round.repeat(16);
    const { findings, facts } = await report(
      `(module (func (param i32) (loop ${body} (br_if 0 (local.get 0)))) (func (param i32) ${body}))`,
    );
    expect(facts?.code.hashLike).toHaveLength(1);
    expect(findings[0]).toMatchObject({
      rule: "module/hash-like",
      level: "warning",
      message: "a function mixes bits, as hashing, encryption and mining do",
      offset: facts?.code.hashLike[0]?.offset,
    });
  });

  test("are also those whose rounds stand one behind the other, without a loop", async () => {
    const { facts } = await report(
      `(module (func (param i32) ${round.repeat(42)}) (func (param i32) ${round.repeat(43)}))`,
    );
    expect(facts?.code.hashLike.map(({ index }) => index)).toEqual([1]);
  });

  test("are not those that mostly compute something else", async () => {
    const body =
      "(local.set 0 (i32.add (i32.mul (local.get 0) (i32.const 3)) (i32.and (local.get 0) (i32.const 3))))".repeat(
        40,
      );
    const { facts } = await report(
      `(module (func (param i32) (loop ${body} ${round} (br_if 0 (local.get 0)))))`,
    );
    expect(facts?.code.hashLike).toEqual([]);
  });
});

describe("what a module asks for", () => {
  test("is told in plain words, standard imports first", async () => {
    const { capabilities } = await report(`(module
      (import "env" "abort" (func))
      (import "extism:host/env" "http_request" (func)) (import "extism:host/env" "alloc" (func))
      (import "wasi_snapshot_preview1" "path_open" (func)) (import "env" "memory" (memory 1)))`);
    expect(capabilities).toEqual([
      "open, create, rename and delete files",
      "send HTTP requests",
      "exchange input and output with the host",
      'call functions of "env"',
    ]);
  });

  test("is nothing for a module without imports", async () => {
    expect((await report("(module)")).capabilities).toEqual([]);
  });
});

describe("what custom sections claim", () => {
  const producers = section(
    0,
    name("producers"),
    1,
    name("language"),
    2,
    name("C11"),
    name(""),
    name("Rust"),
    name("1.95"),
  );
  const auditable = [
    ...deflateSync(
      JSON.stringify({ packages: [{ name: "serde", version: "1.0.1", source: "crates.io" }] }),
    ),
  ];

  test("tools, dependencies, features and debug data are listed", () => {
    const { facts } = inspectModule(
      moduleOf(
        section(0, name("dylink.0"), 2, 9, 1, name("libc.so")),
        producers,
        section(0, name("target_features"), 2, 0x2b, name("simd128"), 0x2d, name("atomics")),
        section(0, name(".dep-v0"), auditable),
        section(0, name(".debug_info"), 1, 2, 3),
        section(0, name("name")),
        section(0, name("sourceMappingURL"), name("plugin.wasm.map")),
      ),
    );
    expect(facts?.claims).toEqual({
      producers: [
        { field: "language", name: "C11", version: "" },
        { field: "language", name: "Rust", version: "1.95" },
      ],
      dependencies: [
        { name: "libc.so", version: "", section: "dylink.0" },
        { name: "serde", version: "1.0.1", section: ".dep-v0" },
      ],
      targetFeatures: ["simd128"],
      debug: ["dwarf", "names", "source map"],
    });
  });

  test("a list that would grow a thousand times when decompressed is no list", () => {
    const bomb = [...deflateSync(Buffer.alloc(64 * 1_048_576, 0x20))];
    const { facts } = inspectModule(moduleOf(section(0, name(".dep-v0"), bomb)));
    expect(facts?.claims.dependencies).toEqual([]);
  });

  test.each([
    ["a count of 4 G", section(0, name("producers"), u32(0xffff_ffff))],
    ["a name with a line break", section(0, name("producers"), 1, name("a\nb"), 0)],
    ["garbage", section(0, name(".dep-v0"), 1, 2, 3)],
    ["JSON that is no object", section(0, name(".dep-v0"), [...deflateSync("null")])],
  ])("malformed claims are no claims: %s", (_, bytes) => {
    const { facts, defect } = inspectModule(moduleOf(bytes));
    expect(defect).toBeUndefined();
    expect(facts?.claims).toMatchObject({ producers: [], dependencies: [] });
  });
});

test("memories, tables, counts, start and the largest functions are listed", async () => {
  const { facts } = await report(`(module
    (import "env" "t" (table 1 2 funcref)) (memory 1 16) (func $small) (func $large (local i64)
      (block (nop) (nop) (nop))) (start $small) (data (i32.const 0) "12345678"))`);
  expect(facts).toMatchObject({
    memories: [{ minimum: 1, maximum: 16, imported: false, shared: false, is64: false }],
    tables: [{ minimum: 1, maximum: 2, imported: true }],
    counts: { functions: 2, dataSegments: 1, dataBytes: 8 },
    start: 0,
    code: { largest: [{ index: 1, locals: 1, nesting: 2, operators: 6 }, { index: 0 }] },
    costs: { compile: 9, instantiate: 3 },
  });
});
