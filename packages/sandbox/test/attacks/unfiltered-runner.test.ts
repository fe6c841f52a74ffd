/**
 * A hole in the kernel's filter, or a system without one: native code in a runner reaches for files,
 * ports, other processes and their sockets (CWE-653, CWE-693). What stands around the process must
 * hold alone. The attacker runs before the runner has restricted itself in any way.
 */
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { readThreads } from "@glovebox/linux";
import { knownArchitecture, SYSTEM_CALL_NUMBERS } from "@glovebox/linux/seccomp";
import { createSandbox, type OuterLayer } from "@glovebox/sandbox";
import { callScope } from "@glovebox/testkit";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

import { flatPlugin } from "../support/fixtures.ts";
import { BIND_SYSCALL, lyingRunner, program } from "../support/hostile-runner.ts";
import { lastWordsOf } from "../support/last-words.ts";
import { loadPlugin, textOf } from "../support/open-plugin.ts";
import { unavailableLayer } from "../support/outer-layers.ts";

const architecture = knownArchitecture() ?? "x64";
const number = (name: keyof typeof SYSTEM_CALL_NUMBERS): number =>
  SYSTEM_CALL_NUMBERS[name][architecture] ?? -1;

const TRUNCATE = architecture === "x64" ? 76 : 45;
const SECRET = "a secret of the host";
const TCGETS = 0x5401;
const HELLO = 32;
const EPERM = -1;
const ENOENT = -2;
const ESRCH = -3;
const EACCES = -13;
const ENOTTY = -25;
const EROFS = -30;
const ENETUNREACH = -101;
const ECONNREFUSED = -111;

let folder: string;
let connections = 0;
const ports = createServer((socket) => {
  connections += 1;
  socket.destroy();
});
const abstract = createServer((socket) => {
  connections += 1;
  socket.destroy();
});
const abstractName = `glovebox-test-${process.pid}`;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "outer-"));
  await writeFile(join(folder, "secret"), SECRET);
  await new Promise<void>((resolve) => ports.listen(0, "127.0.0.1", resolve));
  if (process.platform === "linux")
    await new Promise<void>((resolve) => abstract.listen(`\0${abstractName}`, resolve));
});
afterAll(async () => {
  ports.close();
  abstract.close();
  await rm(folder, { recursive: true });
});

/** What each attack was answered by the kernel: 0 = it succeeded. */
async function attack(layer: OuterLayer | "none"): Promise<Readonly<Record<string, number>>> {
  const { port } = ports.address() as { port: number };
  const words = await lastWordsOf(
    `${BIND_SYSCALL}
    const text = (value) => addressOf(kept[kept.push(Buffer.from(value + "\\0")) - 1]);
    const bytes = (value) => addressOf(kept[kept.push(Buffer.from(value)) - 1]);
    const kept = [];
    const done = (result) => Math.min(result, 0);
    const open = (path, flags) => done(syscall(${number("openat")}, -100, text(path), flags, 0o600));
    const stream = (family) => syscall(${number("socket")}, family, 1, 0);
    const address = (port) => bytes([2, 0, port >> 8, port & 255, 127, 0, 0, 1, ...Array(8).fill(0)]);
    const name = [1, 0, 0, ...Buffer.from(${JSON.stringify(abstractName)})];
    process.stderr.write(JSON.stringify({
      read: open(${JSON.stringify(join(folder, "secret"))}, 0),
      write: open(${JSON.stringify(join(folder, "written"))}, 0o101),
      program: open(process.argv[1], 1),
      truncate: done(syscall(${TRUNCATE}, text(${JSON.stringify(join(folder, "secret"))}), ${SECRET.length})),
      device: done(syscall(${number("ioctl")}, syscall(${number("openat")}, -100, text("/dev/null"), 0), ${TCGETS}, 0)),
      list: open(${JSON.stringify(folder)}, 0o200000),
      memory: open("/proc/${process.pid}/mem", 2),
      bind: done(syscall(${number("bind")}, stream(2), address(0), 16)),
      connect: done(syscall(${number("connect")}, stream(2), address(${port}), 16)),
      abstract: done(syscall(${number("connect")}, stream(1), bytes(name), name.length)),
      signal: done(syscall(${number("kill")}, ${process.pid}, 0)),
    }), () => process.exit());`,
    layer,
  );
  return JSON.parse(words) as Readonly<Record<string, number>>;
}

/** How each layer refuses. */
const REFUSALS: Readonly<Record<OuterLayer, unknown>> = {
  landlock: {
    read: EACCES,
    write: EACCES,
    program: EACCES,
    truncate: EACCES,
    device: EACCES,
    list: EACCES,
    memory: EACCES,
    bind: EACCES,
    connect: EACCES,
    abstract: EPERM,
    signal: EPERM,
  },
  bubblewrap: {
    read: ENOENT,
    write: ENOENT,
    program: EROFS,
    truncate: ENOENT,
    device: ENOTTY, // /dev/null is there, and none of the host's others
    list: ENOENT,
    memory: ENOENT,
    // On a loopback interface of its own, where nobody listens.
    bind: 0,
    connect: expect.toBeOneOf([ECONNREFUSED, ENETUNREACH]),
    abstract: ECONNREFUSED,
    signal: ESRCH,
  },
};

describe.for(["landlock", "bubblewrap"] as const)("behind %s alone", (layer) => {
  it("reads and writes no file, takes no port, and reaches no process", async (context) => {
    const reason = await unavailableLayer(layer);
    if (reason !== undefined) context.skip(reason);
    const before = connections;
    const answers = await attack(layer);
    expect(answers).toEqual(REFUSALS[layer]);
    expect(connections).toBe(before);
    await expect(readFile(join(folder, "written"))).rejects.toMatchObject({ code: "ENOENT" });
  });

  it("is hardened without any filter, and says so", async (context) => {
    const reason = await unavailableLayer(layer);
    if (reason !== undefined || process.getBuiltinModule("node:ffi") === undefined) {
      context.skip(reason ?? "koffi is used here");
      return;
    }
    // seccomp(2) of the runner fails, as in a container that forbids it; everything else is honest.
    await using unfiltered = await program(`
      const builtin = process.getBuiltinModule;
      const ffi = builtin("node:ffi");
      const dlopen = (...args) => {
        const library = ffi.dlopen(...args);
        const { syscall } = library.functions;
        const functions = { ...library.functions, syscall: (number, ...rest) =>
          Number(number) === ${number("seccomp")} ? -1 : syscall(number, ...rest) };
        return { ...library, functions };
      };
      process.getBuiltinModule = (name) => name === "node:ffi" ? { ...ffi, dlopen } : builtin(name);`);
    await using sandbox = await createSandbox(
      { poolSize: 0, minimumIsolation: "hardened", outerLayer: layer },
      { runnerProgram: unfiltered.path },
    );
    expect(sandbox.status()).toMatchObject({
      isolation: "hardened",
      layers: [layer, "permission"],
    });
    const plugin = await loadPlugin(sandbox, flatPlugin());
    const echo = await plugin.call(callScope(), "echo", new TextEncoder().encode("works"));
    expect(textOf(echo)).toBe("works");
  });
});

it("succeeds with every attack where nothing stands around it, so that the layers are the reason", async (context) => {
  const reason = await unavailableLayer("none");
  if (reason !== undefined) context.skip(reason);
  const { memory, device, ...answers } = await attack("none");
  expect(memory).toBeLessThanOrEqual(0); // root's alone
  expect(device).toBe(ENOTTY);
  expect(new Set(Object.values(answers))).toEqual(new Set([0]));
});

it("leaves the host's own threads as they are", async (context) => {
  const reason = await unavailableLayer("landlock");
  if (reason !== undefined) context.skip(reason);
  const confined = (): number =>
    readThreads(process.pid).filter(({ noNewPrivileges }) => noNewPrivileges).length;
  const before = confined();
  await using sandbox = await createSandbox({ poolSize: 1, outerLayer: "landlock" });
  expect(sandbox.status().layers).toContain("landlock");
  expect(confined() - before).toBe(1);
  // More at once than libuv has threads for.
  const texts = await Promise.all(
    Array.from({ length: 16 }, () => readFile(join(folder, "secret"), "utf8")),
  );
  expect(new Set(texts)).toEqual(new Set([SECRET]));
});

it.for(["bubblewrap", "landlock"] as const)(
  "does not go on behind %s, which the options ask for, when it does not hold",
  async (layer, context) => {
    const reason = await unavailableLayer(layer);
    if (reason !== undefined) context.skip(reason);
    const reached = `{ ...content, outside: { root: 0, proc: 0, port: 0 } }`;
    await using open = await lyingRunner(HELLO, reached, "canary");
    const deps = { runnerProgram: open.path };
    await expect(createSandbox({ poolSize: 0, outerLayer: layer }, deps)).rejects.toMatchObject({
      code: "SANDBOX_ISOLATION",
      details: { wanted: layer },
    });
  },
);

it("does not go on without a layer that the options ask for", async (context) => {
  if (process.platform === "linux") context.skip("both layers may work here");
  await expect(createSandbox({ outerLayer: "landlock" })).rejects.toMatchObject({
    code: "SANDBOX_ISOLATION",
  });
});
