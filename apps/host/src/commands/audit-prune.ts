/**
 * @module `glovebox audit prune DIR`: removes what is older than its class is kept, at once, for a host
 * that does not run; one that does prunes by its own schedule. Prints what is left of each class.
 */
import { openOffline, type OperatorOptions, requestOf } from "./audit-offline.ts";
import { EXIT, type Terminal } from "./command-line.ts";
import { escapeJson } from "./json-text.ts";
import { parseDays } from "./retention-class.ts";

/** Options of the command. */
export interface PruneOptions extends OperatorOptions {
  /** `CLASS=DAYS`; beats the configuration. */
  readonly days?: readonly string[];
}

/** Runs the command. */
export async function auditPrune(
  directory: string,
  options: PruneOptions,
  terminal: Terminal,
): Promise<number> {
  const request = requestOf(options);
  const days = parseDays(options.days ?? []);
  await using auditor = await openOffline(directory, options, { retentionDays: days });
  for (const cleaned of await auditor.retention.cleanUp(request)) {
    await terminal.out(`${escapeJson(JSON.stringify(cleaned))}\n`);
  }
  return EXIT.ok;
}
