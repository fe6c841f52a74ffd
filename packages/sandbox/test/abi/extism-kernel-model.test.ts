/** @module The Extism kernel against a model in JavaScript, in any order of calls, forged headers included. */
import fc from "fast-check";
import { beforeEach, describe, expect, test } from "vitest";

import { assembleKernel, bytesAt, HEAP, type Kernel, startKernel, TWO_64 } from "./start-kernel.ts";

let kernel: Kernel;
beforeEach(async () => {
  kernel = await startKernel();
});

const size = fc.oneof(
  { weight: 6, arbitrary: fc.bigInt(0n, 300n) },
  { weight: 3, arbitrary: fc.bigInt(0n, 30_000n) },
  { weight: 1, arbitrary: fc.bigInt(2n ** 31n, TWO_64 - 1n) },
);
const step = fc.oneof(
  { weight: 5, arbitrary: fc.record({ kind: fc.constant("alloc" as const), size }) },
  { weight: 4, arbitrary: fc.record({ kind: fc.constant("free" as const), pick: fc.nat() }) },
  {
    weight: 2,
    arbitrary: fc.record({
      kind: fc.constant("probe" as const),
      offset: fc.bigInt(0n, TWO_64 - 1n),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      kind: fc.constant("smash" as const),
      pick: fc.nat(),
      value: fc.bigInt(0n, TWO_64 - 1n),
    }),
  },
);

type Step = typeof step extends fc.Arbitrary<infer Value> ? Value : never;

/** A live block, filled with its tag. */
interface Block {
  readonly handle: bigint;
  readonly size: bigint;
  readonly tag: number;
}

function expectWhole(blocks: readonly Block[]): void {
  let end = HEAP;
  for (const block of blocks.toSorted((a, b) => Number(a.handle - b.handle))) {
    expect(block.handle).toBeGreaterThanOrEqual(end + 8n);
    expect(kernel.length(block.handle)).toBe(block.size);
    const bytes = bytesAt(kernel, block.handle, Number(block.size));
    expect(bytes.every((byte) => byte === block.tag)).toBe(true);
    end = block.handle + block.size;
  }
  expect(end).toBeLessThanOrEqual(BigInt(kernel.memory.buffer.byteLength));
}

/** What is live after a step, and what was seen of the kernel beside what the model says. */
interface StepResult {
  readonly live: readonly Block[];
  readonly seen: unknown;
  readonly expected: unknown;
}

function applyStep(next: Step, index: number, live: readonly Block[]): StepResult {
  if (next.kind === "alloc") {
    const handle = kernel.alloc(next.size);
    const expected = next.size === 0n || next.size >= 2n ** 31n;
    if (handle === 0n) return { live, seen: true, expected };
    const block = { handle, size: next.size, tag: 1 + (index % 255) };
    bytesAt(kernel, handle, Number(next.size)).fill(block.tag);
    return { live: [...live, block], seen: false, expected };
  }
  if (next.kind === "probe") {
    const known = live.find((block) => block.handle === next.offset);
    const seen = kernel.length(next.offset);
    kernel.free(known === undefined ? next.offset : 0n);
    kernel.load_u64(next.offset);
    return { live, seen, expected: known?.size ?? 0n };
  }
  const block = live[next.pick % (live.length || 1)];
  if (block === undefined) return { live, seen: 0n, expected: 0n };
  const others = live.filter((other) => other !== block);
  if (next.kind === "free") {
    kernel.free(block.handle);
    return { live: others, seen: kernel.length(block.handle), expected: 0n };
  }
  // The plugin overwrites a block's header: that block is lost, and no other.
  const before = bytesAt(kernel, block.handle - 8n, 4).slice();
  kernel.store_u64(block.handle - 8n, next.value);
  const broken = bytesAt(kernel, block.handle - 8n, 4).some((byte, at) => byte !== before[at]);
  const seen = kernel.length(block.handle);
  return broken ? { live: others, seen, expected: 0n } : { live, seen, expected: block.size };
}

describe("any order of calls", () => {
  test("keeps live blocks apart, whole and of their length", async () => {
    kernel = await startKernel(assembleKernel(256));
    fc.assert(
      fc.property(fc.array(step, { maxLength: 120 }), (steps) => {
        kernel.reset();
        let live: readonly Block[] = [];
        for (const [index, next] of steps.entries()) {
          const result = applyStep(next, index, live);
          expect(result.seen).toBe(result.expected);
          live = result.live;
        }
        expectWhole(live);
      }),
      { numRuns: 300 },
    );
  });

  test("of loads and stores in one block behaves as an array of bytes that is 0 outside", () => {
    const offset = fc.bigInt(-24n, 80n);
    fc.assert(
      fc.property(
        fc.array(fc.tuple(offset, fc.bigInt(0n, TWO_64 - 1n)), { maxLength: 50 }),
        (stores) => {
          kernel.reset();
          const block = kernel.alloc(64n);
          const model = new DataView(new ArrayBuffer(24 + 64));
          for (const [at, value] of stores) {
            kernel.store_u64(block + at, value);
            // Eight bytes before the block are its header, and before that there is nothing.
            if (at >= -8n && at <= 56n) model.setBigUint64(Number(at) + 24, value, true);
          }
          for (let at = 0n; at <= 56n; at++) {
            expect(kernel.load_u64(block + at)).toBe(model.getBigInt64(Number(at) + 24, true));
          }
          expect(kernel.load_u64(block + 57n)).toBe(0n);
          expect(kernel.load_u64(block - 9n)).toBe(0n);
        },
      ),
    );
  });
});
