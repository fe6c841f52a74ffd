/**
 * @module `glovebox audit keys DIR` prints the keys that others need to believe a host's logs and its
 * witness; `glovebox audit rewrap DIR` rotates the key that wraps the keys of persons.
 */
import { readdir } from "node:fs/promises";
import { join, resolve } from "node:path";

import { RETENTION_CLASSES } from "@glovebox/auditor";
import { readLogVerifierKeys } from "@glovebox/auditor/log";

import { openOffline, type OperatorOptions, requestOf } from "./audit-offline.ts";
import { readWrappingKey } from "./audit/audit-config.ts";
import { openWitnessKey } from "./audit/own-witness.ts";
import { EXIT, fail, type Terminal } from "./command-line.ts";

/** Prints `log` lines of a policy file, and with a name the key of the witness, made if need be. */
export async function auditKeys(
  directory: string,
  { witness }: { readonly witness?: string },
  terminal: Terminal,
): Promise<number> {
  const path = resolve(directory);
  const names: readonly string[] = await readdir(path).catch(() => []);
  for (const kept of Object.keys(RETENTION_CLASSES).filter((name) => names.includes(name))) {
    for (const vkey of await readLogVerifierKeys(join(path, kept))) {
      await terminal.out(`log ${vkey}\n`);
    }
  }
  if (witness === undefined) return EXIT.ok;
  const { vkey } = await openWitnessKey(path, witness);
  await terminal.out(`witness ${witness} ${vkey}\n`);
  return EXIT.ok;
}

/** Options of `audit rewrap`. */
export interface RewrapOptions extends OperatorOptions {
  readonly newWrappingKey?: string;
  readonly keyCopy?: readonly string[];
}

/** Wraps the keys of persons under another key. */
export async function auditRewrap(
  directory: string,
  options: RewrapOptions,
  terminal: Terminal,
): Promise<number> {
  const request = requestOf(options);
  const { newWrappingKey, keyCopy: keyCopies } = options;
  const next = newWrappingKey === undefined ? undefined : await readWrappingKey(newWrappingKey);
  await using auditor = await openOffline(directory, options, keyCopies && { keyCopies });
  const rotated = await auditor.erasure.rotateWrappingKey(request, next);
  if (!rotated.allowed) return fail(terminal, { code: rotated.code, message: rotated.reason });
  await terminal.out(`${JSON.stringify(rotated.value)}\n`);
  return EXIT.ok;
}
