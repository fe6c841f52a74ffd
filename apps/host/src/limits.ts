/** @module Every bound of the host, with its unit and the reason for the number. */

const KIB = 1024;
const MIB = 1024 * KIB;

/** Bytes of a call's input: the runtime's own default. */
export const MAX_INPUT_BYTES: number = 16 * MIB;

/** Bytes that the envelope of a JSON body adds to its input: a context has 16 KiB, and its ids. */
export const MAX_ENVELOPE_BYTES: number = 64 * KIB;

/** Bytes of all request bodies that are held at once: a flood of callers must not fill the memory. */
export const MAX_HELD_BODY_BYTES: number = 256 * MIB;

/** Bytes of all answers to calls that are held because their callers have not read them yet. */
export const MAX_HELD_ANSWER_BYTES: number = 256 * MIB;

/** Bytes of answers that have to be left for a call to begin: the runtime's default largest output. */
export const MIN_LEFT_ANSWER_BYTES: number = 16 * MIB;

/** Bytes of an answer that are handed to the connection at once; this much it holds by itself. */
export const ANSWER_PIECE_BYTES: number = 64 * KIB;

/**
 * Milliseconds in which an answer must have been read, from its beginning: 16 MiB at 4 Mbit/s. A
 * deadline and no idle time, so that a byte now and then does not extend it. The call has its own
 * limits before that.
 */
export const ANSWER_TIMEOUT_MS = 35_000;

/** Nesting of a JSON body, and of an output that is shown as JSON. */
export const MAX_JSON_DEPTH = 64;

/** Object members of a JSON body, and of an output that is shown as JSON. */
export const MAX_JSON_KEYS = 100_000;

/**
 * Array items of a JSON body, and of an output that is shown as JSON: two such texts in one call keep
 * every other request waiting for less than half a second.
 */
export const MAX_JSON_ITEMS = 500_000;

/** Bytes of a request's head: node's own default, stated so that a flag does not raise it. */
export const MAX_HEADER_BYTES: number = 16 * KIB;

/** Headers of a request. */
export const MAX_HEADERS = 100;

/** Connections at once, of which most are idle. */
export const MAX_CONNECTIONS = 512;

/** Milliseconds in which a request's head must be there (slowloris). */
export const HEADERS_TIMEOUT_MS = 10_000;

/** Milliseconds in which the whole request must be there: 16 MiB at 4 Mbit/s. */
export const REQUEST_TIMEOUT_MS = 35_000;

/** Milliseconds that an idle connection is kept. */
export const KEEP_ALIVE_TIMEOUT_MS = 5_000;

/** Milliseconds between looks for connections that are late. */
export const TIMEOUT_CHECK_INTERVAL_MS = 1_000;

/** Milliseconds between looks for connections that have become idle while the host shuts down. */
export const IDLE_CHECK_INTERVAL_MS = 50;

/** Milliseconds that running calls have to end after a signal to stop; then they are stopped. */
export const DRAIN_DEADLINE_MS = 10_000;

/** Milliseconds that closing the runtime may take after that. */
export const CLOSE_DEADLINE_MS = 5_000;

/** Seconds for Retry-After where the refusal says nothing better. */
export const DEFAULT_RETRY_AFTER_S = 1;

/** Seconds that the sample token of the example plugin `auth` is valid: one day. */
export const SAMPLE_TOKEN_SECONDS: number = 24 * 60 * 60;

/** Characters of a sample's answer that are printed. */
export const MAX_SHOWN_ANSWER_CHARACTERS = 300;

/** Bytes of a policy: 2,048 patterns of the longest names. */
export const MAX_POLICY_BYTES: number = MIB;

/** Entries of one list of a policy; the capability broker has lower limits for some. */
export const MAX_POLICY_LIST = 10_000;

/** Bytes of the key that seals approvals: those of its hash, SHA-256. */
export const SEAL_KEY_BYTES = 32;

/** Bytes of an operator's token: nobody guesses 256 bits. */
export const OPERATOR_TOKEN_BYTES = 32;

/** Bytes of the file of approvals: 64 plugins with the longest lists of hosts. */
export const MAX_APPROVALS_FILE_BYTES: number = 16 * MIB;

/** Bytes of an answer of the host that a command reads. */
export const MAX_HOST_ANSWER_BYTES: number = 16 * MIB;

/** Milliseconds that a command waits for the host: a plugin's load lies between. */
export const HOST_ANSWER_TIMEOUT_MS = 60_000;

/** Bytes of a package or module that a command reads: the runtime's largest. */
export const MAX_PACKAGE_BYTES: number = 64 * MIB;

/** Bytes of a key, a head or another small file that a command reads. */
export const MAX_SMALL_FILE_BYTES: number = 64 * KIB;

/** Receivers of audit events; each reads the log by itself. */
export const MAX_AUDIT_SINKS = 16;

/** Logs that a host is witness for: three for each of thirty hosts. */
export const MAX_WITNESSED_LOGS = 100;

/** Milliseconds until a database that does not answer is tried again. */
export const SINK_CONNECT_MS = 10_000;

/** Milliseconds that a database may take for a batch: less than the auditor waits for a sink. */
export const SINK_QUERY_MS = 25_000;

/** Bytes of evidence of two histories: two notes of tlog's largest size, and their proof. */
export const MAX_EVIDENCE_BYTES: number = 1024 * KIB;
