/**
 * @module Which system calls a locked runner can make (invariant I2): one table, out of which its
 * seccomp filter is made and by which tests and the start-up canary judge it. A call that is not in
 * it ends the process with SIGSYS.
 */
import type { CallRule } from "@glovebox/linux/seccomp";

/** What a booted runner needs: frames, memory, code, garbage collection, its own end. */
const ALLOWED = [
  "read", // frames, and V8's timer thread its wake-ups
  "write",
  "epoll_pwait", // V8's timer thread waits
  "futex", // locks between the threads
  "munmap",
  "mprotect",
  "madvise",
  "brk", // the C library's heap
  "rt_sigprocmask", // signals: out-of-bounds accesses of WebAssembly are caught as SIGSEGV
  "rt_sigreturn",
  "getpid", // abort()
  "gettid",
  "exit_group",
] as const;

/**
 * What Node, V8 or the C library may try in passing and can do without: these fail, so that an
 * honest process is not killed for them. Everything behind them stays out of reach.
 */
const FAILING = [
  "openat", // time zones, /proc, /sys
  "clone", // a thread
  "clone3",
  "kill", // process.kill
  "prctl", // names for memory areas
  "ioctl", // is it a terminal?
  "sched_getaffinity", // the first contended lock asks how many processors there are
  "sched_yield", // and waits for its turn
  "nanosleep",
  "clock_nanosleep",
  "mremap", // realloc(), which copies then
] as const;

/**
 * Abseil's mutex in V8 asks for its thread's priority when it must wait for another thread; where
 * this fails it writes to standard error each time. It is 0.
 */
const ZERO = ["sched_getparam", "sched_getscheduler"] as const;

/**
 * What mmap may be asked for: MAP_PRIVATE, _FIXED, _ANONYMOUS, _NORESERVE, _POPULATE, _STACK (which
 * does nothing) and _FIXED_NOREPLACE of asm-generic/mman.h. Not among them is memory that
 * RLIMIT_DATA does not count (shared, growing as a stack), nor pages out of the machine's common
 * store (MAP_HUGETLB).
 */
const MAP_FLAGS = 0x2 | 0x10 | 0x20 | 0x4000 | 0x8000 | 0x20000 | 0x100000;

/** RLIMIT_DATA of asm-generic/resource.h. */
const RLIMIT_DATA = 2;

/** The table for the process with this number. */
export function runnerCalls(pid: number): readonly CallRule[] {
  return [
    ...ALLOWED.map((call): CallRule => ({ call, answer: "allow" })),
    // Heap, linear memory and compiled code; also with PROT_EXEC, which a compiler needs.
    { call: "mmap", answer: "allow", killedWhere: { argument: 3, anyOf: ~MAP_FLAGS >>> 0 } },
    ...FAILING.map((call): CallRule => ({ call, answer: "EPERM" })),
    ...ZERO.map((call): CallRule => ({ call, answer: "zero" })),
    // abort() signals its own process; no other can be reached.
    { call: "tgkill", answer: "EPERM", allowedWhere: { argument: 0, equals: pid } },
    // A plugin's memory is known after the lock-down. Without privileges a limit can only be lowered.
    { call: "setrlimit", answer: "kill", allowedWhere: { argument: 0, equals: RLIMIT_DATA } },
  ];
}
