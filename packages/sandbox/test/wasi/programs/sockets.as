// There are none, and no signals either.
import { check, E, OUT, proc_raise, sched_yield, sock_accept, sock_recv, sock_send, sock_shutdown } from "./wasi";

check(1, sock_shutdown(1, 3), E.NOTSOCK);
check(2, sock_shutdown(9, 3), E.BADF);
check(3, sock_send(1, 0, 0, 0, OUT), E.NOTSOCK);
check(4, sock_recv(0, 0, 0, 0, OUT, OUT), E.NOTSOCK);
check(5, sock_accept(0, 0, OUT), E.NOTSOCK);
check(6, proc_raise(9), E.NOTSUP);
check(7, sched_yield(), E.OK);
