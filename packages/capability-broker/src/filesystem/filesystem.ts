/**
 * @module Files for one grant: decide, record, and have a file worker do it. What only shows on the
 * opened object, the worker decides; its refusal is recorded like any other.
 */
import { type Decision, allow, failClosedAsync, refuse } from "@glovebox/core/decision";
import { received } from "@glovebox/core/errors";
import type { GrantId } from "@glovebox/core/ids";
import type {
  CallScope,
  FileDecision,
  FileHandle,
  FileOpenOptions,
  FilePort,
  FileRefusal,
  FileRight,
} from "@glovebox/core/ports";

import { fileError, fileRefusal, refusalOf } from "../disk/condition.ts";
import type { FileOperation, FileOperations, PlacedPath, RootPlace } from "../disk/protocol.ts";
import { BrokerError } from "../errors.ts";
import type { FilesystemGrant, FolderGrant } from "../grant/grant.ts";
import type { QuotaState } from "../grant/quota-state.ts";
import type { RevocationCell } from "../grant/revocation.ts";
import { type GrantUse, checkUse } from "../grant/use.ts";
import type { Inspection } from "../inspection/transform.ts";
import { type EventDetails, type Recorder, recordedText } from "../record.ts";
import { type ResolvedPath, decidePath } from "./decide.ts";
import type { FileCrew } from "./file-crew.ts";
import { folderQuotas } from "./file-quotas.ts";
import { createFileUse } from "./file-use.ts";
import { createHandle } from "./handle.ts";
import { type RunOnLane, assertUnchanged, publishInspected } from "./inspect.ts";

/** What the port works with. */
export interface FilesystemContext extends GrantUse {
  readonly grantId: GrantId;
  readonly grant: FilesystemGrant | undefined;
  readonly cell: RevocationCell;
  readonly recorder: Recorder;
  readonly crew: FileCrew;
  readonly inspection: Inspection;
}

/** The port of one grant, and what ends with it. */
export interface GrantedFiles {
  readonly port: FilePort;
  /** What is used of its folders. */
  quotas(): readonly QuotaState[];
  /** Removes the grant's temporary folders. */
  unload(): void;
}

/** The port of one grant. */
export function createFiles(context: FilesystemContext): GrantedFiles {
  const { grant, cell, recorder, inspection } = context;
  const use = createFileUse(context, cell, context.crew, grant?.totals);
  const folders = grant?.folders ?? [];
  let openFiles = 0;

  function decide(scope: CallScope, raw: unknown, ...rights: FileRight[]): Decision<PlacedPath> {
    return decideFor(scope, raw, new Set(rights));
  }

  function decideFor(
    scope: CallScope,
    raw: unknown,
    rights: ReadonlySet<FileRight>,
  ): Decision<PlacedPath> {
    const usable = checkUse(context, cell, scope);
    if (!usable.allowed) return usable;
    if (grant === undefined)
      return refuse("BROKER_FILES_NOT_GRANTED", "filesystem.grant", "the plugin has no file grant");
    const decision = decidePath(grant, raw, rights);
    return decision.allowed ? allow(decision.rule, placed(decision.value)) : decision;
  }

  function placed({ guest: _guest, ...path }: ResolvedPath): PlacedPath {
    return { ...path, root: rootOf(path.folder) };
  }

  function rootOf(folder: FolderGrant): RootPlace {
    const { host } = folder;
    return typeof host === "string"
      ? { kind: "host", path: host }
      : { kind: "temporary", key: temporaryKey(folder) };
  }

  function temporaryKey(folder: FolderGrant): string {
    return `${context.grantId}-${folders.indexOf(folder)}`;
  }

  /** Records the decision, then acts; what the worker refuses becomes a refusal and an event. */
  async function perform<P, T>(
    scope: CallScope,
    kind: string,
    decision: Decision<P>,
    details: EventDetails,
    act: (value: P) => Promise<T>,
  ): Promise<FileDecision<T>> {
    const answer = await failClosedAsync(kind, async (): Promise<Decision<T>> => {
      const recorded = await recorder.decideBefore(scope, kind, decision, details);
      if (!recorded.allowed) return recorded;
      scope.meter.add("fileOperations", 1);
      try {
        use.assertUsable(scope);
        return allow(recorded.rule, await act(recorded.value));
      } catch (error) {
        if (!(error instanceof BrokerError)) throw error;
        recorder.ended(scope, kind, error.code, {
          ...details,
          reason: recordedText(error.message),
        });
        return refusalOf(
          error,
          `${Object.values(details).map(received).join(", ")}: ${error.message}`,
        );
      }
    });
    if (answer.allowed) return answer;
    // oxlint-disable-next-line no-unsafe-type-assertion -- refusalOf has set it
    return "condition" in answer ? (answer as FileRefusal) : fileRefusal(answer);
  }

  /** One request about one path, in the table's terms. */
  function about<Op extends FileOperation>(
    scope: CallScope,
    raw: unknown,
    kind: string,
    decision: Decision<PlacedPath>,
    op: Op,
    request: (path: PlacedPath) => FileOperations[Op]["request"],
  ): Promise<FileDecision<FileOperations[Op]["answer"]>> {
    return perform(scope, kind, decision, { path: recordedText(raw) }, (path) =>
      use.run(scope, use.laneOf(path.root), op, request(path)),
    );
  }

  async function openAt(
    scope: CallScope,
    path: PlacedPath,
    raw: string,
    rights: ReadonlySet<FileRight>,
    options: FileOpenOptions,
  ): Promise<FileHandle> {
    const limit = grant?.totals.maxOpenFiles ?? 0;
    if (openFiles >= limit)
      throw fileError("BROKER_FILE_QUOTA", `${openFiles} of ${limit} files are open`, "EMFILE");
    const lane = use.laneOf(path.root);
    const { exclusive = false, truncate = false, followLinks = true, atomic = false } = options;
    // Under a scanner nothing that is written may be seen before it was looked at.
    const aside = changes(rights) && (atomic || inspection.file !== undefined);
    openFiles += 1;
    let isOpen = false;
    try {
      const id = await use.run(
        scope,
        lane,
        "open",
        { path, rights: [...rights], exclusive, truncate, followLinks, aside },
        { onLate: (late) => lane.submit("close", { handle: late }, { isOwed: true }) },
      );
      isOpen = true;
      const details = { path: recordedText(raw) };
      return createHandle({
        id,
        lane,
        use,
        scope,
        rights,
        publishesAlways: !atomic,
        ...(aside ? { publish: (handle) => publish(scope, raw, run(scope, lane), handle) } : {}),
        onChange: (change) => recordChange(scope, `file.${change}`, details),
        onEnd({ code, ...bytes }) {
          openFiles -= 1;
          recorder.ended(scope, "file.close", code, { ...details, ...bytes });
        },
      });
    } finally {
      if (!isOpen) openFiles -= 1;
    }
  }

  function run(scope: CallScope, lane: ReturnType<typeof use.laneOf>): RunOnLane {
    return (op, request) => use.run(scope, lane, op, request);
  }

  /** A change through a handle has its place in the log before it is made. */
  function recordChange(scope: CallScope, kind: string, details: EventDetails): void {
    const recorded = recorder.decide(scope, kind, allow("filesystem.handle", undefined), details);
    if (!recorded.allowed) throw fileError("BROKER_NOT_RECORDED", recorded.reason);
  }

  async function publish(
    scope: CallScope,
    raw: string,
    onLane: RunOnLane,
    handle: number,
  ): Promise<void> {
    const published = await perform(
      scope,
      "file.publish",
      allow("filesystem.publish", undefined),
      { path: recordedText(raw) },
      () => publishInspected(onLane, handle, inspection.file?.(scope, raw)),
    );
    if (!published.allowed)
      throw fileError(codeOf(published), published.reason, published.condition);
  }

  /** Gives a file another name, after a look at what it holds under that name. */
  function renamed(
    op: "rename" | "link",
    scope: CallScope,
    decision: Decision<{ readonly from: PlacedPath; readonly to: PlacedPath }>,
    rawFrom: string,
    rawTo: string,
  ): Promise<FileDecision<void>> {
    const details = { path: recordedText(rawFrom), to: recordedText(rawTo) };
    return perform(scope, `file.${op}`, decision, details, async (pair) => {
      const lane = use.laneOf(pair.from.root);
      const transform = inspection.file?.(scope, rawTo);
      if (transform === undefined) return use.run(scope, lane, op, pair);
      const seen = await openToLook(scope, lane, pair.from);
      if (seen === undefined) return use.run(scope, lane, op, { ...pair, seen: "noFile" });
      try {
        await assertUnchanged(run(scope, lane), seen, transform);
        return await use.run(scope, lane, op, { ...pair, seen });
      } finally {
        await lane.submit("close", { handle: seen }, { isOwed: true }).answer;
      }
    });
  }

  /** A file to look at; `undefined` for a folder or a link, which hold nothing to look at. */
  async function openToLook(
    scope: CallScope,
    lane: ReturnType<typeof use.laneOf>,
    path: PlacedPath,
  ): Promise<number | undefined> {
    const how = { exclusive: false, truncate: false, followLinks: false, aside: false };
    try {
      return await use.run(scope, lane, "open", { path, rights: ["read"], ...how });
    } catch (error) {
      if (error instanceof BrokerError && error.code === "BROKER_FILE_KIND") return undefined;
      throw error;
    }
  }

  const port: FilePort = {
    folders: folders.flatMap(({ guest, rights }) => (rights.length > 0 ? [guest] : [])),
    open(scope, raw, rights, options = {}) {
      const decision = isOpenable(rights, options)
        ? decideFor(scope, raw, rights)
        : refuse(
            "BROKER_RIGHT_NOT_GRANTED",
            "filesystem.rights",
            "a file is opened to read, write, append, truncate or create",
          );
      return perform(scope, "file.open", decision, { path: recordedText(raw) }, (path) =>
        openAt(scope, path, raw, rights, options),
      );
    },
    stat(scope, raw, { followLinks = true } = {}) {
      const decision = decide(scope, raw, "stat");
      return about(scope, raw, "file.stat", decision, "stat", (path) => ({ path, followLinks }));
    },
    setTimes(scope, raw, times, { followLinks = true } = {}) {
      const decision = decide(scope, raw, "setTimes");
      return about(scope, raw, "file.setTimes", decision, "setTimes", (path) => ({
        path,
        times,
        followLinks,
      }));
    },
    list(scope, raw, cursor, max) {
      const decision = decide(scope, raw, "list");
      return about(scope, raw, "file.list", decision, "list", (path) => ({ path, cursor, max }));
    },
    mkdir(scope, raw) {
      return about(scope, raw, "file.mkdir", decide(scope, raw, "mkdir"), "mkdir", (path) => ({
        path,
      }));
    },
    remove(scope, raw, kind) {
      const decision = decide(scope, raw, "delete");
      return about(scope, raw, "file.remove", decision, "remove", (path) => ({ path, kind }));
    },
    symlink(scope, target, raw) {
      const decision = decide(scope, raw, "link");
      return about(scope, raw, "file.symlink", decision, "symlink", (path) => ({ target, path }));
    },
    readLink(scope, raw) {
      const decision = decide(scope, raw, "link");
      return about(scope, raw, "file.readLink", decision, "readLink", (path) => ({ path }));
    },
    rename(scope, from, to) {
      const pair = pairOf(decide(scope, from, "rename"), decide(scope, to, "rename"), sameHost);
      return renamed("rename", scope, pair, from, to);
    },
    link(scope, from, to) {
      const pair = pairOf(decide(scope, from, "link"), decide(scope, to, "link"), sameFolder);
      return renamed("link", scope, pair, from, to);
    },
  };

  return {
    port,
    quotas: () =>
      folders.flatMap((folder) => folderQuotas(folder, context.crew.accounts.of(rootOf(folder)))),
    unload() {
      const keys = folders.flatMap((folder) =>
        typeof folder.host === "string" ? [] : [temporaryKey(folder)],
      );
      if (keys.length === 0) return;
      const lane = use.laneOf({ kind: "temporary", key: "" });
      const dropped = lane.submit("dropTemporary", { keys }, { isOwed: true }).answer;
      void dropped.catch(() => undefined).then(() => context.crew.accounts.forget(keys));
    },
  };
}

type Pair = { readonly from: PlacedPath; readonly to: PlacedPath };

function pairOf(
  from: Decision<PlacedPath>,
  to: Decision<PlacedPath>,
  fits: (pair: Pair) => boolean,
): Decision<Pair> {
  if (!from.allowed) return from;
  if (!to.allowed) return to;
  const pair = { from: from.value, to: to.value };
  return fits(pair)
    ? allow(from.rule, pair)
    : refuse(
        "BROKER_RIGHT_NOT_GRANTED",
        "filesystem.rename",
        "the two paths lie in different folders",
      );
}

const sameHost = ({ from, to }: Pair): boolean =>
  from.root.kind === "host" && to.root.kind === "host"
    ? from.root.path === to.root.path
    : sameFolder({ from, to });

const sameFolder = ({ from, to }: Pair): boolean => from.folder === to.folder;

function isOpenable(rights: ReadonlySet<FileRight>, { truncate }: FileOpenOptions): boolean {
  if (truncate === true && !rights.has("truncate")) return false;
  return rights.has("read") || changes(rights);
}

function changes(rights: ReadonlySet<FileRight>): boolean {
  return (
    rights.has("write") || rights.has("append") || rights.has("truncate") || rights.has("create")
  );
}

function codeOf(refusal: FileRefusal): BrokerError["code"] {
  return refusal.code as BrokerError["code"];
}
