// Ranges outside of the memory are refused before anything happens, wherever they come from.
import { args_get, check, clock_time_get, E, fd_read, fd_readdir, fd_write, open, OUT, path_open, poll_oneoff, random_get, ROOT, size, vector } from "./wasi";

const END: usize = <usize>memory.size() << 16;
const HIGH: usize = 0xfffffff0;

check(1, fd_write(1, HIGH, 1, OUT), E.FAULT);
check(2, fd_write(1, vector(HIGH, 32), 1, OUT), E.FAULT);
check(3, fd_write(1, vector(END - 1, 2), 1, OUT), E.FAULT);
check(4, fd_write(1, vector(0, 0xffffffff), 1, OUT), E.FAULT);
check(5, fd_write(1, 0, 0x20000000, OUT), E.INVAL);
check(6, fd_write(1, 0, -1, OUT), E.INVAL);
check(7, fd_write(1, vector(END, 0), 1, END), E.FAULT);
check(8, fd_read(0, vector(END - 4, 8), 1, OUT), E.FAULT);
check(9, clock_time_get(0, 0, END - 7), E.FAULT);
check(10, clock_time_get(0, 0, HIGH), E.FAULT);
check(11, random_get(END - 4, 5), E.FAULT);
check(12, random_get(0, 0xffffffff), E.FAULT);
check(13, args_get(END - 2, 0), E.FAULT);
check(14, poll_oneoff(HIGH, 0, 1, OUT), E.FAULT);
check(15, poll_oneoff(0, END - 8, 1, OUT), E.FAULT);
check(16, poll_oneoff(0, 0, 0x10000000, OUT), E.INVAL);
check(17, fd_readdir(ROOT, END - 8, 16, 0, OUT), E.FAULT);
check(18, path_open(ROOT, 0, HIGH, 32, 0, 0, 0, 0, OUT), E.FAULT);
// The place for the new descriptor is checked before a file is made.
store<u8>(OUT, 0x7a);
check(19, path_open(ROOT, 0, OUT, 1, 1, 0, 0, 0, END), E.FAULT);
check(20, size("z"), -E.NOENT);
// No UTF-8, and a zero in a name.
store<u8>(OUT, 0xff);
check(21, path_open(ROOT, 0, OUT, 1, 0, 0, 0, 0, OUT + 8), 25);
check(22, open("a\0b", 0, 0), E.INVAL);
