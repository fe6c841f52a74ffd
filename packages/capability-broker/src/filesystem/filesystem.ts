/**
 * @module Files for one grant: decide, record, open step by step, check what was opened, and only
 * then touch a byte. Work runs on libuv's pool here; O_PATH keeps FIFOs and devices from blocking
 * it, a stalled disk still can.
 */
import { constants } from "node:fs";

import { type Decision, allow, failClosedAsync, refuse } from "@glovebox/core/decision";
import { received } from "@glovebox/core/errors";
import type {
  CallScope,
  FileDecision,
  FileHandle,
  FileOpenOptions,
  FilePort,
  FileRefusal,
  FileRight,
} from "@glovebox/core/ports";

import { BrokerError } from "../errors.ts";
import type { FileTotals, FilesystemGrant } from "../grant/grant.ts";
import type { RevocationCell } from "../grant/revocation.ts";
import { type GrantUse, assertUse, checkUse } from "../grant/use.ts";
import { type Recorder, recordedText } from "../record.ts";
import { fileError, fileRefusal, refusalOf } from "./condition.ts";
import { type ResolvedPath, decidePath, isExtensionGranted } from "./decide.ts";
import { assertTimes, createDescribe, secondsOf } from "./describe.ts";
import { type Descriptor, calls, rethrowCoded } from "./descriptor.ts";
import { type CallTotals, createHandle } from "./handle.ts";
import type { HostRoot, HostRoots } from "./host-root.ts";
import { listFolder } from "./list.ts";
import { type SeenObject, createFile, inside, openFile, openFolder, openSeen } from "./walk.ts";

/** What the port works with. */
export interface FilesystemContext extends GrantUse {
  readonly grant: FilesystemGrant | undefined;
  readonly cell: RevocationCell;
  readonly recorder: Recorder;
  readonly roots: HostRoots;
}

interface Place {
  readonly path: ResolvedPath;
  readonly root: HostRoot;
  /** The folder that holds the object. */
  readonly folder: Descriptor;
  readonly name: string;
}

const { O_RDONLY, O_RDWR, O_WRONLY, O_APPEND } = constants;

/** The port of one grant. */
export function createFilePort(context: FilesystemContext): FilePort {
  const { grant, cell, recorder, roots } = context;
  const totalsOf = createTotals(grant?.totals);
  const describe = createDescribe();
  let openFiles = 0;

  function decide(
    scope: CallScope,
    raw: unknown,
    rights: ReadonlySet<FileRight>,
  ): Decision<ResolvedPath> {
    const use = checkUse(context, cell, scope);
    if (!use.allowed) return use;
    return grant === undefined
      ? refuse("BROKER_FILES_NOT_GRANTED", "filesystem.grant", "the plugin has no file grant")
      : decidePath(grant, raw, rights);
  }

  /** Records the decision, then acts; what the opened object forbids becomes a refusal and an event. */
  async function perform<P, T>(
    scope: CallScope,
    kind: string,
    decision: Decision<P>,
    raw: unknown,
    act: (value: P) => Promise<T>,
  ): Promise<FileDecision<T>> {
    const answer = await failClosedAsync(kind, async (): Promise<Decision<T>> => {
      const details = { path: recordedText(raw) };
      const recorded = await recorder.decideBefore(scope, kind, decision, details);
      if (!recorded.allowed) return recorded;
      scope.meter.add("fileOperations", 1);
      try {
        assertUse(context, cell, scope);
        return allow(recorded.rule, await act(recorded.value));
      } catch (error) {
        if (!(error instanceof BrokerError)) throw error;
        recorder.ended(scope, kind, error.code, details);
        return refusalOf(error, `${received(raw)}: ${error.message}`);
      }
    });
    if (answer.allowed) return answer;
    return "condition" in answer ? (answer as FileRefusal) : fileRefusal(answer);
  }

  /** Opens the folder that holds the object for as long as `run` takes. */
  async function at<T>(path: ResolvedPath, run: (place: Place) => Promise<T>): Promise<T> {
    const root = await roots.rootOf(path.folder.host);
    await using folder = await openFolder(root, root.device, path.components.slice(0, -1));
    // Awaited here: the folder is closed when this function is left. The granted folder itself is
    // `.` inside its own descriptor.
    return await run({ path, root, folder, name: path.components.at(-1) ?? "." });
  }

  async function openAt(
    place: Place,
    scope: CallScope,
    rights: ReadonlySet<FileRight>,
    options: FileOpenOptions,
  ): Promise<FileHandle> {
    const { path, root } = place;
    const limit = grant?.totals.maxOpenFiles ?? 0;
    if (openFiles >= limit)
      throw fileError("BROKER_FILE_QUOTA", `${openFiles} of ${limit} files are open`);
    openFiles += 1;
    let fd: number | undefined;
    try {
      fd = await openOrCreate(place, rights, options);
      const { ino: inode } = await calls.fstat(fd);
      // Revoked while it was opened: the descriptor is not handed out.
      assertUse(context, cell, scope);
      const stop = (): void => open.fail("BROKER_CANCELLED");
      const open = createHandle({
        fd,
        inode,
        rights,
        root,
        scope,
        folder: path.folder,
        totals: totalsOf(scope),
        describe,
        assertUsable: () => assertUse(context, cell, scope),
        onEnd({ code, ...bytes }) {
          openFiles -= 1;
          unregister();
          scope.signal.removeEventListener("abort", stop);
          recorder.ended(scope, "file.close", code, { path: recordedText(path.guest), ...bytes });
        },
      });
      const unregister = cell.onRevoke(() => open.fail("BROKER_REVOKED"));
      scope.signal.addEventListener("abort", stop, { once: true });
      return open.handle;
    } catch (error) {
      openFiles -= 1;
      if (fd !== undefined) await calls.close(fd);
      throw error;
    }
  }

  const withoutLinks = async (): Promise<FileRefusal> =>
    fileRefusal(refuse("BROKER_RIGHT_NOT_GRANTED", "filesystem.rights", "links are not served"));

  return {
    folders: (grant?.folders ?? []).flatMap(({ guest, rights }) =>
      rights.length > 0 ? [guest] : [],
    ),
    symlink: withoutLinks,
    readLink: withoutLinks,
    link: withoutLinks,
    open(scope, raw, rights, options = {}) {
      const decision =
        flagsOf(rights) === undefined || (options.truncate === true && !rights.has("truncate"))
          ? refuse(
              "BROKER_RIGHT_NOT_GRANTED",
              "filesystem.rights",
              "a file is opened to read, write, append or truncate",
            )
          : decide(scope, raw, rights);
      return perform(scope, "file.open", decision, raw, (path) =>
        at(path, async (place) => {
          const handle = await openAt(place, scope, rights, options);
          try {
            if (options.truncate === true) await handle.truncate(0);
            return handle;
          } catch (error) {
            await handle.close();
            throw error;
          }
        }),
      );
    },
    stat(scope, raw) {
      return perform(scope, "file.stat", decide(scope, raw, new Set(["stat"])), raw, (path) =>
        at(path, async (place) => {
          await using seen = await openGranted(place);
          return describe(seen.stats);
        }),
      );
    },
    setTimes(scope, raw, times) {
      const decision = decide(scope, raw, new Set(["setTimes"]));
      return perform(scope, "file.setTimes", decision, raw, (path) =>
        at(path, async (place) => {
          assertTimes(times);
          await using seen = await openGranted(place);
          const { accessed, modified } = secondsOf(times, seen.stats);
          await calls.utimes(`/proc/self/fd/${seen.fd}`, accessed, modified).catch(rethrowCoded);
        }),
      );
    },
    list(scope, raw, cursor, max) {
      return perform(
        scope,
        "file.list",
        decide(scope, raw, new Set(["list"])),
        raw,
        async (path) => {
          const root = await roots.rootOf(path.folder.host);
          await using folder = await openFolder(root, root.device, path.components);
          return await listFolder(folder, path.folder, cursor, max);
        },
      );
    },
    mkdir(scope, raw) {
      return perform(scope, "file.mkdir", decide(scope, raw, new Set(["mkdir"])), raw, (path) =>
        at(path, ({ folder, name }) =>
          calls.mkdir(inside(folder, name), 0o700).catch(rethrowCoded),
        ),
      );
    },
    remove(scope, raw, kind) {
      return perform(scope, "file.remove", decide(scope, raw, new Set(["delete"])), raw, (path) =>
        at(path, (place) => place.root.change(() => removeAt(place, kind))),
      );
    },
    rename(scope, rawFrom, rawTo) {
      const from = decide(scope, rawFrom, new Set(["rename"]));
      const to = decide(scope, rawTo, new Set(["rename"]));
      return perform(scope, "file.rename", pairOf(from, to), [rawFrom, rawTo].join(" → "), (pair) =>
        at(pair.from, (source) =>
          at(pair.to, (target) => source.root.change(() => renameAt(source, target))),
        ),
      );
    },
  };
}

/** The object, when a regular file of this name is granted; folders pass. */
async function openGranted({ path, root, folder, name }: Place): Promise<SeenObject> {
  const seen = await openSeen(folder, root.device, name);
  const problem =
    seen.stats.isFile() && (path.namesDirectory || !isExtensionGranted(path.folder, name));
  if (!problem) return seen;
  await seen[Symbol.asyncDispose]();
  throw path.namesDirectory
    ? fileError("BROKER_FILE_KIND", "a trailing slash names a folder, this is a file")
    : fileError("BROKER_PATH_EXTENSION");
}

async function openOrCreate(
  place: Place,
  rights: ReadonlySet<FileRight>,
  options: FileOpenOptions,
): Promise<number> {
  const { root, folder, name, path } = place;
  const flags = flagsOf(rights) ?? O_RDONLY;
  const create = (): Promise<number> =>
    root.change(async () => {
      root.reserve(path.folder, 0, 1);
      try {
        return await createFile(folder, name, flags);
      } catch (error) {
        root.release(0, 1);
        throw error;
      }
    });
  if (rights.has("create") && options.exclusive === true) return create();
  try {
    await using seen = await openSeen(folder, root.device, name);
    return await openFile(seen, path.folder, flags);
  } catch (error) {
    const isMissing = error instanceof BrokerError && error.code === "BROKER_FILE_NOT_FOUND";
    if (isMissing && rights.has("create")) return create();
    throw error;
  }
}

async function removeAt(place: Place, kind?: "file" | "directory"): Promise<void> {
  await using seen = await openGranted(place);
  if (kind === "file" && !seen.stats.isFile())
    throw fileError("BROKER_FILE_KIND", "a folder", "EISDIR");
  if (kind === "directory" && !seen.stats.isDirectory())
    throw fileError("BROKER_FILE_KIND", "no folder", "ENOTDIR");
  const target = inside(place.folder, place.name);
  if (seen.stats.isDirectory()) return await calls.rmdir(target).catch(rethrowCoded);
  await calls.unlink(target).catch(rethrowCoded);
  place.root.removed(seen.stats.ino, seen.stats.size);
}

async function renameAt(source: Place, target: Place): Promise<void> {
  await using moved = await openGranted(source);
  if (
    moved.stats.isFile() &&
    (target.path.namesDirectory || !isExtensionGranted(target.path.folder, target.name))
  ) {
    throw fileError("BROKER_PATH_EXTENSION", "the new name has no granted extension");
  }
  await using replaced = await openGranted(target).catch((error: unknown) => {
    if (error instanceof BrokerError && error.code === "BROKER_FILE_NOT_FOUND") return undefined;
    throw error;
  });
  await calls
    .rename(inside(source.folder, source.name), inside(target.folder, target.name))
    .catch(rethrowCoded);
  if (replaced?.stats.isFile() === true && replaced.stats.ino !== moved.stats.ino) {
    target.root.removed(replaced.stats.ino, replaced.stats.size);
  }
}

function pairOf(
  from: Decision<ResolvedPath>,
  to: Decision<ResolvedPath>,
): Decision<{ readonly from: ResolvedPath; readonly to: ResolvedPath }> {
  if (!from.allowed) return from;
  if (!to.allowed) return to;
  return from.value.folder.host === to.value.folder.host
    ? allow(from.rule, { from: from.value, to: to.value })
    : refuse(
        "BROKER_RIGHT_NOT_GRANTED",
        "filesystem.rename",
        "the two paths lie in different host folders",
      );
}

/** Open flags for the rights; `undefined` when they hold nothing to open a file for. */
function flagsOf(rights: ReadonlySet<FileRight>): number | undefined {
  const writes =
    rights.has("write") || rights.has("append") || rights.has("truncate") || rights.has("create");
  if (!writes) return rights.has("read") ? O_RDONLY : undefined;
  const appendOnly = rights.has("append") && !rights.has("write");
  return (rights.has("read") ? O_RDWR : O_WRONLY) | (appendOnly ? O_APPEND : 0);
}

/** Totals of each call, found by its signal, which lives exactly as long as the call. */
function createTotals(limits: FileTotals | undefined): (scope: CallScope) => CallTotals {
  const calls_ = new WeakMap<AbortSignal, CallTotals>();
  return (scope) => {
    let totals = calls_.get(scope.signal);
    if (totals === undefined) {
      totals = {
        takeRead: counter("read", limits?.maxReadBytesPerCall ?? 0),
        takeWritten: counter("written", limits?.maxWrittenBytesPerCall ?? 0),
      };
      calls_.set(scope.signal, totals);
    }
    return totals;
  };
}

function counter(verb: string, max: number): (bytes: number) => void {
  let used = 0;
  return (bytes) => {
    if (used + bytes > max)
      throw fileError("BROKER_FILE_QUOTA", `${used} of ${max} bytes ${verb} in this call`);
    used += bytes;
  };
}
