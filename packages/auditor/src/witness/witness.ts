/**
 * @module A witness (C2SP tlog-witness): it cosigns a log's checkpoint once it has seen proof that the
 * log continues what it cosigned before, and so a log that shows two histories needs a witness that
 * errs. Two hosts can witness each other. What is asked comes from anyone: only the log's key, and
 * the proof, count. The newest checkpoint is durable before its cosignature leaves.
 */
import { hash } from "node:crypto";
import { join } from "node:path";

import { type OpenedCheckpoint, openCheckpoint, parseCheckpoint } from "@glovebox/tlog/checkpoint";
import {
  type NoteSigner,
  parseNote,
  parseVerifierKey,
  signNote,
  type VerifierKey,
} from "@glovebox/tlog/note";
import { verifyConsistency } from "@glovebox/tlog/tree";

import { AuditorError } from "../errors.ts";
import { MAX_CHECKPOINT_BYTES } from "../limits.ts";
import {
  checkDirectories,
  type LogFileSystem,
  nodeFileSystem,
  prepareDirectory,
} from "../log/file-system.ts";
import { readWhole, replaceDurably } from "../log/whole-file.ts";
import { acquireLock } from "../log/writer-lock.ts";

/** Whom a witness serves, and as whom. */
export interface WitnessOptions {
  /** A directory that belongs to this witness alone. */
  readonly directory: string;
  /** The keys of the logs that it watches, as vkeys; a key's name is its log's origin. */
  readonly logs: readonly string[];
}

/** What a witness answers, as HTTP. */
export interface WitnessAnswer {
  readonly status: number;
  readonly contentType: string;
  readonly body: string;
}

/** A witness at work. */
export interface Witness extends AsyncDisposable {
  /** `POST <prefix>/add-checkpoint`. */
  addCheckpoint(body: Uint8Array): Promise<WitnessAnswer>;
  /** `GET <prefix>/<SHA-256 of the origin in hex>/checkpoint`. */
  latest(originHash: string): Promise<WitnessAnswer>;
  close(): Promise<void>;
}

const HASH_LINE = /^[A-Za-z0-9+/]{43}=$/;
const MAX_PROOF_LINES = 63;

/**
 * Opens a witness. `signer` is of type 04 or 06.
 *
 * @throws {@link AuditorError} (`AUDITOR_OPTION`, `AUDITOR_DIRECTORY`, `AUDITOR_LOCKED`)
 */
export async function openWitness(
  { directory, logs }: WitnessOptions,
  deps: { readonly signer: NoteSigner; readonly fileSystem?: LogFileSystem },
): Promise<Witness> {
  const { signer, fileSystem = nodeFileSystem } = deps;
  const keys = logs.map(keyOf);
  const own = keyOf(signer.vkey);
  if (own.type === 0x01) throw option("a witness has a key of type 04 or 06");
  await prepareDirectory(directory, fileSystem);
  await checkDirectories(directory);
  const lock = await acquireLock(directory);
  /** One request of a log at a time: between check and record nothing may change. */
  const queues = new Map<string, Promise<unknown>>();

  const pathOf = (origin: string): string => join(directory, hash("sha256", origin));

  async function addCheckpoint(body: Uint8Array): Promise<WitnessAnswer> {
    const request = parseRequest(body);
    if (request === undefined) return text(400, "malformed request");
    const { origin } = request;
    const trusted = keys.filter(({ name }) => name === origin);
    if (trusted.length === 0) return text(404, "unknown origin");
    const before = queues.get(origin) ?? Promise.resolve();
    const answer = before.catch(() => undefined).then(() => decide(request, trusted));
    queues.set(origin, answer);
    return answer;
  }

  async function decide(request: Request, trusted: readonly VerifierKey[]): Promise<WitnessAnswer> {
    const opened = openCheckpoint(request.checkpoint, trusted);
    if (!opened.allowed) return text(403, opened.reason);
    const { size, root } = opened.value;
    if (request.oldSize > size) return text(400, "the old size is beyond the checkpoint's");
    const known = await recorded(request.origin, trusted);
    if (request.oldSize !== (known?.size ?? 0)) {
      return { status: 409, contentType: "text/x.tlog.size", body: `${known?.size ?? 0}\n` };
    }
    const proved = verifyConsistency({
      oldSize: request.oldSize,
      oldRoot: known?.root ?? Buffer.from(hash("sha256", "", "hex"), "hex"),
      newSize: size,
      newRoot: root,
      proof: request.proof,
    });
    if (!proved.allowed) return text(422, proved.reason);
    const cosigned = await signNote(opened.value.note.text, [signer]);
    const line = cosigned.slice(opened.value.note.text.length + 1);
    await replaceDurably(
      fileSystem,
      pathOf(request.origin),
      Buffer.from(request.checkpoint + line),
    );
    return text(200, line);
  }

  async function recorded(
    origin: string,
    trusted: readonly VerifierKey[],
  ): Promise<OpenedCheckpoint | undefined> {
    const raw = await readWhole(fileSystem, pathOf(origin), MAX_CHECKPOINT_BYTES);
    if (raw === undefined) return undefined;
    const opened = openCheckpoint(raw, [...trusted, own]);
    // Without its memory a witness could be made to cosign a fork.
    if (!opened.allowed) throw new AuditorError("AUDITOR_LOG_INVALID", { message: opened.reason });
    return opened.value;
  }

  return {
    addCheckpoint,
    async latest(originHash) {
      const key = keys.find(({ name }) => hash("sha256", name) === originHash);
      const raw =
        key === undefined
          ? undefined
          : await readWhole(fileSystem, pathOf(key.name), MAX_CHECKPOINT_BYTES);
      return raw === undefined ? text(404, "unknown origin") : text(200, raw.toString("utf8"));
    },
    close: () => lock.release(),
    [Symbol.asyncDispose]: () => lock.release(),
  };
}

/** A request that has the right form. */
interface Request {
  readonly oldSize: number;
  readonly proof: readonly Buffer[];
  readonly checkpoint: string;
  readonly origin: string;
}

function parseRequest(body: Uint8Array): Request | undefined {
  if (body.length > MAX_CHECKPOINT_BYTES) return undefined;
  const raw = Buffer.from(body).toString("utf8");
  const end = raw.indexOf("\n\n");
  const [oldLine = "", ...proof] = raw.slice(0, Math.max(end, 0)).split("\n");
  const [, oldSize] = /^old (0|[1-9]\d{0,15})$/.exec(oldLine) ?? [];
  if (end < 0 || oldSize === undefined || !Number.isSafeInteger(Number(oldSize))) return undefined;
  if (proof.length > MAX_PROOF_LINES || !proof.every((line) => HASH_LINE.test(line)))
    return undefined;
  const checkpoint = raw.slice(end + 2);
  const note = parseNote(checkpoint);
  const parsed = note.allowed ? parseCheckpoint(note.value.text) : note;
  if (!parsed.allowed) return undefined;
  const hashes = proof.map((line) => Buffer.from(line, "base64"));
  return { oldSize: Number(oldSize), proof: hashes, checkpoint, origin: parsed.value.origin };
}

function keyOf(vkey: string): VerifierKey {
  const key = parseVerifierKey(vkey);
  if (!key.allowed) throw option(key.reason);
  return key.value;
}

function option(message: string): AuditorError {
  return new AuditorError("AUDITOR_OPTION", { message });
}

function text(status: number, body: string): WitnessAnswer {
  return {
    status,
    contentType: "text/plain; charset=utf-8",
    body: body.endsWith("\n") ? body : `${body}\n`,
  };
}
