/**
 * Kills a writer, at random and at every step, again and again over one log; several at once, each over
 * a log of its own, because a writer mostly waits for its disk. The page cache survives a kill, so
 * that this proves the order of acknowledgement and the recovery, and nothing about power.
 */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { readFile, rm, mkdtemp } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

import { verifyAuditLog } from "@glovebox/auditor";
import { openAuditLog, openKeyFile } from "@glovebox/auditor/log";

import type { ChaosCount } from "./power-cuts.ts";
import { seeded } from "./simulated-disk.ts";

const WRITER = fileURLToPath(new URL("writer.ts", import.meta.url));
const ORIGIN = "chaos.example/log";
/** Steps within which a writer kills itself; opening alone takes thirty. */
const STEPS = 150;

/** Logs whose writers are killed at the same time. */
const LOGS = 4;

/** What the writers told; it is kept here, outside of what is killed. */
interface Told {
  /** Entries that each run handed over at most. */
  readonly handedOver: Map<string, number>;
  readonly durable: Map<number, string>;
  readonly roots: Map<string, string>;
  doubleSigned: number;
  sealed: number;
}

/** Kills as often as asked, and compares what is left with what was told. */
export async function killWriters(kills: number, seed: number): Promise<ChaosCount> {
  const parent = await mkdtemp(join(tmpdir(), "glovebox-chaos-"));
  const share = Math.ceil(kills / LOGS);
  try {
    const counts = await Promise.all(
      Array.from({ length: LOGS }, (_, at) => {
        const first = Math.min(kills, at * share);
        const end = Math.min(kills, first + share);
        return killOverOneLog(join(parent, `log-${at}`), first, end, seeded(seed + at));
      }),
    );
    return counts.reduce(addCounts);
  } finally {
    await rm(parent, { recursive: true, force: true });
  }
}

function addCounts(a: ChaosCount, b: ChaosCount): ChaosCount {
  return {
    cuts: a.cuts + b.cuts,
    lost: a.lost + b.lost,
    invented: a.invented + b.invented,
    doubleSigned: a.doubleSigned + b.doubleSigned,
    unusable: a.unusable + b.unusable,
    first: a.first === "" ? b.first : a.first,
  };
}

/** The kills from `first` up to `end`; their numbers say at which step. */
async function killOverOneLog(
  directory: string,
  first: number,
  end: number,
  random: () => number,
): Promise<ChaosCount> {
  const told: Told = {
    handedOver: new Map(),
    durable: new Map(),
    roots: new Map(),
    doubleSigned: 0,
    sealed: 0,
  };
  for (let kill = first; kill < end; kill += 1) {
    const step = kill % 2 === 0 ? 0 : 1 + (((kill - 1) / 2) % STEPS);
    await killOne(directory, String(kill), step, random, told);
    await readPublished(directory, told);
  }
  return compare(directory, end - first, told);
}

async function killOne(
  directory: string,
  run: string,
  step: number,
  random: () => number,
  told: Told,
): Promise<void> {
  const args = [
    "--conditions=@glovebox/source",
    "--no-warnings",
    WRITER,
    directory,
    run,
    String(step),
  ];
  const child = spawn(process.execPath, args, {
    stdio: ["ignore", "pipe", "inherit"],
    env: { ...process.env, NODE_COMPILE_CACHE: join(dirname(directory), "cache") },
  });
  const lines = 1 + Math.floor(random() * 60);
  let output = "";
  child.stdout.setEncoding("utf8");
  child.stdout.on("data", (text: string) => {
    output += text;
    // A writer whose step never comes is killed, too.
    if (output.split("\n").length > (step === 0 ? lines : 400)) child.kill("SIGKILL");
  });
  const [code, signal] = (await once(child, "close")) as [number | null, string | null];
  if (signal !== "SIGKILL")
    throw new Error(`the writer of run ${run} ended by itself with ${code}`);
  for (const line of output.split("\n").slice(0, -1)) hear(line, told);
}

function hear(line: string, told: Told): void {
  const [what, first = "", second = "", third = ""] = line.split(" ");
  if (what === "A") told.handedOver.set(first, Number(second));
  if (what === "D") told.durable.set(Number(first), `${second} ${third}`);
  if (what === "S") sign(first, second, told);
}

function sign(size: string, root: string, told: Told): void {
  const known = told.roots.get(size);
  if (known !== undefined && known !== root) told.doubleSigned += 1;
  told.roots.set(size, root);
  told.sealed = Math.max(told.sealed, Number(size));
}

async function readPublished(directory: string, told: Told): Promise<void> {
  for (const name of ["checkpoint", "checkpoint.tmp"]) {
    const text = await readFile(join(directory, name), "utf8").catch(() => "");
    const [origin, size = "", root = "", , signature = ""] = text.split("\n");
    if (origin === ORIGIN && signature.length > 100) sign(size, root, told);
  }
}

async function compare(directory: string, kills: number, told: Told): Promise<ChaosCount> {
  const count: ChaosCount = {
    cuts: kills,
    lost: 0,
    invented: 0,
    doubleSigned: told.doubleSigned,
    unusable: 0,
    first: "",
  };
  const note = (what: "lost" | "invented" | "unusable", message: string): void => {
    count[what] += 1;
    if (count.first === "") count.first = `${what}: ${message}`;
  };
  const signers = [await openKeyFile(`${directory}.key`, ORIGIN)];
  const { log } = await openAuditLog({ directory, origin: ORIGIN }, { signers });
  const next = new Map<string, number>();
  let index = 0;
  for await (const { bytes } of log.read()) {
    const text = Buffer.from(bytes).toString();
    const [run = "", n = ""] = text.split(" ");
    const expected = next.get(run) ?? 0;
    if (Number(n) !== expected || expected >= (told.handedOver.get(run) ?? 0))
      note("invented", `entry ${index} is ${text}`);
    next.set(run, expected + 1);
    const acknowledged = told.durable.get(index);
    if (acknowledged !== undefined && acknowledged !== text)
      note("lost", `entry ${index} was ${acknowledged}`);
    told.durable.delete(index);
    index += 1;
  }
  if (told.durable.size > 0)
    note("lost", `${told.durable.size} acknowledged entries lie beyond the end`);
  if (told.sealed > index)
    note("lost", `${told.sealed} entries were sealed, and ${index} are there`);
  const since = log.checkpoint();
  await log.close();
  const report = await verifyAuditLog(directory, { since });
  if (!report.ok) note("unusable", `${report.kind}: ${report.reason}`);
  return count;
}
