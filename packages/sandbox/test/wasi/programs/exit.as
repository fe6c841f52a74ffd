// A program ends where it says so, with the code that it says.
import { print, proc_exit } from "./wasi";

print(1, "before");
proc_exit(7);
unreachable();
