/** @module Every bound of the runtime, with its unit and the reason for the number. */

const KIB = 1024;
const MIB = 1024 * KIB;

/** Bytes of a plugin package's files in all: the largest real modules have a few MiB. */
export const DEFAULT_MAX_PLUGIN_SIZE_BYTES: number = 10 * MIB;

/** The largest value of that option, bytes: a package is held in memory. */
export const MAX_PLUGIN_SIZE_BYTES: number = 64 * MIB;

/** Files of a package: the signer lists as many, and a person can still look through them. */
export const MAX_PACKAGE_FILES = 1_000;

/** Directories below each other in a package. */
export const MAX_PACKAGE_DEPTH = 16;

/** Bytes of a path in a package: far below PATH_MAX (4,096). */
export const MAX_PACKAGE_PATH_BYTES = 1_024;

/** Bytes of one pax header: a path, a size and a few times. */
export const MAX_PAX_HEADER_BYTES: number = 8 * KIB;

/** Bytes that headers and padding add to an archive's files: three blocks of 512 for each entry. */
export const MAX_TAR_OVERHEAD_BYTES: number = 2 * MAX_PACKAGE_FILES * 1_536 + 20 * KIB;

/** Plugins that may be loaded at once: each holds a process of about 10 MB. */
export const DEFAULT_MAX_CONCURRENT_PLUGINS = 64;

/** Linear memory of a plugin that asks for none, bytes: the specification's example. */
export const DEFAULT_MEMORY_LIMIT_BYTES: number = 64 * MIB;

/** CPU time of one call of a plugin that asks for none, milliseconds: as above. */
export const DEFAULT_CPU_LIMIT_MS = 5_000;

/** Instructions of one call of a plugin that asks for none, units of fuel: what fast code does in five seconds. */
export const DEFAULT_INSTRUCTION_LIMIT = 100_000_000_000;

/**
 * Instructions per millisecond of CPU time that a call without a count is charged: at least what
 * slow code does that waits for memory, at most what the fastest does.
 */
export const MIN_INSTRUCTIONS_PER_MS = 50_000;
export const MAX_INSTRUCTIONS_PER_MS = 30_000_000;

/** Bytes of linear memory in a page. */
export const WASM_PAGE_BYTES: number = 64 * KIB;

/** Elements of a plugin's table: the sandbox's limit. */
export const MAX_TABLE_ELEMENTS = 100_000;

/** Threads that prepare modules at once: more would take cores from calls. */
export const MAX_MODULE_THREADS = 2;

/** Time that such a thread may take for one step of a module, milliseconds: 64 MiB take about five seconds. */
export const MODULE_THREAD_DEADLINE_MS = 60_000;

/** What of a package's files is digested in one turn of the event loop, bytes: about 0.7 ms. */
export const PACKAGE_TURN_BYTES: number = 1024 * 1024;

/** What of a module is handed to such a thread in one turn of the event loop, bytes: copying 14 MB at once takes 5 ms and more. */
export const MODULE_PIECE_BYTES: number = 1024 * 1024;

/** Its JavaScript heap, MiB; most of what it works on lies outside, in proportion to the module. */
export const MODULE_THREAD_HEAP_MIB = 512;

/** Time without work after which it ends, milliseconds: starting it takes about fifty. */
export const MODULE_THREAD_IDLE_MS = 10_000;

/** Places where one version of a plugin trapped that are looked up for the log: each takes metering it again. */
export const MAX_TRAPS_LOCATED = 8;

/** Places of all plugins that wait to be looked up; each keeps the bytes of its package. */
export const MAX_TRAPS_WAITING = 16;

/** Bytes of metered modules that are kept for later loads. */
export const MAX_METERED_CACHE_BYTES: number = 64 * MIB;

/** Wall time of one call, host calls included, milliseconds. */
export const DEFAULT_WALL_LIMIT_MS = 30_000;

/** Bytes of one call's input, and of its output. */
export const DEFAULT_MAX_PAYLOAD_BYTES: number = 16 * MIB;

/** The largest value of these two options, bytes: what a runner's queue holds. */
export const MAX_PAYLOAD_BYTES: number = 256 * MIB;

/** Nesting and object members of JSON that is checked against a schema. */
export const MAX_JSON_DEPTH = 64;
export const MAX_JSON_KEYS = 100_000;

/** Characters of a request's or a user's id. */
export const MAX_CONTEXT_ID_CHARACTERS = 128;

/** Bytes of `custom` as JSON: it travels with each call. */
export const MAX_CUSTOM_BYTES: number = 16 * KIB;

/** Bytes of one plugin's variables for one tenant: Extism's usual allowance. */
export const MAX_VARIABLE_BYTES: number = 1 * MIB;

/** Variables of one plugin for one tenant. */
export const MAX_VARIABLES = 1_024;

/** Bytes of one plugin's variables for all of its tenants: bounds a flood of tenants. */
export const MAX_VARIABLE_BYTES_PER_PLUGIN: number = 64 * MIB;

/** What each variable and each tenant's table costs besides its bytes, bytes. */
export const VARIABLE_OVERHEAD_BYTES = 128;

/** Characters of a plugin's log line that are kept. */
export const MAX_PLUGIN_LOG_CHARACTERS = 4_096;

/** Loads that wait for an approval, each with its package: as many as plugins by default. */
export const MAX_WAITING_LOADS = 64;

/** Characters of a reason that an operator gives. */
export const MAX_REASON_CHARACTERS = 500;

/** Milliseconds that an old version may take to finish its calls before it is ended. */
export const DRAIN_DEADLINE_MS = 30_000;

/** Wrong messages about one value that a refusal lists. */
export const MAX_SCHEMA_MESSAGES = 5;

/**
 * Parts of a schema times values that it is checked against. A check that fails in every part takes
 * 0.2 µs for each, so that the host stands still for about a second at most.
 */
export const MAX_SCHEMA_WORK = 5_000_000;
/** Characters of text that count as one more value: what a pattern reads in the time of a check. */
export const SCHEMA_WORK_CHARACTERS = 16;
/** Ways of a pattern to match a text that count as one more part: 30 ns each at worst. */
export const SCHEMA_WORK_WAYS = 8;

/** Throttle of a plugin that floods the audit log: a tenth of its speed is left. */
export const FLOOD_THROTTLE_LEVEL = 0.9;

/** Milliseconds for which it is slowed down; a flood that goes on begins them anew. */
export const FLOOD_THROTTLE_MS = 10_000;

/** Changes of a plugin's request in one event: the rest stands in its warnings. */
export const MAX_RECORDED_CHANGES = 16;
