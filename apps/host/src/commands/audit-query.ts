/**
 * @module `glovebox audit query DIR`: looks for events by time, plugin, kind, actor, decision. Runs
 * without a host, also while one writes; personal fields stay encrypted.
 */
import { EVENT_KINDS, openAuditReader } from "@glovebox/auditor";
import { encodeTerminal } from "@glovebox/core/encode";

import { usageError } from "../errors.ts";
import { EXIT, type Terminal } from "./command-line.ts";
import { escapeJson } from "./json-text.ts";

/** Options of the command, as they were typed. */
export interface RawQueryOptions {
  readonly since?: string;
  readonly until?: string;
  readonly plugin?: string;
  readonly kind?: string;
  readonly actor?: string;
  readonly decision?: string;
  readonly code?: string;
  readonly order?: string;
  readonly limit?: string;
  readonly cursor?: string;
  readonly json?: boolean;
}

type Query = NonNullable<Parameters<Awaited<ReturnType<typeof openAuditReader>>["query"]>[0]>;

/** Runs the command. */
export async function auditQuery(
  directory: string,
  options: RawQueryOptions,
  terminal: Terminal,
): Promise<number> {
  const query = parseQuery(options);
  await using reader = await openAuditReader(directory);
  const { events, cursor } = await reader.query(query);
  if (options.json === true) {
    await terminal.out(`${escapeJson(JSON.stringify({ events, cursor: cursor ?? null }))}\n`);
    return EXIT.ok;
  }
  for (const { class: kept, index, event } of events) {
    const { time, kind, success, pluginId, actor, subject, code, rule, count, error } = event;
    const cells = [
      new Date(time).toISOString(),
      `${kept}/${index}`,
      kind,
      success ? "ok" : "refused",
      pluginId,
      actor ?? subject,
      code,
      rule,
      count === undefined ? undefined : `x${count}`,
      error,
    ].filter((cell) => cell !== undefined);
    await terminal.out(`${encodeTerminal(cells.join("  "))}\n`);
  }
  if (cursor !== undefined) terminal.err(`more: --cursor ${cursor}\n`);
  return EXIT.ok;
}

/** What was typed, as a query. @throws {@link HostError} (`HOST_USAGE`) */
export function parseQuery(options: RawQueryOptions): Query {
  const { since, until, plugin, kind, actor, decision, code, order, limit, cursor } = options;
  if (kind !== undefined && !Object.hasOwn(EVENT_KINDS, kind)) {
    throw usageError(`--kind is one of ${Object.keys(EVENT_KINDS).join(", ")}`);
  }
  if (limit !== undefined && !/^[1-9]\d{0,4}$/.test(limit)) {
    throw usageError("--limit is a number from 1 to 10000");
  }
  return {
    ...(since === undefined ? {} : { sinceMs: timeOf("--since", since) }),
    ...(until === undefined ? {} : { untilMs: timeOf("--until", until) }),
    ...(plugin === undefined ? {} : { pluginId: plugin }),
    ...(kind === undefined ? {} : { kind: kind as keyof typeof EVENT_KINDS }),
    ...(actor === undefined ? {} : { actor }),
    ...(decision === undefined ? {} : { decision: decision as "allowed" | "refused" }),
    ...(code === undefined ? {} : { code }),
    ...(order === undefined ? {} : { order: order as "newest" | "oldest" }),
    ...(limit === undefined ? {} : { limit: Number(limit) }),
    ...(cursor === undefined ? {} : { cursor }),
  };
}

function timeOf(option: string, text: string): number {
  const time = /^\d{4}-\d\d-\d\d/.test(text) ? Date.parse(text) : Number.NaN;
  if (Number.isNaN(time)) throw usageError(`${option} is a time such as 2026-11-26T21:40:00Z`);
  return time;
}
