/** @module Every bound of the sandbox, with its unit and the reason for the number. */

const KIB = 1024;
const MIB = 1024 * KIB;

/** Payload of one frame, bytes. Larger payloads travel in chunks; what one frame may allocate is bounded by this. */
export const MAX_FRAME_PAYLOAD_BYTES: number = 1 * MIB;

/** Buffer that all channels of a host share for reading, bytes: a pipe's usual capacity. */
export const READ_BUFFER_BYTES: number = 64 * KIB;

/** Small frames written in one tick are joined up to this size, bytes. */
export const WRITE_BUFFER_BYTES: number = 64 * KIB;

/** Frames from this size on are read straight into their own memory, bytes. */
export const DIRECT_READ_BYTES: number = 16 * KIB;

/** Bytes of input that may wait for one runner: with more, a caller is told that the queue is full. */
export const MAX_QUEUED_INPUT_BYTES: number = 16 * MIB;

/** Calls that may wait for one runner. */
export const MAX_QUEUED_CALLS = 1024;

/** Payload of a control answer (verdict, list of functions, failure), bytes: a module of 10 MiB can export thousands of names. */
export const MAX_CONTROL_BYTES: number = 4 * MIB;

/** Payload of a host call (a request's body, a variable's value), bytes. */
export const MAX_HOST_CALL_BYTES: number = 16 * MIB;

/** Bytes that one file operation moves: what the broker's handles take. */
export const MAX_FILE_TRANSFER_BYTES: number = 1 * MIB;

/** Files that one call may have open at once. */
export const MAX_OPEN_FILES = 256;

/** Names in one page of a listing. */
export const MAX_PAGE_NAMES = 256;

/** Random bytes in one answer. */
export const MAX_RANDOM_BYTES: number = 64 * KIB;

/** What a WASI program's clocks are rounded down to, nanoseconds: too coarse to time a cache. */
export const DEFAULT_CLOCK_RESOLUTION_NS = 1_000_000;

/** Largest module that a runner accepts, bytes. */
export const MAX_MODULE_BYTES: number = 64 * MIB;

/** What a runner writes to standard error and is kept, characters: enough for V8's last words. */
export const MAX_STDERR_CHARACTERS = 8_192;

/** Calls of functions that are told of where a plugin trapped, the innermost first: as many as V8 notes. */
export const MAX_TRAP_FRAMES = 10;

/** A plugin's own error text that is passed on, characters. */
export const MAX_PLUGIN_ERROR_CHARACTERS = 4_096;

/** Time until a spawned runner has said hello, milliseconds: it boots in 20–30 on an idle core. */
export const BOOT_DEADLINE_MS = 20_000;

/** CPU time after which the kernel ends a runner whatever its host does, seconds; the host replaces it before. */
export const RUNNER_LIFE_CPU_SECONDS = 600;

/** CPU time in a runner's life after which it is replaced, milliseconds: four fifths of it. */
export const RECYCLE_CPU_MS: number = RUNNER_LIFE_CPU_SECONDS * 1_000 * 0.8;

/**
 * Largest limit of one call's CPU time, milliseconds: half of what a runner has left that is just not
 * replaced, so that the host's watch ends a call and never the kernel's timer.
 */
export const MAX_CALL_CPU_MS: number = (RUNNER_LIFE_CPU_SECONDS * 1_000 - RECYCLE_CPU_MS) / 2;

/** JavaScript heap of the thread that starts runners, MiB: it holds some messages. */
export const SPAWNER_HEAP_MIB = 16;

/** Time that bubblewrap has to start a process, or Node to print its version behind it, milliseconds: it takes some ten. */
export const BUBBLEWRAP_START_MS = 10_000;

/** Private data that a runner may map beyond its plugin's memory, bytes: V8's heap, code, buffers for one call. */
export const RUNNER_OVERHEAD_BYTES: number = 192 * MIB;

/** Linear memory of discarded instances that is left to the engine's own collection, bytes: a part of the allowance above. */
export const MAX_DEAD_MEMORY_BYTES: number = 48 * MIB;

/** Size of a WebAssembly page, bytes (WebAssembly core specification 4.2.8). */
export const WASM_PAGE_BYTES: number = 64 * KIB;

/** Runners that wait, booted, for a plugin. */
export const DEFAULT_POOL_SIZE = 2;

/** Processes of a sandbox, warm ones included: at ten megabytes each, two thirds of a gigabyte. */
export const DEFAULT_MAX_RUNNERS = 64;

/** Processes of one plugin. */
export const DEFAULT_PLUGIN_RUNNERS = 8;

/** Time without a call after which a plugin sleeps, milliseconds: waking costs it about one. */
export const DEFAULT_SLEEP_AFTER_MS = 60_000;

/** Time for which a runner was idle before it is taken for one that waits, milliseconds: a caller in sequence comes back sooner. */
export const IDLE_GRACE_MS = 2;

/** Time that a busy runner keeps its place while others wait, milliseconds: twice a boot. */
export const LEASE_SLICE_MS = 50;

/** Runners of one plugin that are waited for: tenants come from requests, and their number is nobody's promise. */
export const MAX_WAITING_LEASES = 256;

/** Longest wait for a runner, milliseconds. */
export const MAX_LEASE_WAIT_MS = 30_000;

/** Calls after which a runner is replaced: what a plugin leaks ends here, at the price of a boot. */
export const DEFAULT_RECYCLE_CALLS = 100_000;

/** Share of a runner's data limit that it may have resident before it is replaced. */
export const RECYCLE_MEMORY_SHARE = 0.8;

/** Calls between two looks at a runner's resident memory. */
export const MEMORY_LOOK_CALLS = 64;

/** Time between two looks at the resident memory of a runner that is busy, and of one that is not, milliseconds. */
export const MEMORY_LOOK_BUSY_MS = 25;
export const MEMORY_LOOK_IDLE_MS = 250;

/** Resident memory that a runner may have besides its data limit, bytes: Node's own, of which 60 MiB were seen. */
export const RUNNER_RESIDENT_BYTES: number = 128 * MIB;

/** Modules up to this size are read back in one go, bytes: sooner done than handed to another thread. */
export const SYNC_READ_BYTES: number = 1 * MIB;

/** Time after a hand-out until the pool boots a successor, milliseconds: a boot takes a core for 25. */
export const REFILL_DELAY_MS = 10;

/** Longest path of a Unix socket on Linux and macOS, bytes (sockaddr_un less its end). */
export const MAX_SOCKET_PATH_BYTES = 100;

/** Limits of a plugin that declares none. */
export const DEFAULT_RUNNER_LIMITS = {
  memoryBytes: 64 * MIB,
  cpuMs: 5_000,
  // What fast code does in five seconds, so that the CPU limit is the tighter one for the rest.
  instructions: 100_000_000_000,
  wallMs: 30_000,
  inputBytes: 16 * MIB,
  outputBytes: 16 * MIB,
  hostCalls: 10_000,
  hostCallsPerSecond: 20_000,
  tableElements: 100_000,
} as const;
