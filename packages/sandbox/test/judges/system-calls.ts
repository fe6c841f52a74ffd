/**
 * @module Makes a system call in a locked runner, as native code could that has broken out of the
 * engine, and says how it was answered: one process for each call.
 */
import { createSandbox } from "@glovebox/sandbox";
import { callScope } from "@glovebox/testkit";
import type { CaseVerdict, TestCase } from "@glovebox/testkit/cases";

import { HEADER_BYTES } from "../../src/protocol/frame-table.ts";
import { flatPlugin } from "../support/fixtures.ts";
import { hostileRunner } from "../support/hostile-runner.ts";
import { loadPlugin } from "../support/open-plugin.ts";
import { openTogether, type Use } from "../support/open-together.ts";

/** Binds syscall(2) before the lock-down; what it answers is a number, or errno as a negative one. */
const BIND = `
  const bound = (() => {
    const path = Buffer.from("/nonexistent-glovebox\\0");
    const ffi = process.getBuiltinModule("node:ffi");
    if (ffi !== undefined) {
      const { functions } = ffi.dlopen(null, {
        syscall: { arguments: Array(7).fill("int64"), return: "int64" },
        __errno_location: { arguments: [], return: "pointer" },
      });
      const errno = new Int32Array(ffi.toArrayBuffer(functions.__errno_location(), 4, false));
      return { path: ffi.getRawPointer(path), call: (...args) => {
        const result = functions.syscall(...args.map(BigInt));
        return result === -1n ? -errno[0] : Number(result);
      } };
    }
    let entry = process.argv[4];
    try { entry = JSON.parse(entry).koffiEntry; } catch {}
    if (entry === undefined) return undefined;
    const koffi = require(entry);
    const syscall = koffi.load(null).func("long syscall(long, long, long, long, long, long, long)");
    return { path: koffi.address(path), call: (...args) => {
      const result = Number(syscall(...args));
      return result === -1 ? -koffi.errno() : result;
    } };
  })();
  const parent = process.ppid;`;

/** The input of the call says which; its reply says how it was answered. */
const ATTACK = `
  const { number, args } = JSON.parse(Buffer.from(bytes.subarray(${HEADER_BYTES}, offset + length)));
  const values = args.map((arg) => arg === "PATH" ? bound.path : arg === "PARENT" ? parent : arg);
  const padded = [...values, 0, 0, 0, 0, 0, 0].slice(0, 6);
  send(frame(REPLY, callId, String(bound.call(number, ...padded))));`;

const EPERM = -1;

interface SystemCallJudge {
  judge(testCase: TestCase): Promise<CaseVerdict>;
}

/** Judges system calls until it is closed. */
export function openSystemCallJudge(): Promise<SystemCallJudge & AsyncDisposable> {
  return openTogether(judgeWith);
}

async function judgeWith(use: Use): Promise<SystemCallJudge> {
  const program = use(await hostileRunner(ATTACK, 1, BIND));
  const sandbox = use(await createSandbox({ poolSize: 0 }, { runnerProgram: program.path }));
  return {
    async judge({ numbers, args }) {
      const { isolation } = sandbox.status();
      // Some of these calls would do harm where nothing stops them.
      if (isolation !== "strict") return skip(`the level is ${isolation}: there is no filter`);
      const number = (numbers as Readonly<Record<string, number>>)[process.arch];
      if (number === undefined) return skip(`no such call on ${process.arch}`);
      const plugin = await loadPlugin(sandbox, flatPlugin());
      const input = new TextEncoder().encode(JSON.stringify({ number, args }));
      const outcome = await plugin.call(callScope(), "echo", input);
      await plugin.kill("judged");
      if (!outcome.ok) {
        const { signal } = outcome.error.details;
        return verdict(typeof signal === "string" ? signal : outcome.error.code);
      }
      const result = Number(new TextDecoder().decode(outcome.output));
      return verdict(result === EPERM ? "EPERM" : `the kernel answered ${result}`);
    },
  };
}

const verdict = (text: string): CaseVerdict => ({ kind: "verdict", verdict: text });
const skip = (reason: string): CaseVerdict => ({ kind: "skip", reason });
