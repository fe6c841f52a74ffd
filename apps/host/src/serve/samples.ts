/** @module One sample call for each example plugin, as the `curl` command that makes it. */
import { encodeTerminal } from "@glovebox/core/encode";
import type { JsonValue } from "@glovebox/core/json";

import type { RuntimePort } from "../http/runtime-port.ts";
import { MAX_SHOWN_ANSWER_CHARACTERS } from "../limits.ts";

/** A call that shows what a plugin does. */
export interface Sample {
  readonly pluginId: string;
  readonly functionName: string;
  readonly input: JsonValue;
}

/** The samples; `token` is one that the plugin `auth` accepts. */
export function samplesFor(token: string): readonly Sample[] {
  return [
    {
      pluginId: "auth",
      functionName: "authenticate",
      input: { method: "GET", uri: "/reports", headers: { Authorization: `Bearer ${token}` } },
    },
    {
      pluginId: "template",
      functionName: "template_function",
      input: { function_name: "mask", args: ["4111111111111111"] },
    },
    {
      pluginId: "response",
      functionName: "generate_response",
      input: { method: "GET", path: "/hello", query_params: { format: "json" } },
    },
    {
      pluginId: "datasource",
      functionName: "query_datasource",
      input: {
        query_type: "Select",
        query: "cities",
        parameters: { country: "Japan" },
        limit: 1,
      },
    },
    {
      pluginId: "rates",
      functionName: "query_datasource",
      input: { query_type: "Select", query: "rates", parameters: { currency: "USD" } },
    },
  ];
}

/** The command that makes the call, for a POSIX shell. */
export function curlOf({ pluginId, functionName, input }: Sample, base: string): string {
  const body = JSON.stringify({ input }).replaceAll("'", String.raw`'\''`);
  return `curl -s ${base}/plugins/${pluginId}/functions/${functionName} -H 'content-type: application/json' -d '${body}'`;
}

/** Makes the call, and answers what the plugin says, fit for a terminal. */
export async function answerOf(
  runtime: Pick<RuntimePort, "executePluginFunction">,
  { pluginId, functionName, input }: Sample,
  nowSeconds: number,
): Promise<string> {
  const context = { custom: { now: nowSeconds } };
  const outcome = await runtime.executePluginFunction(pluginId, functionName, context, input);
  if (!outcome.ok) return encodeTerminal(`${outcome.error.code}: ${outcome.error.message}`);
  const text = Buffer.from(outcome.output).toString();
  const isLong = text.length > MAX_SHOWN_ANSWER_CHARACTERS;
  return encodeTerminal(isLong ? `${text.slice(0, MAX_SHOWN_ANSWER_CHARACTERS)} …` : text);
}
