/**
 * @module The page for browsers: one table, rendered here, without a script. Everything that comes
 * from a plugin is attacker-controlled and encoded for HTML; the policy would let nothing run or
 * load all the same (CSP 3).
 */
import { hash } from "node:crypto";

import { encodeHtmlText } from "@glovebox/core/encode";
import type { PendingApproval, PluginInfo, RuntimeStatus } from "@glovebox/runtime";

import { approveOrder } from "../approve-order.ts";
import type { PluginCounts } from "./plugin-counts.ts";

const STYLE = `body{font:16px/1.5 system-ui,sans-serif;margin:2rem auto;max-width:70rem;padding:0 1rem;color-scheme:light dark}
table{border-collapse:collapse;width:100%}
th,td{border-bottom:1px solid #8886;padding:.4rem .6rem;text-align:left;vertical-align:top}
.number{text-align:right;font-variant-numeric:tabular-nums}
.loosened{border-left:.3rem solid #c60;padding-left:.7rem}`;

/** The page may show its own style and nothing else. */
export const PAGE_POLICY: string = [
  "default-src 'none'",
  `style-src 'sha256-${hash("sha256", STYLE, "base64")}'`,
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join("; ");

/** What the page shows. */
export interface PageView {
  readonly status: RuntimeStatus;
  readonly plugins: readonly PluginInfo[];
  /** Loads that wait for an operator. */
  readonly pending: readonly PendingApproval[];
  readonly counts: ReadonlyMap<string, PluginCounts>;
  /** Which the orders name. Default: where the command looks by itself. */
  readonly dataDirectory?: string | undefined;
}

/** Renders the page. */
export function renderPage({ status, plugins, pending, counts, dataDirectory }: PageView): string {
  const { ready, isolation, minimumIsolation, layers, absentLayers, loosened } = status;
  const absent = Object.entries(absentLayers).map(([layer, reason]) => `${layer}: ${reason}`);
  const loosenings =
    loosened.length === 0
      ? ""
      : `<p class="loosened">Weaker than by default: ${encodeHtmlText(loosened.join(", "))}</p>`;
  const rows = plugins.map((plugin) => row(plugin, counts.get(plugin.id)));
  return `<!doctype html>
<html lang="en">
<head><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>Glovebox</title><style>${STYLE}</style></head>
<body>
<h1>Glovebox</h1>
<p>The host is ${ready ? "ready" : "not ready"}; isolation <b>${encodeHtmlText(isolation)}</b>, at least ${encodeHtmlText(minimumIsolation)}. <a href="/">Refresh</a></p>
<p>Layers around a plugin: ${encodeHtmlText(layers.join(", "))}${absent.length === 0 ? "" : ` (not ${encodeHtmlText(absent.join("; "))})`}</p>
${loosenings}
${pending.map((load) => waitingLoad(load, dataDirectory)).join("\n")}
<table>
<thead><tr><th>Plugin</th><th>Version</th><th>Types</th><th>Functions</th><th>State</th><th>Health</th><th class="number">Calls</th><th class="number">Denials</th><th>Used of its grant</th></tr></thead>
<tbody>
${rows.length === 0 ? '<tr><td colspan="9">No plugin is loaded.</td></tr>' : rows.join("\n")}
</tbody>
</table>
<p><a href="/plugins">/plugins</a> <a href="/approvals">/approvals</a> <a href="/readyz">/readyz</a> <a href="/metrics">/metrics</a></p>
</body>
</html>
`;
}

/** What an operator reads before saying yes: the same lines as at the command line. */
function waitingLoad(pending: PendingApproval, dataDirectory: string | undefined): string {
  const { pluginId, version, publisher, reason, changes } = pending;
  const lines = changes.map((line) => `<li>${encodeHtmlText(line)}</li>`);
  const title = encodeHtmlText(`${pluginId} ${version}, ${publisher}`);
  const how = encodeHtmlText(approveOrder(pending, dataDirectory));
  return `<section class="loosened"><h2>Waits for approval: ${title}</h2>
<p>${encodeHtmlText(reason)}</p><ul>${lines.join("")}</ul><p><code>${how}</code></p></section>`;
}

function row(plugin: PluginInfo, counts: PluginCounts | undefined): string {
  const { id, name, version = "", types, functions, state, reason, health } = plugin;
  const why = reason === undefined ? state : `${state}: ${reason}`;
  const title = name === undefined ? id : `${id} (${name})`;
  const texts = [title, version, types.join(", "), functions.join(", "), why, health];
  const numbers = [counts?.calls ?? 0, counts?.denials ?? 0];
  const cells = [
    ...texts.map((text) => `<td>${encodeHtmlText(text)}</td>`),
    ...numbers.map((number) => `<td class="number">${number}</td>`),
  ];
  const used = plugin.quotas.map((quota) => `<li>${encodeHtmlText(quotaWords(quota))}</li>`);
  return `<tr>${cells.join("")}<td>${used.length === 0 ? "" : `<ul>${used.join("")}</ul>`}</td></tr>`;
}

const COUNTED: Readonly<Record<PluginInfo["quotas"][number]["what"], string>> = {
  requests: "requests",
  sentBytes: "bytes sent",
  receivedBytes: "bytes received",
  fileBytes: "bytes in",
  files: "files in",
};

/** One total in words: `3 of 8 files in /data, 5 left`. */
function quotaWords({
  what,
  folder = "",
  used,
  max,
  remaining,
}: PluginInfo["quotas"][number]): string {
  const counted = [COUNTED[what], folder].join(" ").trim();
  const of = max === undefined ? "" : ` of ${max}`;
  if (used === undefined) return `not counted yet${of} ${counted}`;
  return `${used}${of} ${counted}${remaining === undefined ? "" : `, ${remaining} left`}`;
}
