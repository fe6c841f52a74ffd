// Links stay inside their folder, and are followed only when a program asks for it.
import { check, DIRECTORY, E, FILE, FOLLOW, mkdir, open, OUT, path_link, path_readlink, ROOT, size, symlink, Text, unlink } from "./wasi";

const bytes = memory.data(64, 8);

check(1, symlink("folder/inner.txt", "to-file"), E.OK);
check(2, symlink("folder", "to-folder"), E.OK);
check(3, symlink("folder", "to-folder"), E.EXIST);
check(4, open("to-file", 0, 2), E.LOOP);
check(5, open("to-file", 0, 2, FOLLOW) < 0 ? 1 : 0, 1);
check(6, size("to-file", FOLLOW), 5);
check(7, size("to-folder/inner.txt"), 5);
check(8, open("to-folder", DIRECTORY, 0, FOLLOW) < 0 ? 1 : 0, 1);
const name = new Text("to-file");
check(9, path_readlink(ROOT, name.at, name.length, bytes, 6, OUT), E.OK);
check(10, load<u32>(OUT), 6);
check(11, String.UTF8.decodeUnsafe(bytes, 6) == "folder" ? 1 : 0, 1);
// Up from where the link leads to, and not from where it lies.
check(12, mkdir("folder/deep"), E.OK);
check(13, symlink("folder/deep", "to-deep"), E.OK);
check(14, size("to-deep/../inner.txt"), 5);
check(15, symlink("again", "again"), E.OK);
check(16, size("again", FOLLOW), -E.LOOP);
check(17, symlink("/etc/passwd", "absolute"), E.NOTCAPABLE);
check(18, symlink("x", "folder/"), E.EXIST);
check(19, symlink("x", "absent/"), E.NOENT);
const target = new Text("second-name");
const source = new Text("a.txt");
check(20, path_link(ROOT, 0, source.at, source.length, ROOT, target.at, target.length), E.OK);
check(21, path_link(ROOT, 1, source.at, source.length, ROOT, target.at, target.length), E.INVAL);
check(22, size("second-name"), 10);
check(23, unlink("a.txt"), E.OK);
check(24, size("second-name"), 10);
check(25, unlink("to-folder"), E.OK);
check(26, size("folder/inner.txt"), 5);
