/**
 * @module `glovebox audit erase DIR PERSON` and `glovebox audit export DIR [PERSON]`: what a data
 * protection officer needs. Both write to the log, so that no host may be running on it, and both say
 * in it who did what and why.
 */
import { usageError } from "../errors.ts";
import { openOffline, type OperatorOptions, requestOf } from "./audit-offline.ts";
import { parseQuery, type RawQueryOptions } from "./audit-query.ts";
import { EXIT, fail, type Terminal } from "./command-line.ts";
import { escapeJson } from "./json-text.ts";

/** Why and by whom. */
export interface PersonOptions extends OperatorOptions {
  readonly keyCopy?: readonly string[];
}

/** Options of `audit export`. */
export interface ExportOptions extends PersonOptions, RawQueryOptions {
  /** Loosening: a page of everybody's events in the clear. */
  readonly plaintext?: boolean;
}

/** Destroys a person's key, and with it what is kept of that person. */
export async function auditErase(
  directory: string,
  person: string,
  options: PersonOptions,
  terminal: Terminal,
): Promise<number> {
  const request = requestOf(options);
  const { keyCopy: keyCopies } = options;
  await using auditor = await openOffline(directory, options, keyCopies && { keyCopies });
  const erased = await auditor.erasure.erase(person, request);
  if (!erased.allowed) return fail(terminal, { code: erased.code, message: erased.reason });
  await terminal.out(`${JSON.stringify(erased.value)}\n`);
  return EXIT.ok;
}

/** Writes what is kept of a person, or a page of everything, in the clear, as JSON lines. */
export async function auditExport(
  directory: string,
  person: string | undefined,
  options: ExportOptions,
  terminal: Terminal,
): Promise<number> {
  if ((person === undefined) !== (options.plaintext === true)) {
    throw usageError("a person is named, or --plaintext for everybody is");
  }
  const request = requestOf(options);
  const query = parseQuery(options);
  await using auditor = await openOffline(directory, options);
  const { erasure } = auditor;
  if (person === undefined) {
    const page = await erasure.revealEvents(query, request);
    if (!page.allowed) return fail(terminal, { code: page.code, message: page.reason });
    for (const found of page.value.events) await terminal.out(line(found));
    if (page.value.cursor !== undefined) terminal.err(`more: --cursor ${page.value.cursor}\n`);
    return EXIT.ok;
  }
  const events = await erasure.exportPerson(person, request);
  if (!events.allowed) return fail(terminal, { code: events.code, message: events.reason });
  for await (const found of events.value) await terminal.out(line(found));
  return EXIT.ok;
}

function line(found: object): string {
  return `${escapeJson(JSON.stringify(found))}\n`;
}
