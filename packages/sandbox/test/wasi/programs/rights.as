// Rights of descriptors only ever shrink.
import { ALL, check, CREATE, DIRECTORY, E, fd_fdstat_get, fd_fdstat_set_rights, FILE, open, OUT, path_open, print, read, READ, ROOT, Text, TRUNCATE, WRITE } from "./wasi";

const CREATE_FILE: i64 = 1 << 10;
const SET_SIZE: i64 = 1 << 19;

const file = -open("a.txt", 0, READ | WRITE);
check(1, fd_fdstat_get(file, OUT), E.OK);
check(2, load<i64>(OUT, 8), READ | WRITE);
check(3, fd_fdstat_set_rights(file, READ, 0), E.OK);
check(4, print(file, "x"), E.NOTCAPABLE);
check(5, read(file).length, 10);
check(6, fd_fdstat_set_rights(file, READ | WRITE, 0), E.NOTCAPABLE);
const folder = -open("folder", DIRECTORY, ALL & ~WRITE);
check(7, fd_fdstat_get(folder, OUT), E.OK);
check(8, load<i64>(OUT, 8) & (READ | WRITE), 0);
check(9, fd_fdstat_set_rights(folder, load<i64>(OUT, 8) & ~CREATE_FILE & ~SET_SIZE, READ), E.OK);
check(10, open("new", CREATE, 0, 0, 0, folder), E.NOTCAPABLE);
check(11, open("inner.txt", TRUNCATE, 0, 0, 0, folder), E.NOTCAPABLE);
const name = new Text("inner.txt");
check(12, path_open(folder, 0, name.at, name.length, 0, READ | WRITE, 0, 0, OUT), E.NOTCAPABLE);
check(13, path_open(folder, 0, name.at, name.length, 0, READ, 0, 0, OUT), E.OK);
check(14, path_open(<i32>load<u32>(OUT), 0, name.at, name.length, 0, READ, 0, 0, OUT), E.NOTDIR);
check(15, open("a.txt", 0, FILE, 0, 32), E.INVAL);
check(16, open("a.txt", 16, FILE), E.INVAL);
