/**
 * @module `glovebox audit hold place|list|lift`: legal holds, which keep a class from being pruned, or
 * a person from being erased. Placing and lifting is said in the log.
 */
import { openAuditReader } from "@glovebox/auditor";

import { usageError } from "../errors.ts";
import { openOffline, type OperatorOptions, requestOf } from "./audit-offline.ts";
import { EXIT, fail, type Terminal } from "./command-line.ts";
import { escapeJson } from "./json-text.ts";
import { parseClass } from "./retention-class.ts";

/** Options of `hold place`. */
export interface HoldOptions extends OperatorOptions {
  readonly class?: string;
  readonly person?: string;
}

/** Places a hold, and prints it. */
export async function placeHold(
  directory: string,
  options: HoldOptions,
  terminal: Terminal,
): Promise<number> {
  const { person, class: kept } = options;
  if ((person === undefined) === (kept === undefined)) {
    throw usageError("a hold is on --class or on --person");
  }
  const { reason, actor } = requestOf(options);
  const target = person === undefined ? { class: parseClass("--class", kept ?? "") } : { person };
  await using auditor = await openOffline(directory, options);
  const placed = await auditor.retention.placeHold(target, reason, actor);
  if (!placed.allowed) return fail(terminal, { code: placed.code, message: placed.reason });
  await terminal.out(line(placed.value));
  return EXIT.ok;
}

/** Prints the holds that stand, also while a host runs. */
export async function listHolds(directory: string, terminal: Terminal): Promise<number> {
  await using reader = await openAuditReader(directory);
  for (const hold of await reader.holds()) await terminal.out(line(hold));
  return EXIT.ok;
}

/** Lifts a hold, and prints it. */
export async function liftHold(
  directory: string,
  id: string,
  options: OperatorOptions,
  terminal: Terminal,
): Promise<number> {
  const { reason, actor } = requestOf(options);
  await using auditor = await openOffline(directory, options);
  const lifted = await auditor.retention.liftHold(id, reason, actor);
  if (!lifted.allowed) return fail(terminal, { code: lifted.code, message: lifted.reason });
  await terminal.out(line(lifted.value));
  return EXIT.ok;
}

function line(hold: object): string {
  return `${escapeJson(JSON.stringify(hold))}\n`;
}
