/** @module Every bound of this package, with its unit and the reason for the number. */

/** Bytes of one event: what an entry of a C2SP tlog-tiles log can hold, where this log is going. */
export const MAX_EVENT_BYTES = 65_535;

/** Bytes around an event in its line: two digests, index, time and the names of the members. */
export const MAX_LINE_OVERHEAD_BYTES = 256;

/** Bytes of a line without its line feed. */
export const MAX_LINE_BYTES: number = MAX_EVENT_BYTES + MAX_LINE_OVERHEAD_BYTES;

/** Events that may wait by default: one second of a busy host, at a few microseconds each. */
export const DEFAULT_MAX_QUEUED_EVENTS = 65_536;

/** The smallest queue: below it there is no room to keep for anyone. */
export const MIN_QUEUED_EVENTS = 8;

/** The largest queue: a million events of 300 bytes are the memory of a small host. */
export const MAX_QUEUED_EVENTS = 1_048_576;

/** Bytes that may wait, whatever their number: bounds the memory that large events can take. */
export const MAX_QUEUED_BYTES = 33_554_432;

/** One part in this many of the queue is kept for the kinds with `reserved` in the table. */
export const RESERVED_SHARE = 8;

/** Milliseconds after which a full queue is worth another try: several syncs of a slow disk. */
export const QUEUE_RETRY_AFTER_MS = 50;

/**
 * Milliseconds that events wait for others when nobody waits for them: with durability `async` this
 * much more can be lost, and a host that is busy syncs five hundred times a second at most.
 */
export const COMMIT_DELAY_MS = 2;

/** Bytes of one batch: large enough that a sync costs little per event, small enough to hash fast. */
export const MAX_BATCH_BYTES = 524_288;

/** Bytes read back at opening, to check that the log's end is whole; the rest is for `verify`. */
export const RECOVERY_WINDOW_BYTES = 4_194_304;

/** Bytes per read while verifying. */
export const READ_CHUNK_BYTES = 262_144;

/** Bytes of a lock file; ours has about 250. */
export const MAX_LOCK_BYTES = 4_096;

/** Characters of an origin. */
export const MAX_ORIGIN_CHARACTERS = 128;
