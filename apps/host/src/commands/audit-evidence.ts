/**
 * @module Evidence that a log has shown two histories: kept by `audit verify --evidence`, checked by
 * `audit check-evidence` wherever the log's key is known, without log and witness.
 */
import { writeFile } from "node:fs/promises";

import { verifyForkEvidence } from "@glovebox/tlog/checkpoint";
import { parseVerifierKey } from "@glovebox/tlog/note";

import { HostError, usageError } from "../errors.ts";
import { MAX_EVIDENCE_BYTES } from "../limits.ts";
import { readOperatorFile } from "../operator-file.ts";
import { EXIT, fail, type Terminal } from "./command-line.ts";

/** Writes evidence to a new file. @throws {@link HostError} (`HOST_FILE`) */
export async function keepEvidence(path: string, evidence: string): Promise<void> {
  await writeFile(path, evidence, { flag: "wx", mode: 0o600 }).catch((cause: unknown) => {
    const { code = "unknown error" } = cause as { code?: string };
    throw new HostError("HOST_FILE", { message: `${path} cannot be made: ${code}`, cause });
  });
}

/** Prints both checkpoints if the evidence stands. */
export async function checkEvidence(
  path: string,
  { key: vkey }: { readonly key: string },
  terminal: Terminal,
): Promise<number> {
  const key = parseVerifierKey(vkey);
  if (!key.allowed) throw usageError(`--key is a vkey: ${key.reason}`);
  const evidence = (await readOperatorFile(path, MAX_EVIDENCE_BYTES)).toString("utf8");
  const proved = verifyForkEvidence(evidence, [key.value]);
  if (!proved.allowed) return fail(terminal, { code: proved.code, message: proved.reason });
  // Signed by the key that is named, so that nobody else's text is shown.
  await terminal.out(`${proved.value.older}\n${proved.value.newer}`);
  return EXIT.ok;
}
