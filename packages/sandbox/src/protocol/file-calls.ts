/**
 * @module File operations as host calls: the file port of core/ports, one call per operation, so that
 * an ABI in the runner can stand on it. Both sides derive their coding from the tables here. What the
 * runner sends is attacker-controlled; what it gets back, it got from its host.
 *
 * A call: u8 operation · u8 flags · u16 rights · u32 handle · i64 · i64 · byte strings (see parts.ts).
 * An answer: u8 condition (0 = it went well) · content.
 */
import type { FileCondition, FileRight, FileStat } from "@glovebox/core/ports";

import { decodeParts, encodeParts } from "./parts.ts";

/** The operations; the two numbers and the byte strings mean what the comment says. */
export const FILE_CALL = {
  /** rights, {@link FILE_FLAG}; path → u32 handle */
  OPEN: 1,
  CLOSE: 2,
  /** offset, most bytes → bytes */
  READ: 3,
  /** offset; bytes */
  WRITE: 4,
  /** size */
  TRUNCATE: 5,
  SYNC: 6,
  /** → {@link encodeStat} */
  HANDLE_STAT: 7,
  /** accessed and modified in nanoseconds, as far as the flags say */
  HANDLE_SET_TIMES: 8,
  /** path → {@link encodeStat} */
  STAT: 9,
  /** accessed and modified in nanoseconds, as far as the flags say; path */
  SET_TIMES: 10,
  /** most names; path, cursor? → {@link encodePage} */
  LIST: 11,
  /** from, to */
  RENAME: 12,
  /** path */
  REMOVE_FILE: 13,
  /** path */
  REMOVE_DIRECTORY: 14,
  /** path */
  MAKE_DIRECTORY: 15,
  /** target, path */
  SYMLINK: 16,
  /** path → target */
  READ_LINK: 17,
  /** from, to */
  LINK: 18,
} as const;

/** One of the operations. */
export type FileCallKind = (typeof FILE_CALL)[keyof typeof FILE_CALL];

/** Bits of `flags`. */
export const FILE_FLAG = {
  EXCLUSIVE: 1,
  TRUNCATE: 2,
  FOLLOW_LINKS: 4,
  SET_ACCESSED: 8,
  SET_MODIFIED: 16,
} as const;

/** The right of each bit of `rights`. */
export const FILE_RIGHTS: readonly FileRight[] = [
  "read",
  "write",
  "create",
  "append",
  "truncate",
  "setTimes",
  "list",
  "stat",
  "delete",
  "rename",
  "mkdir",
  "link",
];

/** The condition of each first byte of an answer, from 1. */
export const FILE_CONDITIONS: readonly FileCondition[] = [
  "EACCES",
  "EBADF",
  "EBUSY",
  "ECANCELED",
  "EDQUOT",
  "EEXIST",
  "EFBIG",
  "EINVAL",
  "EIO",
  "EISDIR",
  "ELOOP",
  "EMFILE",
  "EMLINK",
  "ENAMETOOLONG",
  "ENOENT",
  "ENOSPC",
  "ENOTDIR",
  "ENOTEMPTY",
  "ENOTSUP",
  "EPERM",
  "EROFS",
  "EXDEV",
];

const KINDS: readonly FileStat["kind"][] = ["file", "directory", "link"];
const CALL_BYTES = 24;
const STAT_BYTES = 56;
const ENTRY_BYTES = 9;
const MAX_CALL_PARTS = 2;
const MAX_ENTRIES = 4096;
const encoder = new TextEncoder();
const decoder = new TextDecoder();

/** One call. */
export interface FileCall {
  readonly kind: number;
  readonly flags: number;
  /** Bits of {@link FILE_RIGHTS}. */
  readonly rights: number;
  readonly handle: number;
  readonly first: bigint;
  readonly second: bigint;
  readonly parts: readonly Uint8Array[];
}

/** What a stat answers, with times in nanoseconds since 1970. */
export interface StatAnswer {
  readonly kind: FileStat["kind"];
  readonly size: bigint;
  readonly accessedNs: bigint;
  readonly modifiedNs: bigint;
  readonly changedNs: bigint;
  readonly id: bigint;
  readonly links: bigint;
}

/** What a listing answers: names with an id that equals the object's, or 0. */
export interface PageAnswer {
  readonly entries: readonly {
    readonly name: string;
    readonly kind: FileStat["kind"];
    readonly id: bigint;
  }[];
  readonly cursor: string | undefined;
}

/** The bytes of a call. */
export function encodeFileCall(call: FileCall): Uint8Array {
  const parts = encodeParts(call.parts);
  const bytes = new Uint8Array(CALL_BYTES + parts.length);
  const view = new DataView(bytes.buffer);
  view.setUint8(0, call.kind);
  view.setUint8(1, call.flags);
  view.setUint16(2, call.rights, true);
  view.setUint32(4, call.handle, true);
  view.setBigInt64(8, call.first, true);
  view.setBigInt64(16, call.second, true);
  bytes.set(parts, CALL_BYTES);
  return bytes;
}

/** The call in a payload; `undefined` when it has none's shape. */
export function decodeFileCall(payload: Uint8Array): FileCall | undefined {
  if (payload.length < CALL_BYTES) return undefined;
  const view = viewOf(payload);
  const parts = decodeParts(payload.subarray(CALL_BYTES), MAX_CALL_PARTS);
  if (parts === undefined) return undefined;
  return {
    kind: view.getUint8(0),
    flags: view.getUint8(1),
    rights: view.getUint16(2, true),
    handle: view.getUint32(4, true),
    first: view.getBigInt64(8, true),
    second: view.getBigInt64(16, true),
    parts,
  };
}

/** The bits of rights. */
export function rightBits(rights: Iterable<FileRight>): number {
  let bits = 0;
  for (const right of rights) bits |= 1 << FILE_RIGHTS.indexOf(right);
  return bits;
}

/** The rights of bits. */
export function rightsOf(bits: number): Set<FileRight> {
  return new Set(FILE_RIGHTS.filter((_, at) => (bits & (1 << at)) !== 0));
}

/** An answer that went well. */
export function encodeContent(content: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(1 + content.length);
  bytes.set(content, 1);
  return bytes;
}

/** An answer that says why it did not. */
export function encodeCondition(condition: FileCondition): Uint8Array {
  return Uint8Array.of(1 + FILE_CONDITIONS.indexOf(condition));
}

/** The content of an answer, or the condition. */
export function decodeAnswer(answer: Uint8Array): Uint8Array | FileCondition {
  const status = answer[0] ?? 0;
  return status === 0 ? answer.subarray(1) : (FILE_CONDITIONS[status - 1] ?? "EIO");
}

/** A handle as bytes. */
export function encodeHandle(handle: number): Uint8Array {
  const bytes = new Uint8Array(4);
  viewOf(bytes).setUint32(0, handle, true);
  return bytes;
}

/** The handle in an answer to OPEN. */
export function decodeHandle(content: Uint8Array): number {
  return viewOf(content).getUint32(0, true);
}

/** A stat as bytes. */
export function encodeStat(stat: StatAnswer): Uint8Array {
  const bytes = new Uint8Array(STAT_BYTES);
  const view = viewOf(bytes);
  view.setUint8(0, KINDS.indexOf(stat.kind));
  const { size, accessedNs, modifiedNs, changedNs, id, links } = stat;
  for (const [at, value] of [size, accessedNs, modifiedNs, changedNs, id, links].entries()) {
    view.setBigUint64(8 + 8 * at, value, true);
  }
  return bytes;
}

/** The stat in an answer. */
export function decodeStat(content: Uint8Array): StatAnswer {
  const view = viewOf(content);
  const [size = 0n, accessedNs = 0n, modifiedNs = 0n, changedNs = 0n, id = 0n, links = 0n] =
    Array.from({ length: 6 }, (_, at) => view.getBigUint64(8 + 8 * at, true));
  return { kind: kindAt(view.getUint8(0)), size, accessedNs, modifiedNs, changedNs, id, links };
}

/** A page as bytes: the cursor (no byte = the last page), then kind, id and name of each entry. */
export function encodePage({ entries, cursor }: PageAnswer): Uint8Array {
  const parts = entries.map(({ name, kind, id }) => {
    const text = encoder.encode(name);
    const bytes = new Uint8Array(ENTRY_BYTES + text.length);
    bytes[0] = KINDS.indexOf(kind);
    viewOf(bytes).setBigUint64(1, id, true);
    bytes.set(text, ENTRY_BYTES);
    return bytes;
  });
  return encodeParts([encoder.encode(cursor ?? ""), ...parts]);
}

/** The page in an answer. */
export function decodePage(content: Uint8Array): PageAnswer {
  const [cursor, ...entries] = decodeParts(content, 1 + MAX_ENTRIES) ?? [];
  return {
    cursor: cursor === undefined || cursor.length === 0 ? undefined : decoder.decode(cursor),
    entries: entries.map((bytes) => ({
      kind: kindAt(bytes[0] ?? 0),
      id: viewOf(bytes).getBigUint64(1, true),
      name: decoder.decode(bytes.subarray(ENTRY_BYTES)),
    })),
  };
}

function kindAt(place: number): FileStat["kind"] {
  return KINDS[place] ?? "file";
}

function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
