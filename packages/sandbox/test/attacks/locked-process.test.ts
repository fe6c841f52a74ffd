import { readThreads } from "@glovebox/linux";
/**
 * Code that has broken out of the engine makes system calls itself: files, network, processes, other
 * processes' memory, and what would undo the lock-down (CWE-693, CWE-250).
 */
import {
  knownArchitecture,
  SYSTEM_CALL_NUMBERS,
  type SystemCallName,
} from "@glovebox/linux/seccomp";
import { createSandbox } from "@glovebox/sandbox";
import { beforeAll, describe, expect, it } from "vitest";

import { flatPlugin } from "../support/fixtures.ts";
import { hostileRunner } from "../support/hostile-runner.ts";
import { openPlugin, textOf } from "../support/open-plugin.ts";

const EPERM = -1;
const architecture = knownArchitecture();

/** Why it cannot be shown here: another system, or a container that forbids filters. */
let notHere: string | undefined;
beforeAll(async () => {
  await using sandbox = await createSandbox({ poolSize: 0, minimumIsolation: "none" });
  const { isolation } = sandbox.status();
  if (isolation !== "strict") notHere = `runners reach ${isolation} here`;
});

/** What `onCall` sends as a reply, or the signal that ended the process. */
async function outcomeOf(onCall: string): Promise<string> {
  await using hostile = await hostileRunner(
    `send(frame(REPLY, callId, String(${onCall}))); return length`,
  );
  await using open = await openPlugin(flatPlugin(), { deps: { runnerProgram: hostile.path } });
  const outcome = await open.call("echo");
  if (outcome.ok) return textOf(outcome);
  return /ended with (\w+)/.exec(outcome.error.message)?.[1] ?? outcome.error.message;
}

describe("a runner that is taken over", () => {
  it.for<readonly [SystemCallName, string, ...(readonly string[])]>([
    ["execve", "SIGSYS", "0", "0", "0"],
    ["execveat", "SIGSYS", "-100", "0", "0", "0", "0"],
    ["socket", "SIGSYS", "2", "1", "0"],
    ["connect", "SIGSYS", "0", "0", "0"],
    ["sendmsg", "SIGSYS", "0", "0", "0"],
    ["ptrace", "SIGSYS", "0x4206", "+process.argv[2]", "0", "0"],
    ["process_vm_readv", "SIGSYS", "+process.argv[2]", "0", "0", "0", "0", "0"],
    ["process_vm_writev", "SIGSYS", "+process.argv[2]", "0", "0", "0", "0", "0"],
    ["pidfd_open", "SIGSYS", "+process.argv[2]", "0"],
    ["pidfd_getfd", "SIGSYS", "3", "0", "0"],
    ["io_uring_setup", "SIGSYS", "1", "0"],
    // Node has a ring of its own from before the lock-down.
    ["io_uring_enter", "SIGSYS", "11", "1", "0", "0", "0", "0"],
    ["rt_sigqueueinfo", "SIGSYS", "+process.argv[2]", "9", "0"],
    ["process_madvise", "SIGSYS", "3", "0", "0", "0", "0"],
    ["bpf", "SIGSYS", "0", "0", "0"],
    ["memfd_create", "SIGSYS", "0", "0"],
    ["unshare", "SIGSYS", "0x10000000"],
    ["setuid", "SIGSYS", "0"],
    ["seccomp", "SIGSYS", "0", "0", "0"],
    ["setrlimit", "SIGSYS", "0", "0"],
    ["prlimit64", "SIGSYS", "0", "2", "0", "0"],
    ["openat", String(EPERM), "-1", "0", "0"],
    ["clone", String(EPERM), "17", "0", "0", "0", "0"],
    ["kill", String(EPERM), "+process.argv[2]", "0"],
    ["tgkill", String(EPERM), "+process.argv[2]", "+process.argv[2]", "0"],
    ["prctl", String(EPERM), "1", "0"],
    ["ioctl", String(EPERM), "0", "0x5412", "0"],
  ])("cannot %s: %s", async ([name, expected, ...args], context) => {
    if (notHere !== undefined || architecture === undefined) {
      context.skip(notHere);
      return;
    }
    const number = SYSTEM_CALL_NUMBERS[name][architecture];
    expect(await outcomeOf(`syscall(${[number, ...args].join(", ")})`)).toBe(expected);
  });

  it("cannot leave the filter through the 32-bit ABI of x86-64", async (context) => {
    if (notHere !== undefined || architecture !== "x64") {
      context.skip(notHere ?? "no x64");
      return;
    }
    expect(await outcomeOf("syscall(0x40000000 | 39)")).toBe("SIGSYS");
  });

  it("can make the calls that it needs, so that the others are not refused by chance", async (context) => {
    if (notHere !== undefined || architecture === undefined) {
      context.skip(notHere);
      return;
    }
    const number = SYSTEM_CALL_NUMBERS.getpid[architecture];
    expect(await outcomeOf(`syscall(${number}) === process.pid`)).toBe("true");
  });

  it("has lost node:ffi with its lock-down, and the right to read its own program", async (context) => {
    if (notHere !== undefined || process.getBuiltinModule("node:ffi") === undefined) {
      context.skip(notHere ?? "this Node has no node:ffi");
      return;
    }
    const reach = (use: string): string =>
      `(() => { try { return ${use}; } catch (error) { return error.code; } })()`;
    const ffi = `process.getBuiltinModule("node:ffi")`;
    expect(await outcomeOf(reach(`${ffi}.dlopen(null, {})`))).toBe("ERR_ACCESS_DENIED");
    expect(await outcomeOf(reach(`${ffi}.getRawPointer(new Uint8Array(8))`))).toBe(
      "ERR_ACCESS_DENIED",
    );
    const mayRead = `process.permission.has("fs.read", process.argv[1])`;
    expect(await outcomeOf(mayRead)).toBe("false");
  });

  it("is not root, has no capabilities and no file to write", async (context) => {
    if (notHere !== undefined) {
      context.skip(notHere);
      return;
    }
    await using open = await openPlugin(flatPlugin());
    const [pid = 0] = open.plugin.status().pids;
    const threads = readThreads(pid);
    expect(threads.length).toBeGreaterThan(1);
    for (const { users, capabilities, filtered, noNewPrivileges } of threads) {
      expect(users).not.toContain(0);
      expect({ capabilities, filtered, noNewPrivileges }).toEqual({
        capabilities: 0n,
        filtered: true,
        noNewPrivileges: true,
      });
    }
  });
});
