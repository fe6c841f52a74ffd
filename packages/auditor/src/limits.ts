/** @module Every bound of this package, with its unit and the reason for the number. */

/** Bytes of one entry: what the two bytes of its length in a bundle can say (C2SP tlog-tiles). */
export const MAX_ENTRY_BYTES = 65_535;

/** Bytes of a bundle of 256 entries with their lengths. */
export const MAX_BUNDLE_BYTES: number = 256 * (2 + MAX_ENTRY_BYTES);

/** Entries that may wait by default: one second of a busy host, at a few microseconds each. */
export const DEFAULT_MAX_QUEUED_ENTRIES = 65_536;

/** The smallest queue: below it there is no room to keep for anyone. */
export const MIN_QUEUED_ENTRIES = 8;

/** The largest queue: a million events of 300 bytes are the memory of a small host. */
export const MAX_QUEUED_ENTRIES = 1_048_576;

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

/**
 * Bytes of a write-ahead segment by default, after which tiles stand in for it: some forty thousand
 * events, which recovery reads and hashes in a quarter of a second. A log has two or three of them.
 */
export const DEFAULT_SEGMENT_BYTES = 16_777_216;

/** The smallest segment: less than a bundle of small entries would begin anew all the time. */
export const MIN_SEGMENT_BYTES = 16_384;

/** The largest segment: some seconds of recovery. */
export const MAX_SEGMENT_BYTES = 1_073_741_824;

/** Bytes of tiles that may wait to be written before committing waits for them. */
export const MAX_PENDING_TILE_BYTES = 16_777_216;

/** Bytes that are written without a thread: a copy into the page cache of a fraction of a millisecond. */
export const MAX_DIRECT_WRITE_BYTES = 1_048_576;

/** Tiles that are synced at a time: half of the threads that Node.js has, for entries come first. */
export const PARALLEL_SYNCS = 2;

/** Milliseconds between checkpoints when nobody waits for one. */
export const DEFAULT_SEAL_INTERVAL_MS = 100;

/** The same where witnesses are asked, over a network, for each of them. */
export const DEFAULT_WITNESSED_SEAL_INTERVAL_MS = 1_000;

/** Milliseconds until a key or a quorum that could not be reached is tried again, at least. */
export const SEAL_RETRY_MS = 1_000;

/** The longest interval: a day without a checkpoint is a day that can be rewritten. */
export const MAX_SEAL_INTERVAL_MS = 86_400_000;

/** Bytes per read in recovery and verification. */
export const READ_CHUNK_BYTES = 4_194_304;

/** Bytes of a checkpoint or a note about a key or the minimum index; tlog's bound on notes. */
export const MAX_CHECKPOINT_BYTES = 262_144;

/** Keys of a log in its life. */
export const MAX_LOG_KEYS = 100;

/** Bytes of a lock file; ours has about 250. */
export const MAX_LOCK_BYTES = 4_096;

/** Characters of an origin. */
export const MAX_ORIGIN_CHARACTERS = 128;

/** Personal fields of one event besides the id: a person's name, address, number, and some more. */
export const MAX_PERSONAL_FIELDS = 32;

/** Keys of persons in memory: those of a busy minute; others are read from their file. */
export const MAX_CACHED_SUBJECT_KEYS = 4_096;

/** Keys that may wait to be written; each takes a few syncs, so that these are seconds. */
export const MAX_PENDING_SUBJECT_KEYS = 4_096;

/** Plugins whose event budgets are remembered; one that is forgotten starts with a full one. */
export const MAX_TRACKED_PLUGINS = 1_024;

/** Kinds of equal denials that are counted apart for one plugin; the last counts all others. */
export const MAX_FOLDS_PER_PLUGIN = 16;

/** Milliseconds after which what was counted is written: the most that a dying host can lose of it. */
export const FOLD_WINDOW_MS = 1_000;

/** Characters of a person's id: an address, a distinguished name, a URI. */
export const MAX_PERSON_CHARACTERS = 1_024;

/** Bytes kept free for operators and defences by default: some ten thousand of their events. */
export const DEFAULT_DISK_RESERVE_BYTES = 16_777_216;

/** Bytes of events after which the disk is looked at again: far less than the reserve. */
export const DISK_CHECK_BYTES = 4_194_304;

/** Milliseconds after which it is looked at again whatever was written: others write, too. */
export const DISK_CHECK_MS = 1_000;

/** Milliseconds after which a disk that was full is worth another try. */
export const DISK_RETRY_AFTER_MS = 5_000;

/** Events of one page: what a page of a dashboard or a command shows at most. */
export const MAX_PAGE_EVENTS = 10_000;

/** Entries that a reader of a tail may be behind by default: a few megabytes of the log. */
export const DEFAULT_TAIL_LAG_EVENTS = 10_000;

/** Legal holds that can stand at once. */
export const MAX_HOLDS = 1_000;

/** Bytes of the file of holds: a thousand, with reasons of a few hundred characters. */
export const MAX_HOLD_FILE_BYTES = 1_048_576;

/** Milliseconds between scheduled clean-ups by default: a day. */
export const DEFAULT_CLEAN_UP_MS = 86_400_000;

/** The least: a clean-up reads the beginning of each log. */
export const MIN_CLEAN_UP_MS = 1_000;

/** Milliseconds until the first one at the latest: when a host that was just started has settled. */
export const FIRST_CLEAN_UP_MS = 600_000;

/** Entries that a sink is sent at once: a bundle. */
export const SINK_BATCH_ENTRIES = 256;

/** Milliseconds until a sink that failed is tried again; doubles each time. */
export const SINK_RETRY_MIN_MS = 1_000;

/** Where the doubling ends. */
export const SINK_RETRY_MAX_MS = 60_000;

/** Milliseconds that a sink may take for one batch. */
export const SINK_TIMEOUT_MS = 30_000;

/** Milliseconds in which a receiver of syslog refuses a client, once a connection by TLS 1.3. */
export const SYSLOG_ACCEPT_MS = 1_000;

/** Milliseconds between two events about the losses of one sink. */
export const SINK_LOSS_REPORT_MS = 60_000;

/** Bytes of a receiver's answer that are read. */
export const MAX_SINK_ANSWER_BYTES = 65_536;

/** Events that an export reads at once. */
export const EXPORT_PAGE_EVENTS = 256;
