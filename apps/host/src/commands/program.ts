/**
 * @module The command line as data (contract.md 5): commands, their options, and what runs them. A
 * command's own code is loaded when it runs, so that wrong usage is answered at once.
 */
import { Command, CommanderError, InvalidArgumentError, Option } from "commander";

import manifest from "../../package.json" with { type: "json" };
import type { RawServeOptions } from "../serve/serve-options.ts";
import { addApprovalCommands } from "./approvals-program.ts";
import { addAuditCommands } from "./audit-program.ts";
import type { AuditVerifyOptions } from "./audit-verify.ts";
import { EXIT, fail, failureOf, type Terminal } from "./command-line.ts";
import type { InspectOptions } from "./inspect.ts";
import type { RawRunOptions } from "./run-options.ts";

/** Runs a command line (without node and script), and answers the exit code. */
export async function runCommandLine(args: readonly string[], terminal: Terminal): Promise<number> {
  let exit: number = EXIT.ok;
  const help: string[] = [];
  const program = buildProgram(terminal, (code) => (exit = code));
  for (const command of [
    program,
    ...program.commands,
    ...program.commands.flatMap((one) => one.commands),
    ...program.commands.flatMap((one) => one.commands.flatMap((inner) => inner.commands)),
  ]) {
    command.exitOverride().configureOutput({
      writeOut: (text) => void help.push(text),
      writeErr: () => undefined,
    });
  }
  try {
    await program.parseAsync([...args], { from: "user" });
  } catch (error) {
    if (!(error instanceof CommanderError)) return fail(terminal, failureOf(error));
    if (error.exitCode !== 0) {
      // Commander puts "(Did you mean …?)" on a line of its own.
      const message = error.message.replace(/^error: /, "").replaceAll("\n", " ");
      const isBare = message === "(outputHelp)";
      return fail(terminal, {
        code: "HOST_USAGE",
        message: isBare ? "a command is needed; glovebox --help lists them" : message,
      });
    }
  }
  for (const text of help) await terminal.out(text);
  return exit;
}

function buildProgram(terminal: Terminal, done: (exit: number) => void): Command {
  const program = new Command("glovebox")
    .description("Runs untrusted WebAssembly plugins, each in a process of its own.")
    .version(manifest.version);
  program
    .command("serve")
    .description("Serves plugins over HTTP on the loopback interface.")
    .option("--port <number>", "port; 0 takes a free one (default: PORT or 8787)")
    .option("--host <address>", "loosening: address to listen on (default: 127.0.0.1)")
    .option("--allow-name <name>", "loosening: another name in Host; repeatable", collect)
    .option("--data <dir>", "data directory: audit log, approvals (default: ./glovebox-data)")
    .option("--audit-config <file>", "JSON: retention, keys, witnesses and sinks of the audit log")
    .option("--plugin <path>", "package to load instead of the examples; repeatable", collect)
    .option("--policy <file>", "what plugins may be allowed at most, as JSON (default: nothing)")
    .option("--trust <file>", "public key of a publisher; repeatable", collect)
    .option("--allow-unsigned", "loosening: load packages whoever made them")
    .option("--log-level <level>", "trace … fatal, silent (default: info)")
    .action(async (options: RawServeOptions) => {
      const { serve } = await import("./serve.ts");
      done(await serve(options, terminal));
    });
  program
    .command("run")
    .description("Calls one function of a plugin.")
    .argument("<source>", "directory or .tgz of a plugin, or a bare module")
    .argument("<function>", "name of the function")
    .addOption(new Option("--abi <abi>", "of a bare module").choices(["flat", "extism", "wasi"]))
    .option("--input <text>", "input as it is, @FILE, or - for standard input")
    .option("--config <key=value>", "what the plugin can read; repeatable", collect)
    .option("--memory <bytes>", "most linear memory, also as KiB or MiB")
    .option("--timeout <ms>", "most time, real and CPU")
    .option("--instructions <number>", "most instructions, in units of fuel")
    .option("--allow-host <pattern>", "host that may be reached over HTTPS; repeatable", collect)
    .option("--allow-read <host:guest>", "directory that may be read; repeatable", collect)
    .option("--allow-write <host:guest>", "directory that may be written; repeatable", collect)
    .action(async (source: string, name: string, options: RawRunOptions) => {
      const { run } = await import("./run.ts");
      done(await run(source, name, options, terminal));
    });
  program
    .command("inspect")
    .description("Shows what a package or a module consists of, and its problems.")
    .argument("<source>", "directory or .tgz of a plugin, or a bare module")
    .option("--json", "as JSON")
    .option("--sarif", "the problems as SARIF 2.1.0")
    .action(async (source: string, options: InspectOptions) => {
      const { inspect } = await import("./inspect.ts");
      done(await inspect(source, options, terminal));
    });
  const approvals = program.command("approvals").description("Decides what plugins may do.");
  addApprovalCommands(approvals, terminal, done);
  const audit = program
    .command("audit")
    .description("Searches, verifies, exports, erases and prunes audit logs.");
  addAuditCommands(audit, terminal, done, collect);
  audit
    .command("verify")
    .description("Verifies an audit log; exits 4 if it is whole but its end was not checked.")
    .argument("<dir>", "directory of the log, or of several")
    .option(
      "--since <checkpoint>",
      "checkpoint of the log that was kept elsewhere: its file or folder",
    )
    .option("--policy <file>", "whose logs and witnesses are believed (C2SP tlog-policy)")
    .option("--evidence <file>", "where evidence of two histories is kept; must not exist")
    .option("--json", "as JSON")
    .action(async (directory: string, options: AuditVerifyOptions) => {
      const { auditVerify } = await import("./audit-verify.ts");
      done(await auditVerify(directory, options, terminal));
    });
  audit
    .command("check-evidence")
    .description("Checks evidence that a log has shown two histories; needs only the log's key.")
    .argument("<file>", "as `verify --evidence` wrote it")
    .requiredOption("--key <vkey>", "the log's key")
    .action(async (file: string, options: { readonly key: string }) => {
      const { checkEvidence } = await import("./audit-evidence.ts");
      done(await checkEvidence(file, options, terminal));
    });
  program
    .command("keygen")
    .description("Makes an Ed25519 key pair: FILE and FILE.pub.")
    .requiredOption("--out <file>", "file of the private key; must not exist")
    .action(async (options: { readonly out: string }) => {
      const { keygen } = await import("./sign.ts");
      done(await keygen(options, terminal));
    });
  program
    .command("sign")
    .description("Signs a plugin package.")
    .argument("<dir>", "directory of the package")
    .requiredOption("--key <file>", "private key")
    .action(async (directory: string, options: { readonly key: string }) => {
      const { sign } = await import("./sign.ts");
      done(await sign(directory, options, terminal));
    });
  return program;
}

const MAX_REPEATS = 1_000;

function collect(value: string, before: readonly string[] | undefined): readonly string[] {
  if ((before?.length ?? 0) >= MAX_REPEATS) throw new InvalidArgumentError("given too often");
  return [...(before ?? []), value];
}
