// Arguments begin with the program's name; the environment is what the host named.
import { args_get, args_sizes_get, check, E, environ_get, environ_sizes_get, OUT, print } from "./wasi";

const list = memory.data(64, 8);
const bytes = memory.data(256, 8);
check(1, args_sizes_get(OUT, OUT + 4), E.OK);
const count = load<u32>(OUT);
check(2, count, 3);
check(3, load<u32>(OUT, 4), "arguments".length + 1 + "one".length + 1 + "two words".length + 1);
check(4, args_get(list, bytes), E.OK);
for (let at: u32 = 0; at < count; at++) {
  print(1, String.UTF8.decodeUnsafe(load<u32>(list + 4 * at), 256, true) + "\n");
}
check(5, environ_sizes_get(OUT, OUT + 4), E.OK);
check(6, load<u32>(OUT), 1);
check(7, environ_get(list, bytes), E.OK);
print(1, String.UTF8.decodeUnsafe(load<u32>(list), 256, true));
