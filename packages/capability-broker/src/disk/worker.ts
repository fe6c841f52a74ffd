/**
 * @module The file worker: a thread of its own that does one request after the other with
 * synchronous calls, so that a disk which does not answer stops this thread and no other. Handles
 * live here as numbers; what they may be used for is decided on the host's thread.
 */
import { fstatSync, fsyncSync } from "node:fs";
import { parentPort, workerData } from "node:worker_threads";

import { loadFileCalls } from "@glovebox/linux/files";

import { openAside, publish, substituteFor } from "./aside.ts";
import { conditionIn, fileError } from "./condition.ts";
import { createDescribe } from "./describe.ts";
import { codedError, unlessMissing } from "./descriptor.ts";
import {
  type SeenInode,
  linkEntry,
  listEntries,
  makeFolder,
  makeLink,
  readLink,
  removeEntry,
  renameEntry,
  setTimesOf,
  statEntry,
} from "./entries.ts";
import { keepDescriptors } from "./kept-descriptors.ts";
import { type OpenFile, closeFile, openFile, readAt, resize, writeAt } from "./open-file.ts";
import type {
  FileOperation,
  FileOperations,
  FileReply,
  FileRequest,
  Seen,
  WorkerSetup,
} from "./protocol.ts";
import { createRoots } from "./roots.ts";
import { assertTimes, createSetTimes } from "./times.ts";
import { chooseOpener } from "./walk.ts";

type Operations = {
  readonly [Op in FileOperation]: (
    request: FileOperations[Op]["request"],
  ) => FileOperations[Op]["answer"];
};

/** Serves requests until the thread ends. */
function serveFiles(): void {
  const setup = workerData as WorkerSetup;
  const calls = loadFileCalls(setup.koffiEntry);
  const opener = chooseOpener(calls, setup.opener);
  const describe = createDescribe(setup.idKey);
  let slot = 0;
  const isCancelled = (): boolean => slot >= 0 && Atomics.load(setup.cancelled, slot) === 1;
  const { temporaryDirectory } = setup;
  const kept = keepDescriptors(setup.kept);
  const roots = createRoots({ opener, calls, temporaryDirectory, isCancelled, kept });
  const setTimes = createSetTimes(calls);
  const context = { opener, roots, setTimes, isCancelled };
  const open = new Map<number, OpenFile>();
  let lastHandle = 0;

  function keep(file: OpenFile): number {
    lastHandle += 1;
    open.set(lastHandle, file);
    return lastHandle;
  }

  function fileOf(handle: number): OpenFile {
    const file = open.get(handle);
    if (file === undefined) throw fileError("BROKER_FILE_CLOSED");
    return file;
  }

  function inodeOf(seen: Seen | undefined): SeenInode {
    return typeof seen === "number" ? fileOf(seen).inode : seen;
  }

  function close(handle: number): void {
    const file = open.get(handle);
    open.delete(handle);
    if (file !== undefined) closeFile(opener, file);
  }

  const operations: Operations = {
    open(request) {
      const root = roots.rootOf(request.path.root);
      return keep((request.aside ? openAside : openFile)(opener, root, request));
    },
    readAt: ({ handle, offset, max }) => readAt(fileOf(handle), offset, max),
    writeAt: ({ handle, offset, bytes }) => writeAt(fileOf(handle), offset, bytes),
    truncate: ({ handle, size }) => resize(fileOf(handle), size),
    sync: ({ handle }) => fsyncSync(fileOf(handle).fd),
    handleStat: ({ handle }) => describe(fstatSync(fileOf(handle).fd, { bigint: true })),
    handleTimes({ handle, times }) {
      assertTimes(times);
      setTimes(fileOf(handle).fd, times);
    },
    substitute: ({ handle }) => keep(substituteFor(fileOf(handle))),
    publish: ({ handle }) => void open.set(handle, publish(opener, fileOf(handle))),
    close: ({ handle }) => close(handle),
    stat: ({ path, followLinks }) => describe(statEntry(context, path, followLinks)),
    setTimes({ path, times, followLinks }) {
      assertTimes(times);
      setTimesOf(context, path, times, followLinks);
    },
    list: ({ path, cursor, max }) => listEntries(context, path, cursor, max, describe),
    rename: ({ from, to, seen }) => renameEntry(context, from, to, inodeOf(seen)),
    remove: ({ path, kind }) => removeEntry(context, path, kind),
    mkdir: ({ path }) => makeFolder(context, path),
    symlink: ({ target, path }) => makeLink(context, target, path),
    readLink: ({ path }) => readLink(context, path),
    link: ({ from, to, seen }) => linkEntry(context, from, to, inodeOf(seen)),
    dropTemporary: ({ keys }) => roots.dropTemporary(keys),
    shutDown() {
      for (const handle of Array.from(open.keys())) unlessMissing(() => close(handle));
      roots.close();
    },
  };

  parentPort?.on("message", (message: FileRequest) => {
    slot = message.slot;
    const answered = replyTo(message);
    const accounts = roots.takeChanged();
    const reply: FileReply = accounts.length === 0 ? answered : { ...answered, accounts };
    const isBytes = reply.ok && reply.answer instanceof Uint8Array;
    parentPort?.postMessage(reply, isBytes ? [reply.answer.buffer as ArrayBuffer] : []);
  });

  function replyTo<Op extends FileOperation>({ id, op, request }: FileRequest<Op>): FileReply {
    try {
      // Nobody waits any more: the grant was revoked, or the call has ended.
      if (isCancelled()) throw fileError("BROKER_CANCELLED");
      return { id, ok: true, answer: operations[op](request) };
    } catch (error) {
      const coded = codedError(error);
      const { code, message } = coded;
      return { id, ok: false, error: { code, message, condition: conditionIn(coded) } };
    }
  }
}

serveFiles();
