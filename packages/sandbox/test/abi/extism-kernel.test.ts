/** @module The semantics of the native Extism kernel, pinned one by one, with hostile handles and sizes. */
import { beforeEach, describe, expect, test } from "vitest";

import { assembleKernel, bytesAt, HEAP, type Kernel, startKernel, TWO_64 } from "./start-kernel.ts";

let kernel: Kernel;
beforeEach(async () => {
  kernel = await startKernel();
});

describe("alloc, free and length", () => {
  test("alloc of no bytes is the null handle", () => {
    expect(kernel.alloc(0n)).toBe(0n);
  });

  test("answers aligned, separate blocks whose length is what was asked for", () => {
    const first = kernel.alloc(5n);
    const second = kernel.alloc(17n);
    expect(first % 8n).toBe(0n);
    expect(second).toBeGreaterThanOrEqual(first + 8n);
    expect(kernel.length(first)).toBe(5n);
    expect(kernel.length_unsafe(second)).toBe(17n);
  });

  test.each([
    2n ** 32n - 1n,
    2n ** 32n,
    2n ** 63n,
    TWO_64 - 1n,
    TWO_64 - 8n,
    2n ** 31n + 2n ** 32n,
  ])("alloc of %s bytes is the null handle and leaves the memory as it was", (size) => {
    expect(kernel.alloc(size)).toBe(0n);
    expect(kernel.memory.buffer.byteLength).toBe(65_536);
    expect(kernel.alloc(8n)).not.toBe(0n);
  });

  test.each([1n, 7n, HEAP, HEAP + 4n, 65_535n, 2n ** 32n - 1n, 2n ** 32n, TWO_64 - 1n])(
    "the length of %s, which is no handle, is 0, and freeing it does nothing",
    (handle) => {
      const block = kernel.alloc(64n);
      expect(kernel.length(handle)).toBe(0n);
      expect(kernel.length(block + 8n)).toBe(0n);
      kernel.free(handle);
      kernel.free(block + 8n);
      expect(kernel.length(block)).toBe(64n);
    },
  );

  test("freed memory stays readable, while its length is 0", () => {
    const block = kernel.alloc(8n);
    kernel.store_u64(block, 0x1122334455667788n);
    kernel.free(block);
    expect(kernel.load_u64(block)).toBe(0x1122334455667788n);
    expect(kernel.length(block)).toBe(0n);
  });

  test("a block freed twice is handed out once", () => {
    const block = kernel.alloc(32n);
    kernel.free(block);
    kernel.free(block);
    expect(kernel.alloc(32n)).toBe(block);
    expect(kernel.alloc(32n)).not.toBe(block);
  });

  test("reuses freed memory, so that allocating in a loop does not grow it", () => {
    for (let round = 0; round < 10_000; round++) kernel.free(kernel.alloc(40_000n));
    expect(kernel.memory.buffer.byteLength).toBe(65_536);
  });

  test("shares out one large freed block among small ones", () => {
    const large = kernel.alloc(1_048_576n);
    const pages = kernel.memory.buffer.byteLength;
    kernel.free(large);
    for (let block = 0; block < 500; block++) {
      const handle = kernel.alloc(1_000n);
      expect(handle).toBeGreaterThanOrEqual(large);
      expect(handle).toBeLessThan(large + 1_048_576n);
    }
    expect(kernel.memory.buffer.byteLength).toBe(pages);
  });

  test("keeps every block when the block table outgrows its place", () => {
    const handles = Array.from({ length: 10_000 }, (_, index) => {
      const handle = kernel.alloc(8n);
      kernel.store_u64(handle, BigInt(index));
      return handle;
    });
    for (const [index, handle] of handles.entries()) {
      expect(kernel.length(handle)).toBe(8n);
      expect(kernel.load_u64(handle)).toBe(BigInt(index));
    }
  });
});

describe("loads and stores", () => {
  const outside = [
    0n,
    8n,
    256n,
    HEAP - 1n,
    2n ** 31n,
    2n ** 32n,
    2n ** 63n,
    TWO_64 - 1n,
    TWO_64 - 7n,
  ];

  test.each(outside)("at %s, out of range, load 0 and store nothing", (offset) => {
    kernel.alloc(8n);
    const before = bytesAt(kernel, 0n, 65_536).slice();
    kernel.store_u8(offset, 0xff);
    kernel.store_u64(offset, TWO_64 - 1n);
    expect(kernel.load_u8(offset)).toBe(0);
    expect(kernel.load_u64(offset)).toBe(0n);
    expect(bytesAt(kernel, 0n, 65_536)).toEqual(before);
  });

  test("of eight bytes are refused where only seven are in range", () => {
    const block = kernel.alloc(8n);
    kernel.store_u64(block, TWO_64 - 1n);
    expect(kernel.load_u64(block)).toBe(-1n);
    expect(kernel.load_u64(block + 1n)).toBe(0n);
    kernel.store_u64(block + 1n, 0n);
    expect(kernel.load_u64(block)).toBe(-1n);
  });

  test("are little endian and need no alignment", () => {
    const block = kernel.alloc(16n);
    kernel.store_u64(block + 3n, 0x0807060504030201n);
    expect([...bytesAt(kernel, block + 3n, 8)]).toEqual([1, 2, 3, 4, 5, 6, 7, 8]);
    expect(kernel.load_u8(block + 4n)).toBe(2);
  });

  test("do not reach a block table that lies among the blocks", () => {
    const handles = Array.from({ length: 3_000 }, () => kernel.alloc(8n));
    const end = BigInt(kernel.memory.buffer.byteLength);
    for (let offset = HEAP; offset < end; offset++) kernel.store_u8(offset, 0xff);
    // All headers are destroyed: every handle is dead, and the kernel still serves.
    for (const handle of handles) expect(kernel.length(handle)).toBe(0n);
    const fresh = kernel.alloc(24n);
    expect(kernel.length(fresh)).toBe(24n);
    expect(fresh).toBeGreaterThan(handles.at(-1) ?? 0n);
  });
});

describe("a plugin that forges block headers", () => {
  test("cannot make another number of bytes out of its block", () => {
    const first = kernel.alloc(8n);
    const second = kernel.alloc(400n);
    kernel.store_u64(first - 8n, 2n);
    expect(kernel.length(first)).toBe(0n);
    expect(kernel.length(second)).toBe(400n);
  });

  test("cannot give the allocator memory that is in use", () => {
    const first = kernel.alloc(64n);
    const second = kernel.alloc(64n);
    kernel.store_u64(first, 2n);
    kernel.free(first + 8n);
    kernel.free(second - 8n);
    const third = kernel.alloc(64n);
    expect(third).toBeGreaterThanOrEqual(second + 64n);
  });

  test("gets a working block again when the freed one with the forged header is reused", () => {
    const block = kernel.alloc(64n);
    kernel.free(block);
    kernel.store_u64(block - 8n, TWO_64 - 1n);
    expect(kernel.alloc(64n)).toBe(block);
    expect(kernel.length(block)).toBe(64n);
  });
});

describe("input", () => {
  function giveInput(bytes: Uint8Array): bigint {
    const offset = kernel.begin_input(BigInt(bytes.length));
    bytesAt(kernel, offset, bytes.length).set(bytes);
    return offset;
  }

  test.each([0, 1, 7, 8, 9, 100])(
    "of %i bytes is read back exactly, and is 0 beyond its end",
    (size) => {
      const bytes = Uint8Array.from({ length: size }, (_, index) => index + 1);
      giveInput(bytes);
      expect(kernel.input_length()).toBe(BigInt(size));
      for (let index = 0; index < size; index++) {
        expect(kernel.input_load_u8(BigInt(index))).toBe(bytes[index]);
      }
      expect(kernel.input_load_u8(BigInt(size))).toBe(0);
      expect(kernel.input_load_u64(BigInt(size - 7))).toBe(0n);
      expect(kernel.input_load_u64(TWO_64 - 1n)).toBe(0n);
      expect(kernel.input_load_u8(TWO_64 - 1n)).toBe(0);
      const last = size < 8 ? 0n : new DataView(bytes.buffer).getBigInt64(size - 8, true);
      expect(kernel.input_load_u64(BigInt(size - 8))).toBe(last);
    },
  );

  test("is a live block, and freeing it sets its length to 0", () => {
    const offset = giveInput(Uint8Array.of(1, 2, 3));
    expect(kernel.input_offset()).toBe(offset);
    expect(kernel.length(offset)).toBe(3n);
    kernel.free(offset);
    expect(kernel.input_length()).toBe(0n);
    expect(kernel.input_load_u8(0n)).toBe(0);
  });

  test("that does not fit is the null handle with length 0", () => {
    expect(kernel.begin_input(2n ** 40n)).toBe(0n);
    expect(kernel.input_length()).toBe(0n);
  });
});

describe("output and error", () => {
  test("the output is the range that was set last", () => {
    const block = kernel.alloc(100n);
    kernel.output_set(block, 100n);
    kernel.output_set(block + 10n, 20n);
    expect([kernel.output_offset(), kernel.output_length()]).toEqual([block + 10n, 20n]);
    kernel.output_set(0n, 0n);
    expect(kernel.output_length()).toBe(0n);
  });

  test.each([
    [0n, 8n],
    [HEAP, TWO_64 - 1n],
    [HEAP, 2n ** 31n - 1n],
    [TWO_64 - 1n, 2n],
    [2n ** 32n, 1n],
    [HEAP - 1n, 2n],
  ])("an output range from %s of %s bytes, not all in memory, is ignored", (offset, length) => {
    const block = kernel.alloc(8n);
    kernel.output_set(block, 8n);
    kernel.output_set(offset, length);
    expect([kernel.output_offset(), kernel.output_length()]).toEqual([block, 8n]);
  });

  test("0 clears the error, and what is out of range does not replace it", () => {
    const block = kernel.alloc(8n);
    kernel.error_set(block);
    kernel.error_set(TWO_64 - 1n);
    kernel.error_set(16n);
    expect(kernel.error_get()).toBe(block);
    kernel.error_set(0n);
    expect(kernel.error_get()).toBe(0n);
  });
});

describe("reset", () => {
  test("leaves nothing of one call to the next, and starts over", () => {
    const offset = kernel.begin_input(1_000n);
    bytesAt(kernel, offset, 1_000).fill(0xaa);
    const handles = Array.from({ length: 5_000 }, (_, index) =>
      kernel.alloc(BigInt(8 + (index % 90))),
    );
    for (const handle of handles) kernel.store_u64(handle, TWO_64 - 1n);
    for (const handle of handles.slice(0, 2_500)) kernel.free(handle);
    kernel.output_set(offset, 1_000n);
    kernel.error_set(offset);
    kernel.reset();

    const heap = bytesAt(kernel, HEAP, kernel.memory.buffer.byteLength - Number(HEAP));
    expect(heap.every((byte) => byte === 0)).toBe(true);
    expect(kernel.input_length() + kernel.input_offset()).toBe(0n);
    expect(kernel.output_length() + kernel.output_offset()).toBe(0n);
    expect(kernel.error_get()).toBe(0n);
    for (const handle of handles) expect(kernel.length(handle)).toBe(0n);
    expect(kernel.alloc(1_000n)).toBe(offset);
  });
});

describe("under a cap on memory", () => {
  test("fills the memory to the cap, fails to the null handle, and serves again after a free", async () => {
    const capped = await startKernel(assembleKernel(4));
    const whole = 4n * 65_536n - HEAP - 8n;
    expect(capped.alloc(whole + 1n)).toBe(0n);
    const block = capped.alloc(whole);
    expect(capped.length(block)).toBe(whole);
    expect(capped.alloc(1n)).toBe(0n);
    capped.free(block);
    expect(capped.alloc(100n)).toBe(block);
  });
});
