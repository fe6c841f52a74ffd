/**
 * @module What a newcomer reads when the host serves: the address, how each plugin is called, what of
 * its request the policy does not allow, and the whole command that approves what waits. Names and
 * requests are the plugins' own, so that every line is encoded for the terminal (CWE-150).
 */
import { encodeTerminal } from "@glovebox/core/encode";

import { approveOrder } from "../approve-order.ts";
import type { RuntimePort } from "../http/runtime-port.ts";
import { sampleToken } from "./sample-token.ts";
import { answerOf, curlOf, samplesFor } from "./samples.ts";

/** What a greeting is made of. */
export interface GreetingParts {
  readonly runtime: RuntimePort;
  /** Signs the sample tokens of the examples; absent with other plugins. */
  readonly tokenKey: Uint8Array | undefined;
  /** `http://` and the address. */
  readonly base: string;
  readonly dataDirectory: string;
}

/** Makes the greeting; each example is called once, for its answer. */
export async function greetingOf(parts: GreetingParts): Promise<string> {
  const { runtime, tokenKey, base } = parts;
  const { isolation, loosened } = runtime.status();
  const weaker = loosened.length === 0 ? "" : `; loosened: ${loosened.join(", ")}`;
  return [
    `Glovebox serves on ${base} (isolation: ${isolation}${weaker})`,
    ...(tokenKey === undefined ? pluginLines(parts) : await exampleLines(parts, tokenKey)),
    ...pendingLines(parts),
    "",
    "Optional services (PostgreSQL, NATS, Redis, Chromium): apps/host/README.md says what uses them, and how each is started.",
    "Ctrl-C ends the host.",
    "",
  ]
    .map((line) => encodeTerminal(line))
    .join("\n");
}

async function exampleLines(
  { runtime, base }: GreetingParts,
  tokenKey: Uint8Array,
): Promise<readonly string[]> {
  const nowSeconds = Math.floor(Date.now() / 1000);
  const lines = runtime
    .approvals()
    .approved.flatMap(({ pluginId, allows }) => [
      "",
      `Plugin ${pluginId} is approved, for this example alone:`,
      ...allows.map((line) => `  ${line}`),
    ]);
  for (const sample of samplesFor(sampleToken(tokenKey, nowSeconds))) {
    const answer = await answerOf(runtime, sample, nowSeconds);
    lines.push("", `Plugin ${sample.pluginId}:`, curlOf(sample, base), `  answers ${answer}`);
  }
  return [...lines, "", "The key of the sample token is random and lives as long as this process."];
}

function pluginLines({ runtime, base }: GreetingParts): readonly string[] {
  const plugins = runtime.list();
  const lines = plugins.flatMap(({ id, version, functions, warnings }) => [
    `Plugin ${id} ${version ?? ""}: ${functions.join(", ")}`,
    ...warnings.map((line) => `  warning: ${line}`),
  ]);
  if (plugins.length > 0) {
    const call = { pluginId: "PLUGIN", functionName: "FUNCTION", input: "…" };
    lines.push(`A call: ${curlOf(call, base)}`);
  }
  return lines;
}

function pendingLines({ runtime, dataDirectory }: GreetingParts): readonly string[] {
  return runtime
    .approvals()
    .pending.flatMap((pending) => [
      `Plugin ${pending.pluginId} waits for an approval:`,
      ...pending.changes.map((line) => `  ${line}`),
      `  ${approveOrder(pending, dataDirectory)}`,
    ]);
}
