/**
 * @module Numbers of system calls, the one source for both architectures: x86-64 from Linux's
 * arch/x86/entry/syscalls/syscall_64.tbl, arm64 from include/uapi/asm-generic/unistd.h. `null`: the
 * architecture has no such call. Those that something here makes, filters or tries; a test compares
 * them with the kernel's headers where these are installed.
 */

/** An architecture whose numbers are known, by Node's name (`process.arch`). */
export type Architecture = "x64" | "arm64";

/** Numbers by name and architecture. */
export const SYSTEM_CALL_NUMBERS = {
  arch_prctl: { x64: 158, arm64: null },
  bpf: { x64: 321, arm64: 280 },
  brk: { x64: 12, arm64: 214 },
  chmod: { x64: 90, arm64: null },
  chroot: { x64: 161, arm64: 51 },
  clock_gettime: { x64: 228, arm64: 113 },
  clone: { x64: 56, arm64: 220 },
  clone3: { x64: 435, arm64: 435 },
  close: { x64: 3, arm64: 57 },
  connect: { x64: 42, arm64: 203 },
  creat: { x64: 85, arm64: null },
  dup: { x64: 32, arm64: 23 },
  epoll_pwait: { x64: 281, arm64: 22 },
  execve: { x64: 59, arm64: 221 },
  execveat: { x64: 322, arm64: 281 },
  exit_group: { x64: 231, arm64: 94 },
  fork: { x64: 57, arm64: null },
  futex: { x64: 202, arm64: 98 },
  getdents64: { x64: 217, arm64: 61 },
  getpid: { x64: 39, arm64: 172 },
  gettid: { x64: 186, arm64: 178 },
  io_uring_enter: { x64: 426, arm64: 426 },
  io_uring_setup: { x64: 425, arm64: 425 },
  ioctl: { x64: 16, arm64: 29 },
  kcmp: { x64: 312, arm64: 272 },
  keyctl: { x64: 250, arm64: 219 },
  kill: { x64: 62, arm64: 129 },
  landlock_add_rule: { x64: 445, arm64: 445 },
  landlock_create_ruleset: { x64: 444, arm64: 444 },
  landlock_restrict_self: { x64: 446, arm64: 446 },
  madvise: { x64: 28, arm64: 233 },
  membarrier: { x64: 324, arm64: 283 },
  memfd_create: { x64: 319, arm64: 279 },
  mmap: { x64: 9, arm64: 222 },
  modify_ldt: { x64: 154, arm64: null },
  mount: { x64: 165, arm64: 40 },
  mprotect: { x64: 10, arm64: 226 },
  mq_open: { x64: 240, arm64: 180 },
  mremap: { x64: 25, arm64: 216 },
  munmap: { x64: 11, arm64: 215 },
  name_to_handle_at: { x64: 303, arm64: 264 },
  open: { x64: 2, arm64: null },
  open_by_handle_at: { x64: 304, arm64: 265 },
  openat: { x64: 257, arm64: 56 },
  openat2: { x64: 437, arm64: 437 },
  perf_event_open: { x64: 298, arm64: 241 },
  personality: { x64: 135, arm64: 92 },
  pidfd_getfd: { x64: 438, arm64: 438 },
  pidfd_open: { x64: 434, arm64: 434 },
  pkey_mprotect: { x64: 329, arm64: 288 },
  prctl: { x64: 157, arm64: 167 },
  prlimit64: { x64: 302, arm64: 261 },
  process_madvise: { x64: 440, arm64: 440 },
  process_vm_readv: { x64: 310, arm64: 270 },
  process_vm_writev: { x64: 311, arm64: 271 },
  ptrace: { x64: 101, arm64: 117 },
  read: { x64: 0, arm64: 63 },
  recvmsg: { x64: 47, arm64: 212 },
  rename: { x64: 82, arm64: null },
  renameat2: { x64: 316, arm64: 276 },
  restart_syscall: { x64: 219, arm64: 128 },
  rseq: { x64: 334, arm64: 293 },
  rt_sigprocmask: { x64: 14, arm64: 135 },
  rt_sigqueueinfo: { x64: 129, arm64: 138 },
  rt_sigreturn: { x64: 15, arm64: 139 },
  sched_setscheduler: { x64: 144, arm64: 119 },
  seccomp: { x64: 317, arm64: 277 },
  sendmsg: { x64: 46, arm64: 211 },
  setgid: { x64: 106, arm64: 144 },
  setgroups: { x64: 116, arm64: 159 },
  setns: { x64: 308, arm64: 268 },
  setrlimit: { x64: 160, arm64: 164 },
  setuid: { x64: 105, arm64: 146 },
  shmget: { x64: 29, arm64: 194 },
  socket: { x64: 41, arm64: 198 },
  socketpair: { x64: 53, arm64: 199 },
  stat: { x64: 4, arm64: null },
  tgkill: { x64: 234, arm64: 131 },
  timer_create: { x64: 222, arm64: 107 },
  timer_settime: { x64: 223, arm64: 110 },
  unlink: { x64: 87, arm64: null },
  unshare: { x64: 272, arm64: 97 },
  userfaultfd: { x64: 323, arm64: 282 },
  vfork: { x64: 58, arm64: null },
  write: { x64: 1, arm64: 64 },
} as const satisfies Readonly<Record<string, Readonly<Record<Architecture, number | null>>>>;

/** A call of {@link SYSTEM_CALL_NUMBERS}. */
export type SystemCallName = keyof typeof SYSTEM_CALL_NUMBERS;

/** This process's architecture, if its numbers are known. */
export function knownArchitecture(arch: string = process.arch): Architecture | undefined {
  return arch === "x64" || arch === "arm64" ? arch : undefined;
}
