/**
 * @module What a process does to itself before it touches untrusted bytes, in the order in which it
 * must. Numbers from linux/prctl.h, asm-generic/resource.h and linux/seccomp.h, equal on x86-64 and
 * arm64.
 */
import { callFailed, LinuxError } from "../errors.ts";
import type { SystemCallName } from "../system-call-numbers.ts";
import type { SystemCalls } from "./system-calls.ts";

const PR_SET_PDEATHSIG = 1;
const PR_SET_NO_NEW_PRIVS = 38;
const SIGKILL = 9;
const SECCOMP_SET_MODE_FILTER = 1;
const SECCOMP_FILTER_FLAG_TSYNC = 1;
const INSTRUCTION_BYTES = 8;

/** Resources of setrlimit(2) by name. */
export const RESOURCE = { CPU: 0, FSIZE: 1, DATA: 2, CORE: 4, NPROC: 6, NOFILE: 7 } as const;

/** What a process that only computes and talks over open sockets needs none of. */
const NOT_NEEDED = ["CORE", "FSIZE", "NPROC", "NOFILE"] as const;

/** A user and its group, by number. */
export interface User {
  readonly uid: number;
  readonly gid: number;
}

/**
 * Becomes another user for good, with no other groups; needs root. Loses all capabilities. Clears
 * the death signal, so call {@link restrictProcess} after it.
 *
 * @throws {@link LinuxError} (`LINUX_USER_UNCHANGED`)
 */
export function becomeUser({ uid, gid }: User): void {
  try {
    process.setgroups?.([]);
    process.setgid?.(gid);
    process.setuid?.(uid);
  } catch (cause) {
    throw new LinuxError("LINUX_USER_UNCHANGED", {
      message: `cannot become user ${uid} with group ${gid}`,
      details: { uid, gid },
      cause,
    });
  }
  if (process.getuid?.() !== uid || process.geteuid?.() !== uid || process.getegid?.() !== gid) {
    throw new LinuxError("LINUX_USER_UNCHANGED", { details: { uid, gid } });
  }
}

/**
 * Makes this process end with its parent, gain no privileges, and leave nothing behind: no core
 * file, no data in files, no new descriptor, process or thread (setrlimit(2)).
 *
 * The kernel kills it when the thread that spawned it ends, also while it spins (prctl(2),
 * PR_SET_PDEATHSIG); a parent that ended before the call is noticed by its pid.
 *
 * @throws {@link LinuxError} (`LINUX_CALL_FAILED`, `LINUX_PARENT_GONE`)
 */
export function restrictProcess(calls: SystemCalls, expectedParent: number): void {
  check(calls, "prctl", PR_SET_PDEATHSIG, SIGKILL);
  if (process.ppid !== expectedParent) {
    throw new LinuxError("LINUX_PARENT_GONE", {
      message: `expected the parent ${expectedParent}, found ${process.ppid}`,
    });
  }
  setNoNewPrivileges(calls);
  for (const resource of NOT_NEEDED) setLimit(calls, resource, 0n);
}

/** Nothing that this thread or its children run gives them more privileges (prctl(2)). */
export function setNoNewPrivileges(calls: SystemCalls): void {
  check(calls, "prctl", PR_SET_NO_NEW_PRIVS, 1);
}

/**
 * Bounds the CPU time of this process's whole life, its start included: then the kernel kills it
 * (RLIMIT_CPU with equal limits: SIGKILL), whatever its parent does.
 *
 * @throws {@link LinuxError} (`LINUX_CALL_FAILED`)
 */
export function limitLifeCpu(calls: SystemCalls, seconds: number): void {
  setLimit(calls, "CPU", BigInt(seconds));
}

/**
 * Prepares a limit on this process's private data (RLIMIT_DATA): an exact budget that also covers
 * what the engine does not count, such as a second linear memory. The returned function applies it;
 * what is mapped already counts, and another process can read how much that is (`openResidentMemory`).
 * It makes one call, setrlimit for RLIMIT_DATA, which a filter must allow.
 *
 * @throws {@link LinuxError} (`LINUX_CALL_FAILED`)
 */
export function prepareDataLimit(calls: SystemCalls): (bytes: number) => void {
  const pair = limitPair(calls);
  return (bytes) => {
    pair.limits.fill(BigInt(bytes));
    check(calls, "setrlimit", RESOURCE.DATA, pair.address);
  };
}

/**
 * Prepares a filter of system calls for all threads of this process (seccomp(2), TSYNC), after
 * {@link restrictProcess}, without whose no_new_privs the kernel refuses it. The returned function
 * puts it in force for good; it needs no permission any more.
 *
 * @param program - of `buildFilter`
 * @throws {@link LinuxError} (`LINUX_CALL_FAILED`)
 */
export function prepareFilter(calls: SystemCalls, program: Uint8Array): () => void {
  // struct sock_fprog of 64-bit Linux: u16 number of instructions, padding, pointer.
  const header = new Uint8Array(16);
  const view = new DataView(header.buffer);
  view.setUint16(0, program.length / INSTRUCTION_BYTES, true);
  view.setBigUint64(8, calls.addressOf(program), true);
  const address = calls.addressOf(header);
  return () => check(calls, "seccomp", SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_TSYNC, address);
}

function setLimit(calls: SystemCalls, resource: keyof typeof RESOURCE, value: bigint): void {
  const pair = limitPair(calls);
  pair.limits.fill(value);
  check(calls, "setrlimit", RESOURCE[resource], pair.address);
}

/** struct rlimit of 64-bit Linux: soft limit, hard limit. */
function limitPair(calls: SystemCalls): { limits: BigUint64Array; address: bigint } {
  const limits = new BigUint64Array(2);
  return { limits, address: calls.addressOf(new Uint8Array(limits.buffer)) };
}

/** 0 is success; a positive answer of seccomp names the thread that could not be filtered. */
function check(
  calls: SystemCalls,
  name: SystemCallName,
  ...args: readonly (number | bigint)[]
): void {
  const result = calls.call(name, ...args);
  if (result !== 0) throw callFailed(name, Math.max(0, -result));
}
