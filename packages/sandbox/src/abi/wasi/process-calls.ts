/** @module WASI calls about the program itself: arguments, environment, clocks, random bytes, its end. */
import { MAX_RANDOM_BYTES } from "../../limits.ts";
import { HOST_CALL } from "../../protocol/frame-table.ts";
import { ERRNO, fail } from "./errno.ts";
import { ProcessExit } from "./process-exit.ts";
import type { WasiCalls, WasiContext } from "./wasi-context.ts";

/** Random bytes that are asked for in advance. */
const RANDOM_STOCK_BYTES = 1_024;

/** The calls that touch no file. */
export function processCalls({ memory, state, host }: WasiContext): WasiCalls {
  const { clocks } = state;
  return {
    args_sizes_get: (count, bytes) => sizes(state.args, count, bytes),
    args_get: (list, bytes) => copy(state.args, list, bytes),
    environ_sizes_get: (count, bytes) => sizes(state.environment, count, bytes),
    environ_get: (list, bytes) => copy(state.environment, list, bytes),
    clock_res_get(id, result) {
      clocks.check(id);
      memory.setU64(result, clocks.resolutionNs);
    },
    clock_time_get: (id, _precision, result) => memory.setU64(result, clocks.read(id)),
    random_get(at, length) {
      const target = memory.bytes(at, length);
      for (let from = 0; from < target.length;) {
        if (state.random.length === 0) {
          const wanted = Math.max(RANDOM_STOCK_BYTES, target.length - from);
          state.random = randomBytes(Math.min(wanted, MAX_RANDOM_BYTES));
        }
        const part = state.random.subarray(0, target.length - from);
        target.set(part, from);
        state.random = state.random.subarray(part.length);
        from += part.length;
      }
    },
    sched_yield: () => undefined,
    proc_exit(code) {
      state.exit = new ProcessExit(code >>> 0);
      throw state.exit;
    },
    proc_raise: () => fail(ERRNO.NOTSUP),
  };

  function sizes(texts: readonly Uint8Array[], count: number, bytes: number): void {
    memory.setU32(count, texts.length);
    memory.setU32(
      bytes,
      texts.reduce((sum, { length }) => sum + length, 0),
    );
  }

  /** Pointers at `list`, the texts at `bytes`. */
  function copy(texts: readonly Uint8Array[], list: number, bytes: number): void {
    let at = bytes >>> 0;
    memory.entries(texts.length);
    for (const [index, text] of texts.entries()) {
      memory.bytes(at, text.length).set(text);
      memory.setU32((list >>> 0) + 4 * index, at);
      at += text.length;
    }
  }

  function randomBytes(bytes: number): Uint8Array {
    const request = new Uint8Array(4);
    new DataView(request.buffer).setUint32(0, bytes, true);
    const answer = host(HOST_CALL.RANDOM, request);
    return answer.length === bytes ? answer : fail(ERRNO.IO);
  }
}
