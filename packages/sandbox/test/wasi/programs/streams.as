// Standard input and output are the call's, standard error is its log.
import { check, E, fd_close, fd_fdstat_get, fd_filestat_get, fd_seek, fd_write, OUT, print, read, vector } from "./wasi";

const text = read(0);
check(1, text == "from outside" ? 1 : 0, 1);
check(2, read(0).length, 0);
check(3, print(1, text.toUpperCase()), E.OK);
check(4, fd_fdstat_get(1, OUT), E.OK);
check(5, load<u8>(OUT), 0);
check(6, fd_filestat_get(0, OUT), E.OK);
check(7, fd_seek(1, 0, 0, OUT), E.SPIPE);
check(8, fd_write(0, vector(OUT, 1), 1, OUT), E.NOTCAPABLE);
check(9, fd_close(1), E.OK);
check(10, print(1, "lost"), E.BADF);
check(11, fd_close(1), E.BADF);
print(2, "a line for the log\n");
