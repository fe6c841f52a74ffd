/**
 * @module Programs that take a runner's place: what a plugin could do that has taken over its
 * process. Each begins as a well-behaved runner would, since a host trusts a process only until it
 * has handed it a plugin.
 */
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { HEADER_BYTES, PROTOCOL_VERSION } from "../../src/protocol/frame-table.ts";

const RUNNER = new URL("../../dist/runner.cjs", import.meta.url);

/** A program as a file that is removed on disposal. */
export interface HostileProgram extends AsyncDisposable {
  readonly path: string;
}

/**
 * The built runner with `onCall` in place of the answer to its `at`-th CALL (from 1). In scope:
 * `fs`, `frame(type, callId, payload, argument)` that makes a frame, `send(bytes)` that writes to
 * the host, `callId` of the call, and `block()`. `prelude` runs before the lock-down.
 */
export async function hostileRunner(onCall: string, at = 1, prelude = ""): Promise<HostileProgram> {
  return program(`${prelude}
    const fs = require("node:fs");
    const sleeper = new Int32Array(new SharedArrayBuffer(4));
    const block = () => Atomics.wait(sleeper, 0, 0);
    const REPLY = 34, FAILURE = 35, HOST_CALL = 36, CHUNK = 64;
    const frame = (type, callId, payload = "", argument = 0, length = Buffer.byteLength(payload), version = ${PROTOCOL_VERSION}, instructions = -1n) => {
      const head = Buffer.alloc(${HEADER_BYTES});
      head.writeUInt32LE(length, 0); head[4] = version; head[5] = type;
      head.writeUInt16LE(argument, 6); head.writeUInt32LE(callId, 8);
      head.writeBigInt64LE(instructions, 12);
      return Buffer.concat([head, Buffer.from(payload)]);
    };
    ${BIND_SYSCALL}
    const write = fs.writeSync;
    const send = (bytes) => { let sent = 0; while (sent < bytes.length) sent += write(0, bytes, sent, bytes.length - sent, null); };
    let calls = 0;
    fs.writeSync = (descriptor, bytes, offset, length, position) => {
      if (bytes[5] !== REPLY || ++calls !== ${at}) return write(descriptor, bytes, offset, length, position);
      const callId = Buffer.from(bytes).readUInt32LE(8);
      ${onCall};
      return length;
    };`);
}

/**
 * The built runner whose frames of this type say something else: `lie` makes it of their JSON
 * `content`. As canary or as a plugin's runner; the other one tells the truth.
 */
export async function lyingRunner(
  type: number,
  lie: string,
  liar: "plugin" | "canary" = "plugin",
  before = "",
): Promise<HostileProgram> {
  return program(`
    ${before}
    const fs = require("node:fs");
    const write = fs.writeSync;
    fs.writeSync = (descriptor, bytes, offset, length, position) => {
      const frame = Buffer.from(bytes.subarray(0, offset + length));
      if (process.argv[3] !== "${liar}" || frame[5] !== ${type} || frame.length === ${HEADER_BYTES}) {
        return write(descriptor, bytes, offset, length, position);
      }
      const content = JSON.parse(frame.subarray(${HEADER_BYTES}));
      const lie = Buffer.from(JSON.stringify(${lie}));
      frame.writeUInt32LE(lie.length, 0);
      write(0, Buffer.concat([frame.subarray(0, ${HEADER_BYTES}), lie]));
      return length;
    };`);
}

/** The built runner that is killed after its `operations`-th read or write of the socket. */
export async function dyingRunner(operations: number): Promise<HostileProgram> {
  return program(`
    const fs = require("node:fs");
    let left = process.argv[3] === "canary" ? Infinity : ${operations};
    for (const name of ["readSync", "writeSync"]) {
      const original = fs[name];
      fs[name] = (descriptor, ...rest) => {
        const result = original(descriptor, ...rest);
        // Of what can end a locked process, abort() is the quickest.
        if (descriptor === 0 && --left === 0) process.abort();
        return result;
      };
    }`);
}

/**
 * What code that has broken out needs no binding for, bound while that is allowed: `syscall(…)`, which
 * answers errno as a negative number, and `addressOf(buffer)`.
 */
export const BIND_SYSCALL = `
    let addressOf;
    const syscall = (() => {
      const ffi = process.getBuiltinModule("node:ffi");
      if (ffi !== undefined) {
        const long = "int64";
        const { functions } = ffi.dlopen(null, {
          syscall: { arguments: Array(7).fill(long), return: "int32" },
          __errno_location: { arguments: [], return: "pointer" },
        });
        const errno = new Int32Array(ffi.toArrayBuffer(functions.__errno_location(), 4, false));
        addressOf = (bytes) => ffi.getRawPointer(bytes);
        return (...args) => {
          const result = functions.syscall(...Array.from({ length: 7 }, (_, at) => BigInt(args[at] ?? 0)));
          return result === -1 ? -errno[0] : result;
        };
      }
      const { koffiEntry } = JSON.parse(process.argv[4] ?? "{}");
      if (koffiEntry === undefined) return () => { throw new Error("no system calls"); };
      const koffi = require(koffiEntry);
      addressOf = (bytes) => koffi.address(bytes);
      const call = koffi.load(null).func("int syscall(long, long, long, long, long, long, long)");
      return (...args) => {
        const result = call(...Array.from({ length: 7 }, (_, at) => args[at] ?? 0));
        return result === -1 ? -koffi.errno() : result;
      };
    })();`;

/** The built runner, after `prelude`. */
export async function program(prelude: string): Promise<HostileProgram> {
  const folder = await mkdtemp(join(tmpdir(), "hostile-"));
  const path = join(folder, "runner.cjs");
  await writeFile(path, `{${prelude}}\n${await readFile(RUNNER, "utf8")}`);
  return { path, [Symbol.asyncDispose]: () => rm(folder, { recursive: true }) };
}
