/**
 * @module `glovebox approvals list|show|approve|revoke`: what plugins of the running host ask for, in
 * plain words, and an operator's yes or no to it. What is approved is the request that was printed.
 */
import { encodeTerminal } from "@glovebox/core/encode";
import type { ApprovalOverview, PendingApproval } from "@glovebox/runtime";

import { DEFAULT_DATA } from "../approve-order.ts";
import { usageError } from "../errors.ts";
import { shellWord } from "../shell-word.ts";
import { EXIT, fail, type Failure, type Terminal } from "./command-line.ts";
import { escapeJson } from "./json-text.ts";
import { askHost } from "./operator-client.ts";

/** Where the host's data is. */
export interface ApprovalOptions {
  readonly data?: string;
  readonly json?: boolean;
}

/** Who decides, and about which request. */
export interface ApprovalDecisionOptions extends ApprovalOptions {
  readonly operator: string;
  /** Digest of the request that was read with `show`. */
  readonly digest?: string;
}

/** What the host answers to an order that it took. */
interface ApproveAnswer {
  /** Why the plugin is approved, and not loaded. */
  readonly error?: Failure;
  readonly plugin?: { readonly warnings?: readonly string[] };
}

const OPERATOR = /^[\x21-\x7e]{1,110}$/;

/** Lists what waits and what is approved. */
export async function approvalsList(options: ApprovalOptions, terminal: Terminal): Promise<number> {
  const overview = await overviewOf(options);
  if ("code" in overview) return fail(terminal, overview);
  if (options.json === true) {
    await terminal.out(`${escapeJson(JSON.stringify(overview))}\n`);
    return EXIT.ok;
  }
  for (const pending of overview.pending) await printPending(pending, terminal);
  for (const approved of overview.approved) await printApproved(approved, terminal);
  if (overview.pending.length + overview.approved.length === 0)
    await terminal.out("nothing is approved, and nothing waits\n");
  return EXIT.ok;
}

/** Shows one plugin's. */
export async function approvalsShow(
  pluginId: string,
  options: ApprovalOptions,
  terminal: Terminal,
): Promise<number> {
  const all = await overviewOf(options);
  if ("code" in all) return fail(terminal, all);
  const isIts = (one: { readonly pluginId: string }): boolean => one.pluginId === pluginId;
  const overview = { pending: all.pending.filter(isIts), approved: all.approved.filter(isIts) };
  if (overview.pending.length + overview.approved.length === 0)
    return fail(terminal, none(pluginId));
  if (options.json === true) {
    await terminal.out(`${escapeJson(JSON.stringify(overview))}\n`);
    return EXIT.ok;
  }
  for (const approved of overview.approved) await printApproved(approved, terminal);
  for (const pending of overview.pending) await printPending(pending, terminal);
  return EXIT.ok;
}

/**
 * Prints what a plugin asks, and says yes to exactly that. Without a digest it is not known what the
 * operator has read: a person is asked, a script is told the command.
 */
export async function approvalsApprove(
  pluginId: string,
  { operator, digest, ...options }: ApprovalDecisionOptions,
  terminal: Terminal,
): Promise<number> {
  assertOperator(operator);
  const overview = await overviewOf(options);
  if ("code" in overview) return fail(terminal, overview);
  const pending = overview.pending.find((one) => one.pluginId === pluginId);
  if (pending === undefined) {
    const isApproved = overview.approved.some((one) => one.pluginId === pluginId);
    return fail(terminal, isApproved ? approvedAlready(pluginId) : none(pluginId));
  }
  await printPending(pending, terminal);
  const { requestDigest } = pending;
  if (
    digest === undefined &&
    (await terminal.ask?.("Approve exactly this? yes or no: ")) !== "yes"
  ) {
    const { data } = options;
    const words = ["approvals", "approve", pluginId, "--operator", operator, "--digest"];
    const where = data === undefined ? [] : ["--data", data];
    const command = ["glovebox", ...words, requestDigest, ...where].map(shellWord).join(" ");
    throw usageError(`nothing is approved; what was read here is approved by: ${command}`);
  }
  const order = { operator, requestDigest: digest ?? requestDigest };
  const answer = await askHost(dataOf(options), pathOf(pluginId, "approve"), order);
  if (!answer.ok) return fail(terminal, answer.failure);
  const { error, plugin } = answer.value as ApproveAnswer;
  if (error !== undefined) return fail(terminal, error);
  await print(terminal, [
    `approved by ${operator}, and loaded`,
    ...(plugin?.warnings ?? []).map((line) => `  warning: ${line}`),
  ]);
  return EXIT.ok;
}

/** Takes an approval back. */
export async function approvalsRevoke(
  pluginId: string,
  { operator, ...options }: ApprovalDecisionOptions,
  terminal: Terminal,
): Promise<number> {
  assertOperator(operator);
  const answer = await askHost(dataOf(options), pathOf(pluginId, "revoke"), { operator });
  if (!answer.ok) return fail(terminal, answer.failure);
  const { revoked } = answer.value as { readonly revoked?: unknown };
  if (revoked !== true) return fail(terminal, none(pluginId));
  await terminal.out(
    encodeTerminal(`${pluginId}: its approval is taken back, its grants are ended`) + "\n",
  );
  return EXIT.ok;
}

async function overviewOf(options: ApprovalOptions): Promise<ApprovalOverview | Failure> {
  const answer = await askHost(dataOf(options), "/approvals");
  // The host's own answer; its texts are still encoded where they are printed.
  return answer.ok ? (answer.value as ApprovalOverview) : answer.failure;
}

async function printPending(pending: PendingApproval, terminal: Terminal): Promise<void> {
  const { pluginId, version, publisher, reason, changes, requestDigest } = pending;
  await print(terminal, [
    `${pluginId} ${version} waits (${publisher}): ${reason}`,
    ...changes.map((line) => `  ${line}`),
    `  digest ${requestDigest}`,
  ]);
}

async function printApproved(
  approved: ApprovalOverview["approved"][number],
  terminal: Terminal,
): Promise<void> {
  const { pluginId, publisher, operator, approvedAtMs, allows, isSealed } = approved;
  const when = new Date(approvedAtMs).toISOString();
  const broken = isSealed ? "" : ", BUT ITS SEAL DOES NOT HOLD: it allows nothing";
  await print(terminal, [
    `${pluginId} is approved (${publisher}) by ${operator}, ${when}${broken}`,
    ...allows.map((line) => `  ${line}`),
  ]);
}

async function print(terminal: Terminal, lines: readonly string[]): Promise<void> {
  for (const line of lines) await terminal.out(`${encodeTerminal(line)}\n`);
}

function none(pluginId: string): Failure {
  return {
    code: "RUNTIME_APPROVAL_UNKNOWN",
    message: `there is no approval of ${pluginId}, and none waits`,
  };
}

function approvedAlready(pluginId: string): Failure {
  return {
    code: "RUNTIME_APPROVAL_UNKNOWN",
    message: `${pluginId} is approved already, and waits for nothing`,
  };
}

function dataOf({ data = DEFAULT_DATA }: ApprovalOptions): string {
  return data;
}

function pathOf(pluginId: string, what: "approve" | "revoke"): string {
  return `/approvals/${encodeURIComponent(pluginId)}/${what}`;
}

function assertOperator(operator: string): void {
  if (!OPERATOR.test(operator)) throw usageError("--operator is a name without spaces");
}
