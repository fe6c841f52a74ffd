/**
 * A process that a plugin has taken over sends file operations of its own: without a shape, on handles
 * that it never got, with sizes that would fill the host. None reaches a file, none allocates.
 */
import { allow } from "@glovebox/core/decision";
import type { FileHandle } from "@glovebox/core/ports";
import { callScope, memoryHostServices } from "@glovebox/testkit";
import { memoryFiles } from "@glovebox/testkit/files";
import { expect, it } from "vitest";

import { OpenFiles } from "../../src/host/file-calls.ts";
import {
  decodeAnswer,
  encodeFileCall,
  FILE_CALL,
  type FileCall,
  rightBits,
} from "../../src/protocol/file-calls.ts";

const EMPTY = { flags: 0, rights: 0, handle: 0, first: 0n, second: 0n, parts: [] };
const path = new TextEncoder().encode("/a.txt");
const call = (kind: number, more: Partial<FileCall> = {}): Uint8Array =>
  encodeFileCall({ ...EMPTY, ...more, kind });

async function answerOf(open: OpenFiles, payload: Uint8Array): Promise<unknown> {
  const files = memoryFiles({ files: { "/a.txt": "content" } });
  const answer = decodeAnswer(await open.answer(payload, files, callScope()));
  return typeof answer === "string" ? answer : answer.length;
}

it.each([
  ["nothing", new Uint8Array(0)],
  ["half a head", new Uint8Array(23)],
  ["an operation that there is none of", call(99, { parts: [path] })],
  ["no path", call(FILE_CALL.OPEN)],
  ["three paths", call(FILE_CALL.RENAME, { parts: [path, path, path] })],
  ["a path that is longer than the payload", Uint8Array.of(...call(FILE_CALL.STAT), 255, 0, 0, 0)],
])("ends the process for %s", async (_what, payload) => {
  await expect(answerOf(new OpenFiles(), payload)).rejects.toThrow("file operation");
});

it.each([
  ["a handle that nobody got", call(FILE_CALL.READ, { handle: 1, second: 10n }), "EBADF"],
  ["a handle that nobody got, to close", call(FILE_CALL.CLOSE, { handle: 1 }), "EBADF"],
  ["a path that is no text", call(FILE_CALL.STAT, { parts: [Uint8Array.of(255)] }), "EINVAL"],
])("refuses %s", async (_what, payload, condition) => {
  expect(await answerOf(new OpenFiles(), payload)).toBe(condition);
});

it.each([
  ["a negative place", { first: -1n, second: 1n }],
  ["a place that no double holds", { first: 2n ** 60n, second: 1n }],
  ["a negative size", { first: 0n, second: -1n }],
])("refuses to read at %s", async (_what, numbers) => {
  const open = new OpenFiles();
  await answerOf(open, call(FILE_CALL.OPEN, { rights: rightBits(["read"]), parts: [path] }));
  expect(await answerOf(open, call(FILE_CALL.READ, { handle: 1, ...numbers }))).toBe("EINVAL");
});

it("never asks a file for more than a mebibyte", async () => {
  const asked: number[] = [];
  const handle = {
    readAt: async (_offset: number, max: number) => {
      asked.push(max);
      return new Uint8Array(4 * 2 ** 20); // more than was asked for
    },
  } as Partial<FileHandle> as FileHandle;
  const files = memoryHostServices({ files: { open: async () => allow("test", handle) } }).files;
  const open = new OpenFiles();
  await open.answer(call(FILE_CALL.OPEN, { parts: [path] }), files, callScope());
  const payload = call(FILE_CALL.READ, { handle: 1, second: 2n ** 40n });
  expect((await open.answer(payload, files, callScope())).length).toBe(1 + 2 ** 20);
  expect(asked).toEqual([2 ** 20]);
});

it("keeps 256 files open at most, those on their way included, and one more for one closed", async () => {
  let opened = 0;
  const handle = { close: async () => undefined } as Partial<FileHandle> as FileHandle;
  const { files } = memoryHostServices({
    files: {
      async open() {
        opened += 1;
        return allow("test", handle);
      },
    },
  });
  const open = new OpenFiles();
  const ask = async (kind: number, more: Partial<FileCall>): Promise<unknown> =>
    decodeAnswer(await open.answer(call(kind, more), files, callScope()));
  const answers = await Promise.all(
    Array.from({ length: 300 }, () => ask(FILE_CALL.OPEN, { parts: [path] })),
  );
  expect(answers.filter((answer) => answer === "EMFILE")).toHaveLength(300 - 256);
  expect(await ask(FILE_CALL.OPEN, { parts: [path] })).toBe("EMFILE");
  expect(opened).toBe(256);
  await ask(FILE_CALL.CLOSE, { handle: 1 });
  expect(await ask(FILE_CALL.OPEN, { parts: [path] })).not.toBe("EMFILE");
});

it("closes a file that was still being opened when its call ended", async () => {
  const opening = Promise.withResolvers<void>();
  let closed = 0;
  const handle = { close: async () => void (closed += 1) } as Partial<FileHandle> as FileHandle;
  const { files } = memoryHostServices({
    files: {
      async open() {
        await opening.promise;
        return allow("test", handle);
      },
    },
  });
  const open = new OpenFiles();
  const answer = open.answer(call(FILE_CALL.OPEN, { parts: [path] }), files, callScope());
  await open[Symbol.asyncDispose]();
  opening.resolve();
  expect(decodeAnswer(await answer)).toBe("ECANCELED");
  expect(closed).toBe(1);
});

it("tells nothing of what a port throws", async () => {
  const { files } = memoryHostServices({
    files: {
      stat: async () => {
        throw new Error("EACCES: /srv/secret-folder");
      },
    },
  });
  const answer = await new OpenFiles().answer(
    call(FILE_CALL.STAT, { parts: [path] }),
    files,
    callScope(),
  );
  expect(decodeAnswer(answer)).toBe("EIO");
  expect(answer.length).toBe(1);
});
