/** @module The commands of `glovebox audit` besides `verify`, as data. */
import { type Command, Option } from "commander";

import type { ExportOptions, PersonOptions } from "./audit-person.ts";
import type { RawQueryOptions } from "./audit-query.ts";
import type { Terminal } from "./command-line.ts";

/** Adds them; `collect` gathers an option that is given several times. */
export function addAuditCommands(
  audit: Command,
  terminal: Terminal,
  done: (exit: number) => void,
  collect: (value: string, before: readonly string[] | undefined) => readonly string[],
): void {
  withFilter(audit.command("query"))
    .description("Looks for events; personal fields stay encrypted.")
    .argument("<dir>", "directory of the logs")
    .option("--json", "as JSON")
    .action(async (directory: string, options: RawQueryOptions) => {
      const { auditQuery } = await import("./audit-query.ts");
      done(await auditQuery(directory, options, terminal));
    });
  withFilter(withReason(audit.command("export")))
    .description("Writes what is kept of a person, in the clear, and says so in the log.")
    .argument("<dir>", "directory of the logs; no host may be running on it")
    .argument("[person]", "the person's id, as it was recorded")
    .option("--plaintext", "loosening: a page of everybody's events instead")
    .action(async (directory: string, person: string | undefined, options: ExportOptions) => {
      const { auditExport } = await import("./audit-person.ts");
      done(await auditExport(directory, person, options, terminal));
    });
  withReason(audit.command("erase"))
    .description("Destroys a person's key, and with it what is kept of that person.")
    .argument("<dir>", "directory of the logs; no host may be running on it")
    .argument("<person>", "the person's id, as it was recorded")
    .option("--key-copy <dir>", "copy of the key directory to reach, too; repeatable", collect)
    .action(async (directory: string, person: string, options: PersonOptions) => {
      const { auditErase } = await import("./audit-person.ts");
      done(await auditErase(directory, person, options, terminal));
    });
}

function withReason(command: Command): Command {
  return command
    .requiredOption("--reason <text>", "why, for the log")
    .requiredOption("--operator <name>", "who does it, for the log");
}

function withFilter(command: Command): Command {
  return command
    .option("--since <time>", "at or after, such as 2026-11-26T21:40:00Z")
    .option("--until <time>", "before")
    .option("--plugin <id>", "of a plugin")
    .option("--kind <kind>", "of a kind")
    .option("--actor <name>", "host, operator:NAME, or a pseudonym")
    .addOption(new Option("--decision <decision>").choices(["allowed", "refused"]))
    .option("--code <code>", "with a code")
    .addOption(new Option("--order <order>").choices(["newest", "oldest"]))
    .option("--limit <number>", "events at most (default: 100)")
    .option("--cursor <text>", "where the page before ended");
}
