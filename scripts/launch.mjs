/**
 * @module Starts every script of this repository under the Node that its lockfile brings.
 *
 * Plain JavaScript for old Node (20) and old npm (10), which links no `node` into
 * node_modules/.bin: it looks for the platform package itself and puts that binary first on PATH.
 *
 *   node scripts/launch.mjs [--build PACKAGE|plugins|all]... -- COMMAND [ARGUMENT]...
 *
 * What `--build` names is built first, always through turbo, which knows what is stale and heals
 * what an interrupted build left behind. A build that succeeds says nothing, because the first line
 * of standard error belongs to the command (`CODE: message`); one that fails shows all its output
 * there. Standard output is the command's alone.
 */
import { spawn } from "node:child_process";
import {
  existsSync,
  linkSync,
  mkdirSync,
  readFileSync,
  readdirSync,
  renameSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { constants } from "node:os";
import { delimiter, dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const modules = join(root, "node_modules");
/** The signal that asked us to end, if one did. */
let interruptedBy;
const parent = process.ppid;

// Scripts in package.json say `exec node scripts/launch.mjs`: without `exec`, a signal to npm ends
// only the shell between the two, and what runs here is left behind.
const FORWARDED_SIGNALS = ["SIGINT", "SIGTERM", "SIGHUP"];
const SLOW_BUILD_NOTICE_MS = 2_000;
const LOCK_POLL_MS = 100;
const PARENT_POLL_MS = 250;
/** Longer than any build: a lock that is older belongs to a recycled process id. */
const MAX_LOCK_WAIT_MS = 600_000;

/** The folder of a Node that can run this repository, or undefined. */
function nodeFolder() {
  for (const name of existsSync(modules) ? readdirSync(modules) : []) {
    if (!/^node-(bin-)?(linux|darwin|win)-/.test(name)) continue;
    const folder = join(modules, name, "bin");
    if (existsSync(join(folder, "node")) || existsSync(join(folder, "node.exe"))) return folder;
  }
  // Platforms without a package of their own (Alpine): the running Node, where it is new enough.
  return isSupported(process.versions.node) && existsSync(modules)
    ? dirname(process.execPath)
    : undefined;
}

/** The range of `engines` in the packages: ^22.19.0 || ^24.11.0 || >=26.0.0. */
function isSupported(version) {
  const [major, minor] = version.split(".").map(Number);
  return (major === 22 && minor >= 19) || (major === 24 && minor >= 11) || major >= 26;
}

/** Runs a command to its end and resolves to the exit code a shell would report. */
function run(command, args, env, stdio, onOutput) {
  return new Promise((resolve) => {
    const child = spawn(command, args, { cwd: root, env, stdio });
    const forward = (signal) => {
      interruptedBy = signal;
      // Ctrl-C reaches the whole foreground group: the child has it already.
      if (signal === "SIGINT" && process.stdin.isTTY) return;
      child.kill(signal);
    };
    for (const signal of FORWARDED_SIGNALS) process.on(signal, forward);
    // npm killed by SIGKILL forwards nothing: the change of parent tells.
    const watch = setInterval(() => {
      if (process.ppid !== parent) forward("SIGTERM");
    }, PARENT_POLL_MS);
    const finish = (code) => {
      clearInterval(watch);
      for (const signal of FORWARDED_SIGNALS) process.off(signal, forward);
      resolve(code);
    };
    if (onOutput !== undefined) {
      child.stdout.on("data", onOutput);
      child.stderr.on("data", onOutput);
    }
    child.on("error", (error) => {
      process.stderr.write(
        `launch: cannot start ${command} (${error.code}); run \`npm ci\` again\n`,
      );
      finish(127);
    });
    child.on("close", (code, signal) => finish(code ?? 128 + (constants.signals[signal] ?? 0)));
  });
}

/** Builds through turbo, quietly unless it fails. */
async function build(targets, env) {
  const filters = targets.includes("all")
    ? []
    : targets.map((target) => `--filter=${target === "plugins" ? "./plugins/*" : target}`);
  const output = [];
  const notice = setTimeout(() => {
    if (process.stderr.isTTY) process.stderr.write("launch: building what is stale …\n");
  }, SLOW_BUILD_NOTICE_MS);
  const code = await run(
    "turbo",
    ["run", "build", "--output-logs=errors-only", ...filters],
    env,
    ["ignore", "pipe", "pipe"],
    (chunk) => output.push(chunk),
  );
  clearTimeout(notice);
  // An interrupted turbo exits 0 with its work undone.
  if (interruptedBy !== undefined) return 128 + constants.signals[interruptedBy];
  if (code !== 0) process.stderr.write(Buffer.concat(output));
  return code;
}

/** One build at a time in a checkout: two would empty each other's dist. */
async function withBuildLock(work) {
  const cache = join(modules, ".cache");
  const lock = join(cache, "glovebox-build.lock");
  const mine = `${lock}.${process.pid}`;
  mkdirSync(cache, { recursive: true });
  writeFileSync(mine, String(process.pid));
  const release = () => rmSync(lock, { force: true });
  try {
    await acquire(lock, mine);
    process.once("exit", release);
    return await work();
  } finally {
    process.off("exit", release);
    release();
    rmSync(mine, { force: true });
  }
}

async function acquire(lock, mine) {
  const giveUpAt = Date.now() + MAX_LOCK_WAIT_MS;
  for (;;) {
    try {
      linkSync(mine, lock);
      return;
    } catch (error) {
      if (error.code !== "EEXIST") throw error;
    }
    const owner = readOwner(lock);
    if (owner !== undefined && (!isAlive(owner) || Date.now() > giveUpAt))
      takeAway(lock, mine, owner);
    else await new Promise((resolve) => setTimeout(resolve, LOCK_POLL_MS));
  }
}

/** Removes the lock of a dead owner; gives it back if another process was quicker. */
function takeAway(lock, mine, owner) {
  const aside = `${mine}.stale`;
  try {
    renameSync(lock, aside);
    if (readOwner(aside) !== owner) linkSync(aside, lock);
  } catch {
    // Someone else removed or replaced it: the next round sees what is true now.
  }
  rmSync(aside, { force: true });
}

function readOwner(file) {
  try {
    return Number(readFileSync(file, "utf8"));
  } catch {
    return undefined;
  }
}

function isAlive(pid) {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return error.code === "EPERM";
  }
}

const dash = process.argv.indexOf("--", 2);
const flags = process.argv.slice(2, dash < 0 ? undefined : dash);
const [command, ...args] = dash < 0 ? [] : process.argv.slice(dash + 1);
const targets = flags.flatMap((flag, at) => (flag === "--build" ? [flags[at + 1]] : []));

const folder = nodeFolder();
if (folder === undefined) {
  process.stderr.write(
    "launch: no Node 26 in node_modules: run `npm ci` first, or on a platform that has no prebuilt " +
      "package (such as Alpine) put Node 22.19, 24.11 or 26 on PATH.\n",
  );
  process.exit(1);
}

const env = {
  ...process.env,
  PATH: [folder, join(modules, ".bin"), process.env.PATH].join(delimiter),
  TURBO_TELEMETRY_DISABLED: "1",
};

process.exitCode = targets.length > 0 ? await withBuildLock(() => build(targets, env)) : 0;
if (process.exitCode === 0 && command !== undefined) {
  process.exitCode = await run(
    command === "node" ? join(folder, "node") : command,
    args,
    env,
    "inherit",
  );
}
