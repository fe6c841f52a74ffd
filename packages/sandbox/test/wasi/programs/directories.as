// Folders: what is in them, and what can be done with their names.
import { ALL, check, CREATE, DIRECTORY, E, fd_prestat_dir_name, fd_prestat_get, fd_read, fd_readdir, FILE, mkdir, open, OUT, rename, rmdir, ROOT, size, unlink, vector } from "./wasi";

const bytes = memory.data(1024, 8);

/** Names from a place on, and the place after the last. */
let next: i64 = 0;
function list(fd: i32, room: usize, cookie: i64): string {
  check(1, fd_readdir(fd, bytes, room, cookie, OUT), E.OK);
  const used = load<u32>(OUT);
  let names = "";
  for (let at: usize = 0; at + 24 <= used; ) {
    const length = load<u32>(bytes + at, 16);
    if (at + 24 + length > used) break;
    names += String.UTF8.decodeUnsafe(bytes + at + 24, length) + (load<u8>(bytes + at, 20) == 3 ? "/ " : " ");
    next = load<i64>(bytes + at);
    at += 24 + length;
  }
  return names;
}

check(2, fd_prestat_get(ROOT, OUT), E.OK);
check(3, load<u32>(OUT, 4), 1);
check(4, fd_prestat_dir_name(ROOT, OUT, 0), E.NAMETOOLONG);
check(5, fd_prestat_dir_name(ROOT, OUT, 1) + load<u8>(OUT), 0x2f);
check(6, fd_prestat_get(4, OUT), E.BADF);
check(7, mkdir("made"), E.OK);
check(8, mkdir("made"), E.EXIST);
check(9, open("made/one", CREATE, FILE) < 0 ? 1 : 0, 1);
check(10, mkdir("made/two"), E.OK);
const folder = -open("made", DIRECTORY, ALL & ~0x40);
check(11, list(folder, 1024, 0) == "./ ../ one two/ " ? 1 : 0, 1);
// Room for one name at a time, and for less than one.
let names = list(folder, 30, 0);
for (let turn = 0; turn < 3; turn++) names += list(folder, 30, next);
check(12, names == "./ ../ one two/ " ? 1 : 0, 1);
check(13, list(folder, 1024, next).length, 0);
check(14, fd_readdir(folder, bytes, 10, 0, OUT) + load<u32>(OUT), 10);
check(15, fd_read(folder, vector(bytes, 1), 1, OUT), E.NOTCAPABLE);
check(16, open("made", 0, FILE), E.ISDIR);
check(17, open("a.txt", DIRECTORY, 0), E.NOTDIR);
check(18, rmdir("made"), E.NOTEMPTY);
check(19, rmdir("a.txt"), E.NOTDIR);
check(20, unlink("made"), E.ISDIR);
check(21, rename("made/one", "made/two"), E.ISDIR);
check(22, rename("made/two", "made/one"), E.NOTDIR);
check(23, rename("made/one", "a.txt"), E.OK);
check(24, size("a.txt"), 0);
check(25, rename("made/", "moved/"), E.OK);
check(26, rmdir("moved/two"), E.OK);
check(27, rmdir("moved/"), E.OK);
check(28, rmdir("moved"), E.NOENT);
check(29, size("folder/./../folder/inner.txt"), 5);
check(30, size("folder/inner.txt/../inner.txt"), -E.NOTDIR);
check(31, size("absent/../a.txt"), -E.NOENT);
check(32, size("folder/../../a.txt"), -E.NOTCAPABLE);
check(33, size("/a.txt"), -E.NOTCAPABLE);
check(34, size(""), -E.NOENT);
