/**
 * @module A process that restricts itself and says what came of it, as one line of JSON. What it
 * does is its first argument; the second is where koffi is, if it may use that.
 */
import { openSync, readFileSync, writeSync } from "node:fs";

import { LinuxError, openResidentMemory } from "@glovebox/linux";
import {
  becomeUser,
  limitLifeCpu,
  loadSystemCalls,
  prepareDataLimit,
  prepareFilter,
  restrictProcess,
  type SystemCalls,
} from "@glovebox/linux/process";
import { buildFilter } from "@glovebox/linux/seccomp";

const NOBODY = 65_534;
const MIB = 1_048_576;
const BUDGET_MIB = 64;
/** Well within the budget, and well beyond it. */
const SMALL_MIB = 16;
const LARGE_MIB = 256;
const PAGES_PER_MIB = 16;

const [task = "", koffiEntry] = process.argv.slice(2);
const loaded = loadSystemCalls(koffiEntry);

/** What the repository's own declaration of WebAssembly, made for the runner, leaves out. */
const Memory = WebAssembly.Memory as unknown as new (size: {
  readonly initial: number;
  readonly maximum: number;
}) => { grow(pages: number): number };

const TASKS: Readonly<Record<string, (calls: SystemCalls) => unknown>> = {
  restrict(calls) {
    // What is read afterwards is opened before: no descriptor can be had any more.
    const [status, limits] = ["status", "limits"].map((name) =>
      openSync(`/proc/self/${name}`, "r"),
    );
    restrictProcess(calls, process.ppid);
    const read = (descriptor = -1): string => readFileSync(descriptor, "utf8");
    const text = read(limits);
    return {
      noNewPrivileges: /^NoNewPrivs:\s+(\d)/m.exec(read(status))?.[1],
      limits: ["core file size", "file size", "processes", "open files"].map((name) =>
        new RegExp(`^Max ${name}\\s+(\\S+)\\s+(\\S+)`, "m").exec(text)?.slice(1).join(),
      ),
      opening: codeOfSystem(() => openSync("/dev/null", "r")),
    };
  },
  life(calls) {
    limitLifeCpu(calls, 1);
    for (;;);
  },
  nobody() {
    becomeUser({ uid: NOBODY, gid: NOBODY });
    return {
      user: process.getuid?.(),
      groups: process.getgroups?.(),
      back: codeOfSystem(() => process.setuid?.(0)),
    };
  },
  filter(calls) {
    const program = buildFilter(
      [
        ...(
          ["read", "write", "futex", "mmap", "munmap", "mprotect", "madvise", "brk"] as const
        ).map((call) => ({ call, answer: "allow" as const })),
        { call: "exit_group", answer: "allow" },
        { call: "getppid", answer: "EPERM" },
      ],
      calls.architecture,
    );
    const apply = prepareFilter(calls, program);
    restrictProcess(calls, process.ppid);
    apply();
    writeSync(1, JSON.stringify({ refused: calls.call("getppid") }));
    calls.call("getpid");
    return undefined;
  },
  "wrong-parent": (calls) => codeOf(() => restrictProcess(calls, process.ppid + 1)),
  "refusing-kernel": (calls) =>
    codeOf(() => restrictProcess({ ...calls, call: () => -1 }, process.ppid)),
  "no-data-limit": () => allocations(),
  "data-limit"(calls) {
    using memory = openResidentMemory(process.pid);
    prepareDataLimit(calls)(memory.readDataBytes() + BUDGET_MIB * MIB);
    return allocations();
  },
};

if (task === "spin") {
  if (loaded !== undefined) restrictProcess(loaded, process.ppid);
  process.stdout.write(`${JSON.stringify({ pid: process.pid })}\n`);
  // Standard output is a pipe: the line is written before the loop begins.
  for (;;);
}
const result = loaded === undefined ? undefined : TASKS[task]?.(loaded);
process.stdout.write(`${JSON.stringify({ backEnd: loaded?.backEnd ?? null, result })}\n`);

function allocations(): Readonly<Record<string, boolean>> {
  const memory = new Memory({ initial: 1, maximum: 65_536 });
  const grow = (mib: number) => (): unknown => memory.grow(mib * PAGES_PER_MIB);
  const buffer = (mib: number) => (): unknown => new Uint8Array(mib * MIB);
  return {
    smallGrow: works(grow(SMALL_MIB)),
    largeGrow: works(grow(LARGE_MIB)),
    smallBuffer: works(buffer(SMALL_MIB)),
    largeBuffer: works(buffer(LARGE_MIB)),
  };
}

function codeOf(run: () => void): string | undefined {
  try {
    run();
    return undefined;
  } catch (error) {
    if (error instanceof LinuxError) return error.code;
    throw error;
  }
}

function codeOfSystem(run: () => unknown): string | undefined {
  try {
    run();
    return undefined;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code;
  }
}

/** `false` where the engine could not have the memory. */
function works(allocate: () => unknown): boolean {
  try {
    allocate();
    return true;
  } catch (error) {
    if (error instanceof RangeError) return false;
    throw error;
  }
}
