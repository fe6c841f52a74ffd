/**
 * @module Rights of WASI preview 1 descriptors (witx, `rights`). They are what a program lets itself
 * do with a descriptor, and only ever shrink; what it may do at all is decided by the grant, in the
 * host, at each use.
 */

const NAMES = [
  "FD_DATASYNC",
  "FD_READ",
  "FD_SEEK",
  "FD_FDSTAT_SET_FLAGS",
  "FD_SYNC",
  "FD_TELL",
  "FD_WRITE",
  "FD_ADVISE",
  "FD_ALLOCATE",
  "PATH_CREATE_DIRECTORY",
  "PATH_CREATE_FILE",
  "PATH_LINK_SOURCE",
  "PATH_LINK_TARGET",
  "PATH_OPEN",
  "FD_READDIR",
  "PATH_READLINK",
  "PATH_RENAME_SOURCE",
  "PATH_RENAME_TARGET",
  "PATH_FILESTAT_GET",
  "PATH_FILESTAT_SET_SIZE",
  "PATH_FILESTAT_SET_TIMES",
  "FD_FILESTAT_GET",
  "FD_FILESTAT_SET_SIZE",
  "FD_FILESTAT_SET_TIMES",
  "PATH_SYMLINK",
  "PATH_REMOVE_DIRECTORY",
  "PATH_UNLINK_FILE",
  "POLL_FD_READWRITE",
] as const;

/** Names of the rights; those of sockets are left out, since nothing grants one. */
export type RightName = (typeof NAMES)[number];

/** The bit of each right. */
export const RIGHT: Readonly<Record<RightName, bigint>> = Object.freeze(
  // oxlint-disable-next-line no-unsafe-type-assertion -- one entry for each name
  Object.fromEntries(NAMES.map((name, bit) => [name, 1n << BigInt(bit)])) as Record<
    RightName,
    bigint
  >,
);

const of = (...names: readonly RightName[]): bigint =>
  names.reduce((bits, name) => bits | RIGHT[name], 0n);

/** What can be done with an open file. */
export const FILE_RIGHTS: bigint = of(
  "FD_DATASYNC",
  "FD_READ",
  "FD_SEEK",
  "FD_FDSTAT_SET_FLAGS",
  "FD_SYNC",
  "FD_TELL",
  "FD_WRITE",
  "FD_ADVISE",
  "FD_ALLOCATE",
  "FD_FILESTAT_GET",
  "FD_FILESTAT_SET_SIZE",
  "FD_FILESTAT_SET_TIMES",
  "POLL_FD_READWRITE",
);

/** What can be done with an open directory. */
export const DIRECTORY_RIGHTS: bigint = of(
  "FD_FDSTAT_SET_FLAGS",
  "FD_SYNC",
  "FD_DATASYNC",
  "FD_READDIR",
  "FD_FILESTAT_GET",
  "FD_FILESTAT_SET_TIMES",
  "PATH_CREATE_DIRECTORY",
  "PATH_CREATE_FILE",
  "PATH_LINK_SOURCE",
  "PATH_LINK_TARGET",
  "PATH_OPEN",
  "PATH_READLINK",
  "PATH_RENAME_SOURCE",
  "PATH_RENAME_TARGET",
  "PATH_FILESTAT_GET",
  "PATH_FILESTAT_SET_SIZE",
  "PATH_FILESTAT_SET_TIMES",
  "PATH_SYMLINK",
  "PATH_REMOVE_DIRECTORY",
  "PATH_UNLINK_FILE",
);

/** Every right there is: what is asked for beyond these is ignored, as programs ask for all bits. */
export const ALL_RIGHTS: bigint = FILE_RIGHTS | DIRECTORY_RIGHTS;

/** What can be done with standard input. */
export const INPUT_RIGHTS: bigint = of("FD_READ", "FD_FILESTAT_GET", "POLL_FD_READWRITE");

/** What can be done with standard output and standard error. */
export const OUTPUT_RIGHTS: bigint = of("FD_WRITE", "FD_FILESTAT_GET", "POLL_FD_READWRITE");
