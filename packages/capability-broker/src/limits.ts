/**
 * @module Every bound of this package, with its unit and the reason for the number. What a policy
 * may change says so; the rest holds for everybody.
 */

/** Grants that one broker holds at a time: more than a host has plugins. */
export const MAX_GRANTS = 10_000;

/** Bytes of a key that seals approvals: that of its hash. */
export const MIN_SEAL_KEY_BYTES = 32;

/** Entries of a list, of at most 200 characters each, in one event of the log. */
export const MAX_RECORDED_ENTRIES = 16;

/** Characters of a raw URL: what common servers and proxies still take. */
export const MAX_URL_CHARACTERS = 8_192;
/** Octets of a host name (RFC 1035 section 2.3.4). */
export const MAX_NAME_OCTETS = 253;
/** Octets of one label (RFC 1035 section 2.3.4). */
export const MAX_LABEL_OCTETS = 63;
/** Host patterns of one request, policy or approval. */
export const MAX_PATTERNS = 2_048;
/** Folders, methods and the like of one request or policy: their meets compare all pairs. */
export const MAX_LIST_ENTRIES = 256;
/** Addresses of one answer; more is a hostile or broken zone. */
export const MAX_ANSWER_ADDRESSES = 64;

/** Request headers of one request. */
export const MAX_REQUEST_HEADERS = 100;
/** Bytes of all request header names and values: Node's own bound for a head. */
export const MAX_REQUEST_HEAD_BYTES = 16_384;
/** Headers of one response. */
export const MAX_RESPONSE_HEADERS = 100;
/** Trailers of one response. */
export const MAX_TRAILERS = 20;
/** 1xx responses before the final one (RFC 9110 section 15.2 sets none). */
export const MAX_INFORMATIONAL = 20;
/** Bytes buffered in each direction of one exchange (contract.md 7). */
export const MAX_BUFFERED_BYTES = 262_144;
/** Reading from the socket pauses here: a chunk in flight (at most 64 KiB) still fits above. */
export const PAUSE_READING_BYTES = 131_072;
/** Decoded bytes below which the ratio to encoded ones is not asked: short texts repeat much. */
export const RATIO_GRACE_BYTES = 524_288;
/** Logarithm of the largest zstd window: 8 MiB, the least that RFC 8878 section 3.1.1.1.2 asks for. */
export const MAX_ZSTD_WINDOW_LOG = 23;
/** Clear-text bytes outside a body (heads, 1xx, chunk framing, trailers), besides a quarter of it. */
export const MAX_OVERHEAD_BYTES = 16_384;
/** Milliseconds over which the rate of a body is measured. */
export const RATE_WINDOW_MS = 5_000;
/** Milliseconds for which the host's own addresses are remembered: reading them takes 0.2 ms. */
export const LOCAL_ADDRESSES_MS = 1_000;
/** Characters of a secret: below, its base64 form would be found by chance. */
export const MIN_SECRET_BYTES = 8;
/** Characters of a secret: the search holds three times as much back. */
export const MAX_SECRET_BYTES = 4_096;
/** Milliseconds that an idle connection is kept for its grant. */
export const KEEP_ALIVE_MS = 4_000;

/** Default limits of a network grant; a policy may change each. */
export const DEFAULT_NETWORK_LIMITS = {
  /** Milliseconds for a look-up. */
  resolveTimeoutMs: 5_000,
  /** Milliseconds for TCP and TLS together. */
  connectTimeoutMs: 10_000,
  /** Milliseconds from the request's end to the response's head. */
  firstByteTimeoutMs: 30_000,
  /** Milliseconds without a byte while the plugin waits for one. */
  idleTimeoutMs: 15_000,
  /** Milliseconds for the whole exchange, so that a slow drip ends too. */
  totalTimeoutMs: 60_000,
  /** Bytes per second: slower than any line, faster than a byte now and then. */
  minBytesPerSecond: 50,
  /** Bytes of a request's body. */
  maxRequestBytes: 10 * 1_048_576,
  /** Bytes of a response's body, as they come. */
  maxResponseBytes: 10 * 1_048_576,
  /** Bytes of a response's body after decoding. */
  maxDecodedBytes: 10 * 1_048_576,
  /** Bytes of a response's head: Node's own bound. */
  maxHeadBytes: 16_384,
  /** Decoded over encoded: text comes to 20, a bomb to 1,000. */
  maxRatio: 100,
  /** Layers of content coding: one is usual, two happen by mistake. */
  maxCodings: 2,
  /** Redirects that are followed. */
  maxRedirects: 5,
  /** Exchanges of one grant at a time. */
  maxConcurrent: 16,
  /** Requests of one grant per minute. */
  maxRequestsPerMinute: 600,
  /** Look-ups of one grant per minute: names carry data, too. */
  maxLookUpsPerMinute: 600,
} as const;

/** Characters of a guest path (PATH_MAX of Linux). */
export const MAX_PATH_CHARACTERS = 4_096;
/** Bytes of one component (NAME_MAX of Linux). */
export const MAX_COMPONENT_BYTES = 255;
/** Entries of one folder that a listing reads before it refuses. */
export const MAX_FOLDER_ENTRIES = 10_000;
/** Entries of one page of a listing. */
export const MAX_PAGE_ENTRIES = 1_000;
/** Bytes of one read or write on a handle. */
export const MAX_TRANSFER_BYTES = 1_048_576;
/** Bytes up to which a read takes a buffer without asking how much there is. */
export const SMALL_READ_BYTES = 65_536;
/** Entries counted below a root before its quota is called unknowable. */
export const MAX_COUNTED_ENTRIES = 100_000;
/** Links followed on the way to one object (as Linux: path_resolution(7)). */
export const MAX_FOLLOWED_LINKS = 40;
/** Tries of an open that the kernel could not judge because of a rename at that moment. */
export const MAX_RACED_OPENS = 8;
/** Threads that do file work; each host directory belongs to one of them. */
export const MAX_FILE_WORKERS = 4;
/** Requests that one file worker has at a time, so that it need not wait for the next. */
export const MAX_SENT_REQUESTS = 8;
/** Requests that wait for one file worker. */
export const MAX_WAITING_REQUESTS = 256;
/** Requests of one grant that wait or run. */
export const MAX_REQUESTS_PER_GRANT = 64;
/** Bytes of the writes that wait for one file worker. */
export const MAX_WAITING_BYTES = 16 * 1_048_576;
/** Threads that a disk holds up, beyond which its directories are refused until it answers. */
export const MAX_STALLED_WORKERS = 4;
/** Milliseconds for one file operation, of which the largest moves 1 MiB or counts 100,000 names. */
export const FILE_OPERATION_TIMEOUT_MS = 10_000;
/** Descriptors that one file worker keeps open: handles, folders, locks. */
export const MAX_KEPT_DESCRIPTORS = 2_048;
/** MiB of a file worker's heap. */
export const FILE_WORKER_HEAP_MIB = 128;
/** Bytes of a chunk that a scanner is given of a file. */
export const INSPECTED_CHUNK_BYTES = 65_536;

/** Stars of one name pattern: matching may take the name's length to this power. */
export const MAX_NAME_PATTERN_STARS = 2;

/** Default limits of a root; a policy may change each. */
export const DEFAULT_ROOT_LIMITS = {
  /** Bytes of one file, for reading and writing alike. */
  maxFileBytes: 16 * 1_048_576,
  /** Bytes of all regular files below the host root, shared by every grant on it. */
  quotaBytes: 256 * 1_048_576,
  /** Files, folders and links below the host root, shared by every grant on it. */
  maxFiles: 1_000,
  /** Components below the guest prefix. */
  maxDepth: 32,
} as const;

/** Default totals of file work; a policy may change each. */
export const DEFAULT_FILE_TOTALS = {
  /** Handles that a grant holds open at a time. */
  maxOpenFiles: 64,
  /** Bytes that one call reads in all. */
  maxReadBytesPerCall: 256 * 1_048_576,
  /** Bytes that one call writes in all. */
  maxWrittenBytesPerCall: 64 * 1_048_576,
} as const;
