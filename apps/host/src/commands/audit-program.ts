/** @module The commands of `glovebox audit` besides `verify`, as data. */
import { type Command, Option } from "commander";

import type { HoldOptions } from "./audit-hold.ts";
import type { RewrapOptions } from "./audit-keys.ts";
import type { OperatorOptions } from "./audit-offline.ts";
import type { ExportOptions, PersonOptions } from "./audit-person.ts";
import type { PruneOptions } from "./audit-prune.ts";
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
    .description("Prints the events that match; personal fields stay encrypted.")
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
  addHolds(audit, terminal, done);
  withReason(audit.command("prune"))
    .description("Removes what is older than its class is kept, and prints what is left.")
    .argument("<dir>", "directory of the logs; no host may be running on it")
    .option("--days <class=days>", "how long a class is kept; `ever` for ever; repeatable", collect)
    .action(async (directory: string, options: PruneOptions) => {
      const { auditPrune } = await import("./audit-prune.ts");
      done(await auditPrune(directory, options, terminal));
    });
  withReason(audit.command("rewrap"))
    .description("Wraps the keys of persons under another key, and destroys the old one.")
    .argument("<dir>", "directory of the logs; no host may be running on it")
    .option("--new-wrapping-key <file>", "32 random bytes (default: a new one beside the keys)")
    .option("--key-copy <dir>", "copy of the key directory to reach, too; repeatable", collect)
    .action(async (directory: string, options: RewrapOptions) => {
      const { auditRewrap } = await import("./audit-keys.ts");
      done(await auditRewrap(directory, options, terminal));
    });
  audit
    .command("keys")
    .description("Prints the keys that others need, as lines of a policy file (C2SP tlog-policy).")
    .argument("<dir>", "directory of the logs")
    .option("--witness <name>", "also that of the host's witness, made if there is none")
    .action(async (directory: string, options: { readonly witness?: string }) => {
      const { auditKeys } = await import("./audit-keys.ts");
      done(await auditKeys(directory, options, terminal));
    });
  audit
    .command("schema")
    .description("Prints the statement that makes the table of a PostgreSQL mirror.")
    .option("--table <name>", "name of the table (default: audit_events)")
    .action(async ({ table }: { readonly table?: string }) => {
      const { postgresSchema } = await import("@glovebox/auditor/sinks");
      await terminal.out(`${postgresSchema(table)};\n`);
    });
}

function addHolds(audit: Command, terminal: Terminal, done: (exit: number) => void): void {
  const hold = audit.command("hold").description("Legal holds against pruning and erasure.");
  withReason(hold.command("place"))
    .description("Keeps a class from being pruned, or a person from being erased.")
    .argument("<dir>", "directory of the logs; no host may be running on it")
    .option("--class <class>", "security, activity or operations")
    .option("--person <id>", "the person's id, as it was recorded")
    .action(async (directory: string, options: HoldOptions) => {
      const { placeHold } = await import("./audit-hold.ts");
      done(await placeHold(directory, options, terminal));
    });
  hold
    .command("list")
    .description("Prints the holds that stand.")
    .argument("<dir>", "directory of the logs")
    .action(async (directory: string) => {
      const { listHolds } = await import("./audit-hold.ts");
      done(await listHolds(directory, terminal));
    });
  withReason(hold.command("lift"))
    .description("Lifts a hold.")
    .argument("<dir>", "directory of the logs; no host may be running on it")
    .argument("<id>", "of the hold, as it was printed")
    .action(async (directory: string, id: string, options: OperatorOptions) => {
      const { liftHold } = await import("./audit-hold.ts");
      done(await liftHold(directory, id, options, terminal));
    });
}

function withReason(command: Command): Command {
  return command
    .requiredOption("--reason <text>", "why, for the log")
    .requiredOption("--operator <name>", "who does it, for the log")
    .option("--config <file>", "the --audit-config of the host");
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
