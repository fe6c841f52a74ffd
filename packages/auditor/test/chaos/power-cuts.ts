/**
 * Cuts the power while a log works, at any step of its disk, and opens what is left: everything that
 * was acknowledged must be there, nothing else, and no size is ever signed with two roots.
 */
import { generateKeyPairSync } from "node:crypto";

import { type AuditLog, openAuditLog } from "@glovebox/auditor/log";
import { openCheckpoint } from "@glovebox/tlog/checkpoint";
import { createNoteSigner, type NoteSigner, parseVerifierKey } from "@glovebox/tlog/note";

import { readLogKeys } from "#src/log/log-keys";
import { walkTree } from "#src/verify/walk-tree";

import { type DiskFaults, type Random, seeded, SimulatedDisk } from "./simulated-disk.ts";

const DIRECTORY = "/data/log";
const ANCHOR = "/anchors/log";
const ORIGIN = "chaos.example/log";

/** What was found. */
export interface ChaosCount {
  cuts: number;
  lost: number;
  invented: number;
  doubleSigned: number;
  /** Logs that could not be opened again, or were not whole: a loss of everything. */
  unusable: number;
  /** What went wrong first, for people. */
  first: string;
}

/** Whether anything was found. */
export function isClean({ lost, invented, doubleSigned, unusable }: ChaosCount): boolean {
  return lost + invented + doubleSigned + unusable === 0;
}

/** What others were told; it is kept outside of what is cut. */
interface Told {
  /** Every entry that was handed over, by index. */
  readonly appended: string[];
  /** Root by size: what was signed before the cut binds the future after it. */
  readonly roots: Map<number, string>;
  durable: number;
  sealed: number;
  pruned: number;
}

/** How chaos is made. */
export interface PowerCutOptions {
  readonly cuts: number;
  readonly seed: number;
  /** Of the disk, besides the cuts. */
  readonly faults?: DiskFaults;
}

/** Runs logs and cuts the power until it was cut often enough. */
export async function cutPower({ cuts, seed, faults = {} }: PowerCutOptions): Promise<ChaosCount> {
  const count: ChaosCount = {
    cuts: 0,
    lost: 0,
    invented: 0,
    doubleSigned: 0,
    unusable: 0,
    first: "",
  };
  for (let run = 0; count.cuts < cuts; run += 1) {
    await cutOneRun(seeded(seed + run), faults, Math.min(60, cuts - count.cuts), count);
  }
  return count;
}

async function cutOneRun(
  random: Random,
  faults: DiskFaults,
  cuts: number,
  count: ChaosCount,
): Promise<void> {
  const { privateKey } = generateKeyPairSync("ed25519");
  const key = createNoteSigner({ name: ORIGIN, privateKey });
  const told: Told = { appended: [], roots: new Map(), durable: 0, sealed: 0, pruned: 0 };
  const left: { readonly disk: SimulatedDisk; readonly told: Told }[] = [];
  const disk = new SimulatedDisk();
  // Where the cuts fall is not known before the run is over: each step is a candidate.
  const chance = cuts / EXPECTED_STEPS;
  disk.faults = {
    ...faults,
    onStep(step, at) {
      if (random() < chance && left.length < cuts) {
        left.push({ disk: at.afterPowerCut(random), told: copyOf(told) });
      }
      faults.onStep?.(step, at);
    },
  };
  await work(disk, remember(key, told.roots, count), told, random).catch(() => undefined);
  for (let at = 0; left.length < cuts && at < 3; at += 1) {
    left.push({ disk: disk.afterPowerCut(random), told: copyOf(told) });
  }
  for (const after of left) {
    count.cuts += 1;
    await check(after.disk, remember(key, after.told.roots, count), after.told, random, count);
  }
}

function copyOf(told: Told): Told {
  return { ...told, appended: [...told.appended], roots: new Map(told.roots) };
}

const EXPECTED_STEPS = 400;

async function open(disk: SimulatedDisk, signer: NoteSigner): Promise<AuditLog> {
  await disk.makeDirectory("/anchors");
  await disk.syncDirectory("/");
  const { log } = await openAuditLog(
    {
      directory: DIRECTORY,
      origin: ORIGIN,
      anchorPath: ANCHOR,
      sealIntervalMs: 1,
      // The least, so that segments are written over within a run.
      segmentBytes: 16_384,
    },
    {
      signers: [signer],
      fileSystem: disk,
      lock: async () => ({ tookOver: false, release: async () => undefined }),
    },
  );
  return log;
}

/** What a host does with a log, more or less. */
async function work(
  disk: SimulatedDisk,
  signer: NoteSigner,
  told: Told,
  random: Random,
): Promise<void> {
  const log = await open(disk, signer);
  const bursts = 8 + Math.floor(random() * 12);
  // Of small entries, one segment holds all; of large ones, it is written over several times.
  const width = random() < 0.5 ? 40 : 400;
  const prunes = random() < 0.5;
  for (let burst = 0; burst < bursts; burst += 1) {
    const entries = Math.floor(random() * (random() < 0.3 ? 300 : 12)) + 1;
    for (let at = 0; at < entries; at += 1) {
      const text = `${told.appended.length} ${"x".repeat(Math.floor(random() * width))}`;
      const decision = log.tryAppend(text);
      if (!decision.allowed) throw new Error(decision.reason);
      told.appended.push(text);
    }
    const last = told.appended.length;
    const durable = log.flush().then(() => (told.durable = Math.max(told.durable, last)));
    durable.catch(() => undefined);
    if (random() < 0.5) await durable;
    if (random() < 0.4) {
      const sealed = log.seal().then(() => (told.sealed = Math.max(told.sealed, last)));
      if (random() < 0.5) await sealed;
      else sealed.catch(() => undefined);
    }
    if (prunes && random() < 0.4) {
      const pruned = log.prune(Math.floor(random() * last));
      told.pruned = Math.max(told.pruned, await pruned);
    }
  }
  await log.close();
  told.sealed = told.appended.length;
}

async function check(
  disk: SimulatedDisk,
  signer: NoteSigner,
  told: Told,
  random: Random,
  count: ChaosCount,
): Promise<void> {
  const note = (what: "lost" | "invented" | "unusable", message: string): void => {
    count[what] += 1;
    if (count.first === "") count.first = `${what}: ${message}`;
  };
  for (const path of [`${DIRECTORY}/checkpoint`, ANCHOR]) {
    const sealed = await sizeOnDisk(disk, path, signer);
    if (sealed < told.sealed)
      note("lost", `${told.sealed} entries were sealed, and ${sealed} are in ${path}`);
  }
  // Without its key nobody could verify what is there.
  const { first } = await readLogKeys(disk, DIRECTORY);
  if (told.durable > 0 && first?.vkey !== signer.vkey)
    note("lost", "the log does not name its key");
  try {
    const log = await open(disk, signer);
    const { durableSize, minimumIndex } = log.state();
    if (durableSize < told.durable)
      note("lost", `${told.durable} entries were durable, and ${durableSize} are`);
    if (durableSize > told.appended.length)
      note(
        "invented",
        `${told.appended.length} entries were appended, and ${durableSize} are there`,
      );
    for await (const { index, bytes } of log.read()) {
      if (Buffer.from(bytes).toString() !== told.appended[index])
        note("invented", `entry ${index} is another`);
    }
    if (minimumIndex < told.pruned)
      note("lost", `the minimum index was ${told.pruned}, and is ${minimumIndex}`);
    // Another future than the one that was cut off: what was signed before must not be contradicted.
    for (let at = 0; at < 3 + random() * 300; at += 1) await log.append(`again ${random()}`);
    await log.seal();
    const opened = openCheckpoint(log.checkpoint(), [keyOf(signer)]);
    if (!opened.allowed) throw new Error(opened.reason);
    const parts = {
      fileSystem: disk,
      directory: DIRECTORY,
      minimumIndex,
      tree: opened.value,
      anchors: [],
      onProgress: undefined,
    };
    const finding = await walkTree(parts);
    if (finding !== undefined)
      note("unusable", `${finding.kind} at ${finding.index}: ${finding.reason}`);
    await log.close();
  } catch (error) {
    note("unusable", String(error));
  }
}

async function sizeOnDisk(disk: SimulatedDisk, path: string, signer: NoteSigner): Promise<number> {
  const file = await disk.open(path, "read");
  const opened = openCheckpoint((await file?.read(0, 10_000)) ?? "", [keyOf(signer)]);
  return opened.allowed ? opened.value.size : 0;
}

function keyOf({ vkey }: NoteSigner) {
  const key = parseVerifierKey(vkey);
  if (!key.allowed) throw new Error(key.reason);
  return key.value;
}

/** Counts two roots for one size. */
function remember(signer: NoteSigner, roots: Map<number, string>, count: ChaosCount): NoteSigner {
  return {
    ...signer,
    sign(text) {
      const [origin, size = "", root = ""] = text.split("\n");
      // The minimum index is signed, too.
      if (origin !== ORIGIN) return signer.sign(text);
      const known = roots.get(Number(size));
      if (known === undefined) roots.set(Number(size), root);
      else if (known !== root) {
        count.doubleSigned += 1;
        if (count.first === "") count.first = `double-signed: size ${size}`;
      }
      return signer.sign(text);
    },
  };
}
