import {
  type Architecture,
  AUDIT_ARCH,
  buildFilter,
  type CallRule,
  judgeCall,
  SYSTEM_CALL_NUMBERS,
} from "@glovebox/linux/seccomp";
import { describe, expect, test } from "vitest";

const ARCHITECTURES = ["x64", "arm64"] as const;
const X32_BIT = 0x40000000;
const RULES: readonly CallRule[] = [
  { call: "read", answer: "allow" },
  { call: "openat", answer: "EPERM" },
  { call: "sched_getparam", answer: "zero" },
  { call: "fork", answer: "EPERM" },
  { call: "tgkill", answer: "EPERM", allowedWhere: { argument: 0, equals: 4711 } },
  { call: "setrlimit", answer: "kill", allowedWhere: { argument: 5, equals: 2 } },
  { call: "mmap", answer: "allow", killedWhere: { argument: 3, anyOf: 0x80000001 } },
];

describe.each(ARCHITECTURES)("on %s", (own) => {
  const program = buildFilter(RULES, own);
  const answer = (
    number: number,
    args?: readonly bigint[],
    architecture: number = AUDIT_ARCH[own],
  ) => judgeCall(program, { architecture, number, ...(args && { arguments: args }) });

  test("each number is answered as the table says, and all others end the process", () => {
    const byNumber = new Map<number | null, CallRule>(
      RULES.map((rule) => [SYSTEM_CALL_NUMBERS[rule.call][own], rule]),
    );
    for (let number = 0; number < 1_024; number++)
      expect([number, answer(number)]).toEqual([number, byNumber.get(number)?.answer ?? "kill"]);
  });

  test("a number of the x32 ABI or of another architecture ends the process", () => {
    const other: Architecture = own === "x64" ? "arm64" : "x64";
    for (let number = 0; number < 1_024; number++) {
      expect(answer(number + X32_BIT)).toBe("kill");
      expect(answer(number, [], AUDIT_ARCH[other])).toBe("kill");
      expect(answer(number, [], 0x40000003)).toBe("kill"); // i386, int 0x80
    }
    expect(answer(0xffffffff)).toBe("kill");
  });

  test("an argument makes a difference where the table says so", () => {
    const tgkill = SYSTEM_CALL_NUMBERS.tgkill[own];
    expect(answer(tgkill, [4711n, 1n])).toBe("allow");
    expect(answer(tgkill, [1n, 4711n])).toBe("EPERM");
    // A pid has 32 bits: the kernel does not look at the upper half either.
    expect(answer(tgkill, [(1n << 32n) | 4711n])).toBe("allow");
    const setrlimit = SYSTEM_CALL_NUMBERS.setrlimit[own];
    expect(answer(setrlimit, [0n, 0n, 0n, 0n, 0n, 2n])).toBe("allow");
    expect(answer(setrlimit, [2n, 2n, 2n, 2n, 2n, 0n])).toBe("kill");
    const mmap = SYSTEM_CALL_NUMBERS.mmap[own];
    expect(answer(mmap, [1n, 1n, 1n, 0x7ffffffen, 1n, 1n])).toBe("allow");
    expect(answer(mmap, [0n, 0n, 0n, 3n])).toBe("kill");
    expect(answer(mmap, [0n, 0n, 0n, 0x80000000n])).toBe("kill");
  });

  test("a table without rules lets nothing through", () => {
    const empty = buildFilter([], own);
    for (let number = 0; number < 1_024; number++)
      expect(judgeCall(empty, { architecture: AUDIT_ARCH[own], number })).toBe("kill");
  });
});

test("a program that is none of ours has no answer", () => {
  const call = { architecture: AUDIT_ARCH.x64, number: 0 };
  expect(judgeCall(new Uint8Array(0), call)).toBeUndefined();
  expect(judgeCall(new Uint8Array(8).fill(0xff), call)).toBeUndefined();
  // Returns SECCOMP_RET_TRACE, and loads beyond the data.
  expect(judgeCall(Uint8Array.of(6, 0, 0, 0, 0, 0, 0xf0, 0x7f), call)).toBeUndefined();
  expect(judgeCall(Uint8Array.of(0x20, 0, 0, 0, 64, 0, 0, 0), call)).toBeUndefined();
});
