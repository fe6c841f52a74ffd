// The functions of WASI preview 1 as they are, and the little that the programs of this suite share.
// (AssemblyScript; the name keeps TypeScript and the linter away.)

@external("wasi_snapshot_preview1", "proc_exit")
export declare function proc_exit(code: i32): void;

@external("wasi_snapshot_preview1", "args_get")
export declare function args_get(list: usize, bytes: usize): i32;

@external("wasi_snapshot_preview1", "args_sizes_get")
export declare function args_sizes_get(count: usize, bytes: usize): i32;

@external("wasi_snapshot_preview1", "environ_get")
export declare function environ_get(list: usize, bytes: usize): i32;

@external("wasi_snapshot_preview1", "environ_sizes_get")
export declare function environ_sizes_get(count: usize, bytes: usize): i32;

@external("wasi_snapshot_preview1", "clock_res_get")
export declare function clock_res_get(id: i32, result: usize): i32;

@external("wasi_snapshot_preview1", "clock_time_get")
export declare function clock_time_get(id: i32, precision: i64, result: usize): i32;

@external("wasi_snapshot_preview1", "random_get")
export declare function random_get(at: usize, length: usize): i32;

@external("wasi_snapshot_preview1", "sched_yield")
export declare function sched_yield(): i32;

@external("wasi_snapshot_preview1", "proc_raise")
export declare function proc_raise(signal: i32): i32;

@external("wasi_snapshot_preview1", "poll_oneoff")
export declare function poll_oneoff(subscriptions: usize, events: usize, count: i32, result: usize): i32;

@external("wasi_snapshot_preview1", "fd_advise")
export declare function fd_advise(fd: i32, offset: i64, length: i64, advice: i32): i32;

@external("wasi_snapshot_preview1", "fd_allocate")
export declare function fd_allocate(fd: i32, offset: i64, length: i64): i32;

@external("wasi_snapshot_preview1", "fd_close")
export declare function fd_close(fd: i32): i32;

@external("wasi_snapshot_preview1", "fd_datasync")
export declare function fd_datasync(fd: i32): i32;

@external("wasi_snapshot_preview1", "fd_fdstat_get")
export declare function fd_fdstat_get(fd: i32, result: usize): i32;

@external("wasi_snapshot_preview1", "fd_fdstat_set_flags")
export declare function fd_fdstat_set_flags(fd: i32, flags: i32): i32;

@external("wasi_snapshot_preview1", "fd_fdstat_set_rights")
export declare function fd_fdstat_set_rights(fd: i32, base: i64, inheriting: i64): i32;

@external("wasi_snapshot_preview1", "fd_filestat_get")
export declare function fd_filestat_get(fd: i32, result: usize): i32;

@external("wasi_snapshot_preview1", "fd_filestat_set_size")
export declare function fd_filestat_set_size(fd: i32, size: i64): i32;

@external("wasi_snapshot_preview1", "fd_filestat_set_times")
export declare function fd_filestat_set_times(fd: i32, accessed: i64, modified: i64, flags: i32): i32;

@external("wasi_snapshot_preview1", "fd_pread")
export declare function fd_pread(fd: i32, vectors: usize, count: i32, offset: i64, result: usize): i32;

@external("wasi_snapshot_preview1", "fd_prestat_get")
export declare function fd_prestat_get(fd: i32, result: usize): i32;

@external("wasi_snapshot_preview1", "fd_prestat_dir_name")
export declare function fd_prestat_dir_name(fd: i32, at: usize, length: usize): i32;

@external("wasi_snapshot_preview1", "fd_pwrite")
export declare function fd_pwrite(fd: i32, vectors: usize, count: i32, offset: i64, result: usize): i32;

@external("wasi_snapshot_preview1", "fd_read")
export declare function fd_read(fd: i32, vectors: usize, count: i32, result: usize): i32;

@external("wasi_snapshot_preview1", "fd_readdir")
export declare function fd_readdir(fd: i32, at: usize, length: usize, cookie: i64, result: usize): i32;

@external("wasi_snapshot_preview1", "fd_renumber")
export declare function fd_renumber(from: i32, to: i32): i32;

@external("wasi_snapshot_preview1", "fd_seek")
export declare function fd_seek(fd: i32, delta: i64, whence: i32, result: usize): i32;

@external("wasi_snapshot_preview1", "fd_sync")
export declare function fd_sync(fd: i32): i32;

@external("wasi_snapshot_preview1", "fd_tell")
export declare function fd_tell(fd: i32, result: usize): i32;

@external("wasi_snapshot_preview1", "fd_write")
export declare function fd_write(fd: i32, vectors: usize, count: i32, result: usize): i32;

@external("wasi_snapshot_preview1", "path_create_directory")
export declare function path_create_directory(fd: i32, path: usize, length: usize): i32;

@external("wasi_snapshot_preview1", "path_filestat_get")
export declare function path_filestat_get(fd: i32, lookup: i32, path: usize, length: usize, result: usize): i32;

@external("wasi_snapshot_preview1", "path_filestat_set_times")
export declare function path_filestat_set_times(fd: i32, lookup: i32, path: usize, length: usize, accessed: i64, modified: i64, flags: i32): i32;

@external("wasi_snapshot_preview1", "path_link")
export declare function path_link(fd: i32, lookup: i32, path: usize, length: usize, toFd: i32, to: usize, toLength: usize): i32;

@external("wasi_snapshot_preview1", "path_open")
export declare function path_open(fd: i32, lookup: i32, path: usize, length: usize, openFlags: i32, base: i64, inheriting: i64, flags: i32, result: usize): i32;

@external("wasi_snapshot_preview1", "path_readlink")
export declare function path_readlink(fd: i32, path: usize, length: usize, at: usize, room: usize, result: usize): i32;

@external("wasi_snapshot_preview1", "path_remove_directory")
export declare function path_remove_directory(fd: i32, path: usize, length: usize): i32;

@external("wasi_snapshot_preview1", "path_rename")
export declare function path_rename(fd: i32, path: usize, length: usize, toFd: i32, to: usize, toLength: usize): i32;

@external("wasi_snapshot_preview1", "path_symlink")
export declare function path_symlink(target: usize, targetLength: usize, fd: i32, path: usize, length: usize): i32;

@external("wasi_snapshot_preview1", "path_unlink_file")
export declare function path_unlink_file(fd: i32, path: usize, length: usize): i32;

@external("wasi_snapshot_preview1", "sock_accept")
export declare function sock_accept(fd: i32, flags: i32, result: usize): i32;

@external("wasi_snapshot_preview1", "sock_recv")
export declare function sock_recv(fd: i32, vectors: usize, count: i32, flags: i32, result: usize, outFlags: usize): i32;

@external("wasi_snapshot_preview1", "sock_send")
export declare function sock_send(fd: i32, vectors: usize, count: i32, flags: i32, result: usize): i32;

@external("wasi_snapshot_preview1", "sock_shutdown")
export declare function sock_shutdown(fd: i32, how: i32): i32;


export namespace E {
  export const OK: i32 = 0;
  export const ACCES: i32 = 2;
  export const BADF: i32 = 8;
  export const EXIST: i32 = 20;
  export const FAULT: i32 = 21;
  export const INVAL: i32 = 28;
  export const ISDIR: i32 = 31;
  export const LOOP: i32 = 32;
  export const NAMETOOLONG: i32 = 37;
  export const NOENT: i32 = 44;
  export const NOTDIR: i32 = 54;
  export const NOTEMPTY: i32 = 55;
  export const NOTSOCK: i32 = 57;
  export const NOTSUP: i32 = 58;
  export const PERM: i32 = 63;
  export const SPIPE: i32 = 70;
  export const NOTCAPABLE: i32 = 76;
}

/** Memory for results and vectors. */
export const OUT: usize = memory.data(256, 16);
const VECTOR: usize = memory.data(8, 8);
const BYTES: usize = memory.data(4096, 8);
export const ROOT: i32 = 3;
export const FOLLOW: i32 = 1;
export const CREATE: i32 = 1;
export const DIRECTORY: i32 = 2;
export const EXCLUSIVE: i32 = 4;
export const TRUNCATE: i32 = 8;
export const APPEND: i32 = 1;
export const ALL: i64 = 0x0fffffff;
export const READ: i64 = 1 << 1;
export const WRITE: i64 = 1 << 6;
/** What a program asks for that opens a file to read and write. */
export const FILE: i64 = 0x08e001ff;

/** A text in memory, as a pointer and a length. */
export class Text {
  readonly bytes: ArrayBuffer;
  constructor(text: string) {
    this.bytes = String.UTF8.encode(text);
  }
  get at(): usize {
    return changetype<usize>(this.bytes);
  }
  get length(): usize {
    return <usize>this.bytes.byteLength;
  }
}

/** One vector of one range. */
export function vector(at: usize, length: usize): usize {
  store<u32>(VECTOR, <u32>at);
  store<u32>(VECTOR, <u32>length, 4);
  return VECTOR;
}

/** Ends the program with the number of the check that failed. */
export function check(number: i32, actual: i64, expected: i64): void {
  if (actual == expected) return;
  print(2, `check ${number}: ${actual} instead of ${expected}\n`);
  proc_exit(number);
}

export function print(fd: i32, text: string): i32 {
  const bytes = new Text(text);
  return fd_write(fd, vector(bytes.at, bytes.length), 1, OUT);
}

/** The error, or the negative of the new descriptor. */
export function open(path: string, openFlags: i32, rights: i64, lookup: i32 = 0, flags: i32 = 0, fd: i32 = ROOT): i32 {
  const text = new Text(path);
  const error = path_open(fd, lookup, text.at, text.length, openFlags, rights, ALL, flags, OUT);
  return error == 0 ? -(<i32>load<u32>(OUT)) : error;
}

/** Reads from where the descriptor stands. */
export function read(fd: i32): string {
  if (fd_read(fd, vector(BYTES, 4096), 1, OUT) != 0) return "(error)";
  return String.UTF8.decodeUnsafe(BYTES, load<u32>(OUT));
}

export function size(path: string, lookup: i32 = 0): i64 {
  const text = new Text(path);
  const error = path_filestat_get(ROOT, lookup, text.at, text.length, OUT);
  return error == 0 ? load<i64>(OUT, 32) : -error;
}

export function mkdir(path: string): i32 {
  const text = new Text(path);
  return path_create_directory(ROOT, text.at, text.length);
}

export function rmdir(path: string): i32 {
  const text = new Text(path);
  return path_remove_directory(ROOT, text.at, text.length);
}

export function unlink(path: string): i32 {
  const text = new Text(path);
  return path_unlink_file(ROOT, text.at, text.length);
}

export function rename(from: string, to: string): i32 {
  const source = new Text(from);
  const target = new Text(to);
  return path_rename(ROOT, source.at, source.length, ROOT, target.at, target.length);
}

export function symlink(target: string, path: string): i32 {
  const text = new Text(target);
  const name = new Text(path);
  return path_symlink(text.at, text.length, ROOT, name.at, name.length);
}

export function abort(message: string | null, file: string | null, line: u32, column: u32): void {
  proc_exit(255);
}
