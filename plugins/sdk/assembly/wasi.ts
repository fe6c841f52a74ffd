/** @module The imports of `wasi_snapshot_preview1` that this library uses; 0 is success, all else an errno. */

@external("wasi_snapshot_preview1", "path_open")
export declare function pathOpen(
  folder: i32,
  lookupFlags: i32,
  path: usize,
  pathLength: usize,
  openFlags: i32,
  rights: u64,
  inheritedRights: u64,
  flags: i32,
  descriptor: usize,
): i32;
@external("wasi_snapshot_preview1", "fd_read")
export declare function fdRead(descriptor: i32, ranges: usize, count: usize, done: usize): i32;
@external("wasi_snapshot_preview1", "fd_write")
export declare function fdWrite(descriptor: i32, ranges: usize, count: usize, done: usize): i32;
@external("wasi_snapshot_preview1", "fd_close")
export declare function fdClose(descriptor: i32): i32;
