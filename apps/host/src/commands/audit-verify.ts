/**
 * @module `glovebox audit verify DIR`: whether an audit log is as it was written, and with an anchor
 * whether its end is still there. Runs without a host, also while one writes. A directory of several
 * logs, one per retention class, is verified log by log.
 */
import { readdir, stat } from "node:fs/promises";
import { join } from "node:path";

import { verifyAuditLog, type VerifyReport } from "@glovebox/auditor";

import { MAX_SMALL_FILE_BYTES } from "../limits.ts";
import { readOperatorFile } from "../operator-file.ts";
import { keepEvidence } from "./audit-evidence.ts";
import { EXIT, fail, type Terminal } from "./command-line.ts";

/** Options of the command. */
export interface AuditVerifyOptions {
  /** A file with a signed checkpoint; for several logs, a directory with one named as each log. */
  readonly since?: string;
  /** A policy file. */
  readonly policy?: string;
  /** A file to be made, for evidence of two histories that was found. */
  readonly evidence?: string;
  readonly json?: boolean;
}

/** Cells of the progress bar. */
const BAR_CELLS = 30;
/** Entries from which verifying takes long enough to show how far it is. */
const LONG_LOG = 100_000;
const CHECKPOINT = "checkpoint";

/** Runs the command. */
export async function auditVerify(
  directory: string,
  { since, policy: policyPath, evidence: evidencePath, json = false }: AuditVerifyOptions,
  terminal: Terminal,
): Promise<number> {
  const policy = policyPath === undefined ? undefined : await readText(policyPath);
  const reports: VerifyReport[] = [];
  for (const name of await logsIn(directory)) {
    const anchor = since === undefined ? undefined : await anchorOf(since, name);
    const onProgress = json ? undefined : progressBar(name, terminal);
    const report = await verifyAuditLog(join(directory, name), {
      ...(anchor === undefined ? {} : { since: anchor }),
      ...(policy === undefined ? {} : { policy }),
      ...(onProgress === undefined ? {} : { onProgress }),
    });
    reports.push(report);
    if (!json) await terminal.out(`${name === "" ? "" : `${name}:\n`}${describe(report)}`);
  }
  const broken = reports.find(({ ok }) => !ok);
  const { firstBadIndex, kind } = broken ??
    reports.find((report) => report.kind !== null) ?? { firstBadIndex: null, kind: null };
  const size = reports.reduce((sum, report) => sum + report.size, 0);
  const fresh = reports.every((report) => report.fresh);
  if (json) {
    await terminal.out(
      `${JSON.stringify({ ok: broken === undefined, fresh, size, firstBadIndex, kind })}\n`,
    );
  }
  if (broken !== undefined) {
    const { evidence } = broken;
    if (evidencePath !== undefined && evidence !== null) await keepEvidence(evidencePath, evidence);
    const message = `${kind} at index ${firstBadIndex}: ${broken.reason}`;
    return fail(terminal, { code: "HOST_AUDIT_BROKEN", message });
  }
  if (fresh) return EXIT.ok;
  const message = "whole and consistent; freshness not checked";
  fail(terminal, { code: "HOST_AUDIT_UNANCHORED", message });
  return EXIT.notFresh;
}

/** Names of the logs in a directory; `""` is the directory itself. */
async function logsIn(directory: string): Promise<readonly string[]> {
  const names = await readdir(directory, { withFileTypes: true }).catch(() => []);
  if (names.some(({ name }) => name === CHECKPOINT)) return [""];
  const logs: string[] = [];
  for (const entry of names.filter((found) => found.isDirectory())) {
    // What has keys is a log, also when its checkpoint is gone.
    const keys = await stat(join(directory, entry.name, "keys", "000")).catch(() => undefined);
    if (keys !== undefined) logs.push(entry.name);
  }
  return logs.length === 0 ? [""] : logs.toSorted();
}

async function anchorOf(since: string, name: string): Promise<string> {
  const stats = await stat(since).catch(() => undefined);
  return readText(
    stats?.isDirectory() === true ? join(since, name === "" ? CHECKPOINT : name) : since,
  );
}

async function readText(path: string): Promise<string> {
  return (await readOperatorFile(path, MAX_SMALL_FILE_BYTES)).toString("utf8");
}

function describe({ ok, fresh, size, firstBadIndex, kind, minimumIndex }: VerifyReport): string {
  const shown = {
    ok,
    fresh,
    size,
    "first bad index": firstBadIndex ?? "none",
    kind: kind ?? "none",
    ...(minimumIndex > 0 ? { "pruned below": minimumIndex } : {}),
  };
  return Object.entries(shown)
    .map(([name, value]) => `${name}: ${value}\n`)
    .join("");
}

/** Draws over itself on a terminal, and ends with an empty line. */
function progressBar(
  name: string,
  terminal: Terminal,
): ((done: number, total: number) => void) | undefined {
  if (terminal.isInteractive !== true) return undefined;
  let shown = -1;
  return (done, total) => {
    const cells = Math.floor((done / total) * BAR_CELLS);
    if (total < LONG_LOG || cells === shown) return;
    shown = cells;
    const bar = `${"#".repeat(cells)}${".".repeat(BAR_CELLS - cells)}`;
    terminal.err(`\r${name} [${bar}] ${done} of ${total}${done === total ? "\r\u001b[K" : ""}`);
  };
}
