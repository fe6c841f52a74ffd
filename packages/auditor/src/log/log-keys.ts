/**
 * @module The keys of a log, in its directory: `keys/000` is the first key as a vkey; each later file
 * is a note in which an earlier key endorses a new one. Whoever trusts one key of a log can so follow
 * it through its rotations, and a log that was re-keyed by someone else is found out.
 */
import { join } from "node:path";

import {
  type NoteSigner,
  openNote,
  parseVerifierKey,
  signNote,
  type VerifierKey,
} from "@glovebox/tlog/note";

import { AuditorError } from "../errors.ts";
import { MAX_CHECKPOINT_BYTES, MAX_LOG_KEYS } from "../limits.ts";
import { type LogFileSystem, nodeFileSystem } from "./file-system.ts";
import { readWhole, replaceDurably } from "./whole-file.ts";

const KEYS_DIRECTORY = "keys";
const ENDORSEMENT = "glovebox.log-key/v1";

/** The keys as the directory says. Nothing of it is trusted. */
export interface LogKeys {
  /** Says of itself that it is the log's first key. */
  readonly first: VerifierKey | undefined;
  /** Signed notes that endorse later keys. */
  readonly endorsements: readonly string[];
}

/** Reads the keys of a log. */
export async function readLogKeys(
  fileSystem: Pick<LogFileSystem, "open" | "list">,
  directory: string,
): Promise<LogKeys> {
  const names = (await fileSystem.list(join(directory, KEYS_DIRECTORY)))
    .filter((name) => /^\d{3}$/.test(name))
    .toSorted()
    .slice(0, MAX_LOG_KEYS);
  const texts: string[] = [];
  for (const name of names) {
    const bytes = await readWhole(
      fileSystem,
      join(directory, KEYS_DIRECTORY, name),
      MAX_CHECKPOINT_BYTES,
    );
    texts.push(bytes?.toString("utf8") ?? "");
  }
  const [raw = "", ...endorsements] = texts;
  const first = parseVerifierKey(raw.trimEnd());
  return { first: first.allowed ? first.value : undefined, endorsements };
}

/**
 * The keys of the log in a directory as vkeys, the first one first, as the directory says: whoever is
 * to believe them has to get them on another way.
 *
 * @throws {@link AuditorError} (`AUDITOR_DIRECTORY`)
 */
export async function readLogVerifierKeys(directory: string): Promise<readonly string[]> {
  const { first, endorsements } = await readLogKeys(nodeFileSystem, directory);
  if (first === undefined) return [];
  return followKeys([first], endorsements, first.name).map(({ vkey }) => vkey);
}

/** All keys that follow from the trusted ones: these, and what they endorsed for this origin. */
export function followKeys(
  trusted: readonly VerifierKey[],
  endorsements: readonly string[],
  origin: string,
): readonly VerifierKey[] {
  const keys = [...trusted];
  for (const note of endorsements) {
    const opened = openNote(note, keys);
    if (!opened.allowed) continue;
    const [header, ofOrigin, vkey = "", end, more] = opened.value.text.split("\n");
    const key = parseVerifierKey(vkey);
    const isOurs =
      header === ENDORSEMENT && ofOrigin === origin && end === "" && more === undefined;
    if (isOurs && key.allowed && !keys.some((known) => known.vkey === vkey)) keys.push(key.value);
  }
  return keys;
}

/**
 * Sees to it that the directory names every signer: the first as the log's first key, others by an
 * endorsement of a signer that is known. Answers all keys of the log.
 *
 * @throws {@link AuditorError} (`AUDITOR_KEY`) if no given signer continues the log's keys.
 */
export async function continueKeys(
  fileSystem: LogFileSystem,
  directory: string,
  origin: string,
  signers: readonly NoteSigner[],
): Promise<readonly VerifierKey[]> {
  const folder = join(directory, KEYS_DIRECTORY);
  const { first, endorsements } = await readLogKeys(fileSystem, directory);
  const all = [...endorsements];
  let keys: readonly VerifierKey[];
  if (first === undefined) {
    const [signer] = signers;
    const key = parseVerifierKey(signer?.vkey ?? "");
    if (!key.allowed) throw new AuditorError("AUDITOR_KEY", { message: key.reason });
    if (endorsements.length > 0)
      throw new AuditorError("AUDITOR_KEY", { message: "the log's first key is gone" });
    await fileSystem.makeDirectory(folder);
    await fileSystem.syncDirectory(directory);
    await replaceDurably(fileSystem, join(folder, "000"), Buffer.from(`${key.value.vkey}\n`));
    keys = [key.value];
  } else {
    keys = followKeys([first], endorsements, origin);
  }
  for (const signer of signers) {
    if (keys.some(({ vkey }) => vkey === signer.vkey)) continue;
    const known = signers.find(({ vkey }) =>
      keys.some((key) => key.vkey === vkey && key.type === 0x01),
    );
    if (known === undefined) {
      const message = `no given key is one of the log's; the first is ${keys[0]?.vkey ?? "unknown"}`;
      throw new AuditorError("AUDITOR_KEY", { message });
    }
    const note = await signNote(`${ENDORSEMENT}\n${origin}\n${signer.vkey}\n`, [known]);
    all.push(note);
    const name = String(all.length).padStart(3, "0");
    await replaceDurably(fileSystem, join(folder, name), Buffer.from(note));
    keys = followKeys(keys, [note], origin);
  }
  return keys;
}
