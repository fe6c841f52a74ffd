/**
 * Code that has broken out of the engine takes memory that RLIMIT_DATA does not count: it fills pages
 * and makes them read-only, step by step, or asks for them as shared, as a stack or as huge ones
 * (CWE-770). What the kernel does not count it does not give, or the host sees it, also when no
 * command runs.
 */
import { knownArchitecture, SYSTEM_CALL_NUMBERS } from "@glovebox/linux/seccomp";
import { createSandbox } from "@glovebox/sandbox";
import { beforeAll, describe, expect, it } from "vitest";

import { flatPlugin } from "../support/fixtures.ts";
import { hostileRunner } from "../support/hostile-runner.ts";
import { codeOf, openPlugin } from "../support/open-plugin.ts";

const MAP = { SHARED: 0x1, PRIVATE: 0x2, ANONYMOUS: 0x20, GROWSDOWN: 0x100, HUGETLB: 0x40000 };
const LIMITS = { memoryBytes: 2 ** 24, cpuMs: 20_000 };
const architecture = knownArchitecture();

/** syscall(2) with an answer of 64 bits, bound before the lock-down. */
const BIND = `
  const wide = (() => {
    const ffi = process.getBuiltinModule("node:ffi");
    if (ffi !== undefined) {
      const { syscall } = ffi.dlopen(null, {
        syscall: { arguments: Array(7).fill("int64"), return: "int64" },
      }).functions;
      return (...args) => Number(syscall(...args.map(BigInt)));
    }
    const { koffiEntry } = JSON.parse(process.argv[4] ?? "{}");
    if (koffiEntry === undefined) return undefined;
    const koffi = require(koffiEntry);
    const syscall = koffi.load(null).func("long syscall(long, long, long, long, long, long, long)");
    return (...args) => Number(syscall(...args));
  })();
  const MAP_POPULATE = 0x8000, STEP = 16 * 2 ** 20, MOST = 2 ** 30;
  const map = (flags, bytes = STEP) =>
    wide(${SYSTEM_CALL_NUMBERS.mmap[architecture ?? "x64"]}, 0, bytes, 3, flags | MAP_POPULATE, -1, 0);
  const protect = (at) => wide(${SYSTEM_CALL_NUMBERS.mprotect[architecture ?? "x64"]}, at, STEP, 1, 0, 0, 0);
  /** Takes a gibibyte that is counted for a moment only. */
  const hoard = () => {
    for (let taken = 0; taken < MOST; taken += STEP) {
      const at = map(${MAP.PRIVATE | MAP.ANONYMOUS});
      if (at === -1) throw new Error("no more memory");
      protect(at);
    }
  };`;

let notHere: string | undefined;
beforeAll(async () => {
  await using sandbox = await createSandbox({ poolSize: 0, minimumIsolation: "none" });
  const { isolation } = sandbox.status();
  if (isolation !== "strict") notHere = `runners reach ${isolation} here`;
});

describe("memory that the kernel does not count", () => {
  it.for([
    ["shared", MAP.SHARED | MAP.ANONYMOUS],
    ["growing as a stack", MAP.PRIVATE | MAP.ANONYMOUS | MAP.GROWSDOWN],
    ["of huge pages", MAP.PRIVATE | MAP.ANONYMOUS | MAP.HUGETLB],
  ] as const)("is not given when it is %s", async ([, flags], context) => {
    if (notHere !== undefined) context.skip(notHere);
    await using hostile = await hostileRunner(
      `map(${flags}); send(frame(REPLY, callId, "given")); return length`,
      1,
      BIND,
    );
    const deps = { runnerProgram: hostile.path };
    await using open = await openPlugin(flatPlugin(), { deps, limits: LIMITS });
    const outcome = await open.call("echo");
    expect(outcome).toMatchObject({ ok: false, error: { details: { signal: "SIGSYS" } } });
  });

  it("ends the process that hoards it during a call", async (context) => {
    if (notHere !== undefined) context.skip(notHere);
    await using hostile = await hostileRunner(`hoard(); block()`, 1, BIND);
    const deps = { runnerProgram: hostile.path };
    await using open = await openPlugin(flatPlugin(), { deps, limits: LIMITS });
    expect(codeOf(await open.call("echo"))).toBe("SANDBOX_MEMORY_LIMIT");
  }, 60_000);

  it("ends the process that hoards it between two calls", async (context) => {
    if (notHere !== undefined) context.skip(notHere);
    const answer = `write(descriptor, bytes, offset, length, position)`;
    await using hostile = await hostileRunner(`${answer}; hoard(); block()`, 1, BIND);
    const deps = { runnerProgram: hostile.path };
    await using open = await openPlugin(flatPlugin(), { deps, limits: LIMITS });
    expect((await open.call("echo")).ok).toBe(true);
    await expect.poll(() => open.plugin.status().pids, { timeout: 30_000 }).toEqual([]);
  }, 60_000);
});
