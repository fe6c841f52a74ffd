/** @module The commands of `glovebox approvals` as data. */
import type { Command } from "commander";

import type { ApprovalDecisionOptions, ApprovalOptions } from "./approvals.ts";
import type { Terminal } from "./command-line.ts";

/** Adds them. */
export function addApprovalCommands(
  approvals: Command,
  terminal: Terminal,
  done: (exit: number) => void,
): void {
  withData(approvals.command("list"))
    .description("Lists what plugins of the running host wait for, and what is approved.")
    .option("--json", "as JSON")
    .action(async (options: ApprovalOptions) => {
      const { approvalsList } = await import("./approvals.ts");
      done(await approvalsList(options, terminal));
    });
  withData(approvals.command("show"))
    .description("Shows what one plugin may do, and what it asks for besides.")
    .argument("<plugin>", "its id")
    .option("--json", "as JSON")
    .action(async (pluginId: string, options: ApprovalOptions) => {
      const { approvalsShow } = await import("./approvals.ts");
      done(await approvalsShow(pluginId, options, terminal));
    });
  withData(approvals.command("approve"))
    .description("Prints what a plugin waits for, approves exactly that, and loads the plugin.")
    .argument("<plugin>", "its id")
    .requiredOption("--operator <name>", "who does it, for the log")
    .option(
      "--digest <digest>",
      "of the request that `show` printed; without it a person at a terminal is asked",
    )
    .action(async (pluginId: string, options: ApprovalDecisionOptions) => {
      const { approvalsApprove } = await import("./approvals.ts");
      done(await approvalsApprove(pluginId, options, terminal));
    });
  withData(approvals.command("revoke"))
    .description("Takes an approval back, and ends what the plugin has in flight.")
    .argument("<plugin>", "its id")
    .requiredOption("--operator <name>", "who does it, for the log")
    .action(async (pluginId: string, options: ApprovalDecisionOptions) => {
      const { approvalsRevoke } = await import("./approvals.ts");
      done(await approvalsRevoke(pluginId, options, terminal));
    });
}

function withData(command: Command): Command {
  return command.option("--data <dir>", "data directory of the host (default: ./glovebox-data)");
}
