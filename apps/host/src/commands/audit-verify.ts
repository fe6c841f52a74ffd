/**
 * @module `glovebox audit verify DIR`: whether an audit log is as it was written, and with an anchor
 * whether its end is still there. Runs without a host, also while one writes.
 */
import { formatHead, verifyAuditLog } from "@glovebox/auditor";

import { HostError } from "../errors.ts";
import { MAX_SMALL_FILE_BYTES } from "../limits.ts";
import { EXIT, fail, readOperatorFile, type Terminal } from "./command-line.ts";

/** Options of the command. */
export interface AuditVerifyOptions {
  /** `INDEX:HASH`, or `@FILE` with it. */
  readonly since?: string;
  readonly policy?: string;
  readonly json?: boolean;
}

/** Runs the command. */
export async function auditVerify(
  directory: string,
  { since, policy, json = false }: AuditVerifyOptions,
  terminal: Terminal,
): Promise<number> {
  if (policy !== undefined) {
    const message =
      "--policy is not supported by this version: its logs have no witnesses to check";
    throw new HostError("HOST_UNSUPPORTED", { message });
  }
  const anchor = since?.startsWith("@")
    ? (await readOperatorFile(since.slice(1), MAX_SMALL_FILE_BYTES)).toString("latin1").trim()
    : since;
  const report = await verifyAuditLog(directory, anchor === undefined ? {} : { since: anchor });
  const { ok, fresh, size, firstBadIndex, kind, unfinishedBytes } = report;
  const head = report.head === null ? null : formatHead(report.head);
  if (json) {
    const shown = { ok, fresh, size, firstBadIndex, kind, head, unfinishedBytes };
    await terminal.out(`${JSON.stringify(shown)}\n`);
  } else {
    const shown = {
      ok,
      fresh,
      size,
      firstBadIndex: firstBadIndex ?? "none",
      kind: kind ?? "none",
      head,
    };
    for (const [name, value] of Object.entries(shown)) await terminal.out(`${name}: ${value}\n`);
  }
  if (!ok) {
    const message = `${kind} at index ${firstBadIndex}`;
    return fail(terminal, { code: "HOST_AUDIT_BROKEN", message });
  }
  if (fresh) return EXIT.ok;
  const message = "whole, but without --since nobody can tell whether its end is missing";
  fail(terminal, { code: "HOST_AUDIT_UNANCHORED", message });
  return EXIT.notFresh;
}
