/**
 * @module Everything that one generation of a plugin can reach, joined from the modules: network and
 * files by its grant, variables, its configuration, the host application's functions, and a log
 * line. A host function is the application's code: what it throws may hold a secret (a connection
 * string, a path), so nothing of it goes on but its class (invariant I7, CWE-209).
 */
import type { Broker, GrantSet } from "@glovebox/capability-broker";
import { type Decision, refuse, type Refusal } from "@glovebox/core/decision";
import { encodeLogLine } from "@glovebox/core/encode";
import { received, SecurityError } from "@glovebox/core/errors";
import type {
  CallScope,
  HostFunction,
  HostServices,
  HostValue,
  VariableStore,
} from "@glovebox/core/ports";

import type { Logger } from "../deps.ts";
import type { Events } from "../events/fan-out.ts";
import { EVENT } from "../events/kinds.ts";
import { MAX_PLUGIN_LOG_CHARACTERS } from "../limits.ts";

/** What host services are made of. */
export interface HostServiceParts {
  readonly broker: Pick<Broker, "http" | "files">;
  readonly grant: GrantSet;
  readonly variables: VariableStore;
  readonly functions: ReadonlyMap<string, HostFunction>;
  readonly config: ReadonlyMap<string, string>;
  readonly events: Events;
  readonly logger: Logger;
}

/** Joins the services of one generation. */
export function createHostServices(parts: HostServiceParts): HostServices {
  const { broker, grant, variables, functions, config, events, logger } = parts;
  return {
    http: broker.http(grant),
    files: broker.files(grant),
    variables,
    config,
    functions: new Map(
      Array.from(functions, ([name, target]) => [
        name,
        guardedFunction(name, target, events, logger),
      ]),
    ),
    log(scope, level, message) {
      const { pluginId, callId } = scope;
      const text = encodeLogLine(message.slice(0, MAX_PLUGIN_LOG_CHARACTERS));
      logger[level === "trace" ? "debug" : level]({ pluginId, callId }, text);
    },
  };
}

/** The function, recorded before it runs, with its failures reduced to a code. */
function guardedFunction(
  name: string,
  target: HostFunction,
  events: Events,
  logger: Logger,
): HostFunction {
  return {
    parameters: target.parameters,
    result: target.result,
    async call(scope, args) {
      const recorded = await events.recordBefore(scope, {
        kind: EVENT.hostFunction,
        success: true,
        rule: RULE,
        details: { hostFunction: name },
      });
      if (!recorded.allowed) return recorded;
      const decision = await callGuarded(name, target, scope, args, logger);
      if (!decision.allowed) {
        const { code, rule } = decision;
        events.tell(scope, {
          kind: EVENT.hostFunction,
          success: false,
          code,
          rule,
          details: { hostFunction: name },
        });
      }
      return decision;
    },
  };
}

const RULE = "host.function";

async function callGuarded(
  name: string,
  target: HostFunction,
  scope: CallScope,
  args: readonly HostValue[],
  logger: Logger,
): Promise<Decision<HostValue | undefined>> {
  try {
    return await target.call(scope, args);
  } catch (error) {
    const { pluginId, callId } = scope;
    const fields = { pluginId, callId, hostFunction: name, error: classOf(error) };
    logger.error(fields, "a host function failed");
    return failed(name);
  }
}

/** A class or a code: words of a program's author, not of its data. */
function classOf(error: unknown): string {
  if (error instanceof SecurityError) return error.code;
  return error instanceof Error ? received(error.constructor.name) : `a thrown ${typeof error}`;
}

function failed(name: string): Refusal {
  return refuse("RUNTIME_HOST_FUNCTION", RULE, `the host function ${received(name)} failed`);
}
