/**
 * @module What a module can do to the world, read off its imports: a module without imports can only
 * compute. What the host grants is decided elsewhere; this is what the module asks for.
 */
import type { TypedImport } from "../facts/names.ts";

/** Imports whose meaning is standard, by module and name. The first row that fits counts. */
const MEANINGS: readonly (readonly [module: RegExp, name: RegExp, meaning: string])[] = [
  [/^wasi_snapshot_preview1$|^wasi_unstable$/, /^path_/, "open, create, rename and delete files"],
  [/^wasi_snapshot_preview1$|^wasi_unstable$/, /^sock_/, "use sockets"],
  [/^wasi_snapshot_preview1$|^wasi_unstable$/, /^fd_/, "read and write open files and streams"],
  [/^wasi_snapshot_preview1$|^wasi_unstable$/, /^clock_/, "read clocks"],
  [/^wasi_snapshot_preview1$|^wasi_unstable$/, /^poll_|^sched_/, "wait"],
  [/^wasi_snapshot_preview1$|^wasi_unstable$/, /^random_/, "read random numbers"],
  [
    /^wasi_snapshot_preview1$|^wasi_unstable$/,
    /^args_|^environ_/,
    "read arguments and environment",
  ],
  [/^wasi_snapshot_preview1$|^wasi_unstable$/, /^proc_/, "end itself"],
  [/^extism:host\/env$/, /^http_/, "send HTTP requests"],
  [/^extism:host\/env$/, /^var_/, "keep state between calls"],
  [/^extism:host\/env$/, /^config_/, "read its configuration"],
  [/^extism:host\/env$/, /^log_|^get_log_level$/, "write log lines"],
  [/^extism:host\/env$/, /./, "exchange input and output with the host"],
  [/^extism:host\/user$/, /./, "call functions of the host application"],
];

/** What the imports allow a module to do, each once, in the order of the table. */
export function capabilitiesOf(imports: readonly TypedImport[]): readonly string[] {
  const found = new Set<string>();
  for (const { module, name, kind } of imports) {
    if (kind !== "function") continue;
    const row = MEANINGS.find(([ofModule, ofName]) => ofModule.test(module) && ofName.test(name));
    found.add(row?.[2] ?? `call functions of ${JSON.stringify(module)}`);
  }
  const order = MEANINGS.map(([, , meaning]) => meaning);
  const rank = (meaning: string): number =>
    (order.indexOf(meaning) + order.length + 1) % (order.length + 1);
  return [...found].toSorted((a, b) => rank(a) - rank(b));
}
