/**
 * @module A newcomer's first minutes, as a check: a fresh copy of this checkout without its .git,
 * old Node and npm 10.8.2, `npm ci`, `npm start` (interrupted once, then for good), the sample
 * requests that it prints sent to its plugins, and a clean end on SIGTERM.
 */
import { spawn, spawnSync, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { cpSync, mkdtempSync, readdirSync, readlinkSync, realpathSync, rmSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { basename, delimiter, join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";

import { curlRequestsIn, type CurlRequest } from "./curl-line.ts";
import { ROOT } from "./published.ts";

const NPM_VERSION = "10.8.2";
const NOT_COPIED = new Set([
  "node_modules",
  "dist",
  ".git",
  ".turbo",
  ".cache",
  "coverage",
  "glovebox-data",
]);
/** Long enough to be in the middle of the first build. */
const INTERRUPT_AFTER_MS = 4_000;
const START_TIMEOUT_MS = 300_000;
const STOP_TIMEOUT_MS = 20_000;
const REQUEST_TIMEOUT_MS = 30_000;
const SAMPLES: Readonly<Record<string, string>> = {
  auth: "authenticate",
  template: "template_function",
  response: "generate_response",
  datasource: "query_datasource",
  rates: "query_datasource",
};

const folder = realpathSync(mkdtempSync(join(tmpdir(), "glovebox-smoke-")));
const copy = join(folder, "glovebox");
// The launcher put our own Node first: a newcomer has not got it.
const systemPath = (process.env["PATH"] ?? "")
  .split(delimiter)
  .filter((entry) => !entry.startsWith(ROOT));
const env = {
  ...environmentOfAShell(process.env),
  PATH: [join(folder, "npm/node_modules/.bin"), ...systemPath].join(delimiter),
};

try {
  await main();
  console.log("smoke: passed");
} catch (error) {
  console.error(`smoke: ${error instanceof Error ? error.message : String(error)}`);
  process.exitCode = 1;
} finally {
  for (const pid of processesIn(folder)) process.kill(pid, "SIGKILL");
  rmSync(folder, { recursive: true, force: true });
}

async function main(): Promise<void> {
  const scratch = [
    "--prefix",
    join(folder, "npm"),
    "--no-save",
    "--ignore-scripts",
    "--loglevel=error",
  ];
  command("npm", ["install", ...scratch, `npm@${NPM_VERSION}`], folder);
  cpSync(ROOT, copy, {
    recursive: true,
    filter: (path) => path === ROOT || !NOT_COPIED.has(basename(path)),
  });
  command("npm", ["ci", "--loglevel=error"], copy);
  console.log("smoke: installed from a fresh copy");

  const interrupted = start(await freePort());
  await Promise.race([once(interrupted.child, "exit"), delay(INTERRUPT_AFTER_MS)]);
  await stop(interrupted.child);
  console.log("smoke: interrupted the first start");

  const port = await freePort();
  const host = start(port);
  const base = `http://127.0.0.1:${port}`;
  const requests = await printedRequests(host, base);
  await checkReady(base);
  for (const [id, name] of Object.entries(SAMPLES)) await checkSample(requests, base, id, name);
  const code = await stop(host.child);
  if (code !== 0) throw new Error(`npm start ended with ${code} after SIGTERM\n${host.output()}`);
  const left = processesIn(copy);
  if (left.length > 0) throw new Error(`${left.length} processes are left after the end`);
}

interface Started {
  readonly child: ChildProcess;
  readonly output: () => string;
}

function start(port: number): Started {
  const child = spawn("npm", ["start"], {
    cwd: copy,
    env: { ...env, PORT: String(port) },
    stdio: ["ignore", "pipe", "pipe"],
  });
  let output = "";
  child.stdout.on("data", (chunk: Buffer) => (output += chunk.toString()));
  child.stderr.on("data", (chunk: Buffer) => (output += chunk.toString()));
  return { child, output: () => output };
}

/** Waits for the address and one sample request per plugin. */
async function printedRequests(
  { child, output }: Started,
  base: string,
): Promise<readonly CurlRequest[]> {
  const giveUpAt = Date.now() + START_TIMEOUT_MS;
  while (Date.now() < giveUpAt) {
    if (child.exitCode !== null)
      throw new Error(`npm start ended with ${child.exitCode}\n${output()}`);
    const requests = curlRequestsIn(output());
    if (output().includes(base) && requests.length >= Object.keys(SAMPLES).length) return requests;
    await delay(100);
  }
  throw new Error(`npm start did not print ${base} and its sample requests\n${output()}`);
}

async function checkReady(base: string): Promise<void> {
  const ready = await send({ url: `${base}/readyz`, method: "GET", headers: {}, body: undefined });
  console.log(`smoke: /readyz ${ready.status} ${ready.text}`);
  if (ready.status !== 200 || (JSON.parse(ready.text) as { ready?: unknown }).ready !== true) {
    throw new Error("/readyz does not say ready");
  }
  const list = await send({ url: `${base}/plugins`, method: "GET", headers: {}, body: undefined });
  const plugins = JSON.parse(list.text) as readonly {
    readonly id: string;
    readonly state: string;
  }[];
  for (const id of Object.keys(SAMPLES)) {
    const state = plugins.find((plugin) => plugin.id === id)?.state;
    if (state !== "ready") throw new Error(`plugin ${id} is ${state ?? "not listed"}`);
  }
}

async function checkSample(
  requests: readonly CurlRequest[],
  base: string,
  id: string,
  name: string,
): Promise<void> {
  const url = `${base}/plugins/${id}/functions/${name}`;
  const request = requests.find((each) => each.url === url);
  if (request === undefined) throw new Error(`npm start printed no sample request for ${url}`);
  const { status, text } = await send(request);
  console.log(`smoke: ${id}.${name} ${status} ${text.slice(0, 200)}`);
  const answer = status === 200 ? (JSON.parse(text) as { output?: unknown; usage?: unknown }) : {};
  if (answer.output === undefined || answer.usage === undefined) {
    throw new Error(`${id}.${name} answered ${status} ${text.slice(0, 2_000)}`);
  }
}

async function send({
  url,
  method,
  headers,
  body,
}: CurlRequest): Promise<{ status: number; text: string }> {
  const signal = AbortSignal.timeout(REQUEST_TIMEOUT_MS);
  const response = await fetch(url, {
    method,
    headers: { ...headers },
    body: body ?? null,
    signal,
  });
  return { status: response.status, text: await response.text() };
}

/** SIGTERM to npm, as a supervisor or `kill` does; the exit code, or what it took instead. */
async function stop(child: ChildProcess): Promise<number | string> {
  if (child.exitCode !== null) return child.exitCode;
  const ended = once(child, "exit") as Promise<[number | null, string | null]>;
  child.kill("SIGTERM");
  const result = await Promise.race([ended, delay(STOP_TIMEOUT_MS, undefined, { ref: false })]);
  return result === undefined
    ? `no exit within ${STOP_TIMEOUT_MS} ms`
    : (result[0] ?? result[1] ?? "nothing");
}

function command(name: string, args: readonly string[], cwd: string): void {
  const { status, stdout, stderr } = spawnSync(name, args, { cwd, env, encoding: "utf8" });
  if (status !== 0)
    throw new Error(`${name} ${args.join(" ")} ended with ${status}\n${stdout}${stderr}`);
}

/** Live processes that work inside a folder (Linux; elsewhere none are found). */
function processesIn(path: string): readonly number[] {
  const pids =
    process.platform === "linux" ? readdirSync("/proc").filter((name) => /^\d+$/.test(name)) : [];
  return pids.map(Number).filter((pid) => {
    try {
      return readlinkSync(`/proc/${pid}/cwd`).startsWith(path);
    } catch {
      return false;
    }
  });
}

/** Without what npm hands to its scripts, but with what says where it downloads from. */
function environmentOfAShell(inherited: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  const kept = /^npm_config_(?:registry|cache|userconfig|globalconfig)$/;
  const dropped = /^(?:npm_|GLOVEBOX_|TURBO_|NODE$|NODE_OPTIONS$|INIT_CWD$)/;
  return Object.fromEntries(
    Object.entries(inherited).filter(([name]) => kept.test(name) || !dropped.test(name)),
  );
}

/** A port that nobody listens on right now. */
async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  server.close();
  return typeof address === "object" && address !== null ? address.port : 0;
}
