/**
 * @module One call, in order: state → context and input → admission → its place in the audit log →
 * the sandbox → the output's schema → monitor → its end in the audit log → the answer. Hot path: a
 * call costs a few microseconds here beside about ten in the sandbox, so nothing is awaited, parsed
 * or copied that the call does not need (bench `calls`).
 */
import { allow, type Decision, refuse, type Refusal } from "@glovebox/core/decision";
import { received } from "@glovebox/core/errors";
import { newCallId } from "@glovebox/core/ids";
import type { JsonValue } from "@glovebox/core/json";
import type { AuditPlace, CallOutcome, CallScope, Usage } from "@glovebox/core/ports";
import type { Limiter, Priority } from "@glovebox/limiter";

import { RuntimeError } from "../errors.ts";
import type { Events } from "../events/fan-out.ts";
import { CALL_RULE, EVENT } from "../events/kinds.ts";
import type { AuditDurability } from "../options.ts";
import type { Generation, Plugin } from "../plugin/plugin.ts";
import type { Registry } from "../plugin/registry.ts";
import { refusalOfState } from "../plugin/state.ts";
import { errorOf, publicMessageOf } from "../public-message.ts";
import type { Observer } from "../response/observer.ts";
import type { TrapDesk } from "../response/trap-desk.ts";
import { type CallContext, type CallOptions, type ParsedContext, parseContext } from "./context.ts";
import type { InstructionBudgets } from "./instruction-budgets.ts";
import { CallMeter } from "./meter.ts";
import { checkOutput, encodeInput } from "./payload.ts";

/** What a call passes through. */
export interface CallParts {
  readonly registry: Registry;
  readonly limiter: Limiter;
  readonly instructions: InstructionBudgets;
  readonly events: Events;
  readonly observer: Observer;
  readonly traps: TrapDesk;
  readonly durability: AuditDurability;
  /** Why no call is taken at all; `undefined` while the host is open. */
  stopped(): Refusal | undefined;
}

/** A call that may begin. */
interface PreparedCall {
  readonly plugin: Plugin;
  readonly generation: Generation;
  readonly context: ParsedContext;
  readonly scope: CallScope & { readonly meter: CallMeter };
  readonly bytes: Uint8Array;
}

const PRIORITIES: ReadonlySet<unknown> = new Set<Priority>(["high", "normal", "low"]);
const FUNCTION_NAME = /^[\x21-\x7e]{1,128}$/;

/**
 * Runs one call.
 *
 * @throws {@link RuntimeError} (`RUNTIME_USAGE`) on misuse only
 */
export async function executeCall(
  parts: CallParts,
  pluginId: string,
  functionName: string,
  context: CallContext,
  input: Uint8Array | JsonValue,
  { priority }: CallOptions = {},
): Promise<CallOutcome> {
  checkUsage(pluginId, functionName, context, input, priority);
  const { limiter, events, instructions } = parts;
  let prepared = prepare(parts, pluginId, functionName, context, input);
  if (!prepared.allowed) return answerRefusal(parts, pluginId, functionName, prepared);
  let admission = limiter.tryAdmit(prepared.value.scope);
  if (!admission.allowed && admission.code === "LIMITER_CONCURRENCY") {
    const { scope } = prepared.value;
    admission = await limiter.admit(priority === undefined ? scope : { ...scope, priority });
    // While the call waited, the plugin may have been stopped, or replaced by another version.
    prepared = prepare(parts, pluginId, functionName, context, input);
    if (!prepared.allowed) {
      if (admission.allowed) admission.value.release();
      return answerRefusal(parts, pluginId, functionName, prepared);
    }
  }
  if (!admission.allowed) return answerRefusal(parts, pluginId, functionName, admission);
  const call = prepared.value;
  const reserved = instructions.reserve(call.scope, call.generation.limits.instructions);
  if (!reserved.allowed) {
    admission.value.release();
    return answerRefusal(parts, pluginId, functionName, reserved);
  }
  let outcome: CallOutcome | undefined;
  let usage: Usage = NOTHING_USED;
  try {
    const begun = events.record(call.scope, startEvent(functionName, call.context));
    if (!begun.allowed) return notRun(begun, call.bytes.length);
    if (parts.durability === "effect") {
      const durable = await events.settled(begun.value);
      if (durable?.allowed === false) return notRun(durable, call.bytes.length);
    }
    outcome = await call.generation.sandboxed.call(call.scope, functionName, call.bytes);
  } finally {
    admission.value.release();
    usage = instructions.settle(reserved.value, outcome?.usage ?? NOTHING_USED);
  }
  return finish(parts, call, functionName, outcome, usage);
}

function checkUsage(
  pluginId: unknown,
  functionName: unknown,
  context: unknown,
  input: unknown,
  priority: unknown,
): void {
  const problem =
    typeof pluginId !== "string" || typeof functionName !== "string"
      ? "pluginId and functionName are text"
      : typeof context !== "object" || context === null
        ? "context is an object"
        : input === undefined
          ? "input is bytes or a JSON value"
          : priority !== undefined && !PRIORITIES.has(priority)
            ? "priority is high, normal or low"
            : undefined;
  if (problem === undefined) return;
  throw new RuntimeError("RUNTIME_USAGE", { message: `executePluginFunction: ${problem}` });
}

/** Everything that can be decided without waiting; what comes from callers is attacker-controlled. */
function prepare(
  parts: CallParts,
  pluginId: string,
  functionName: string,
  rawContext: CallContext,
  input: Uint8Array | JsonValue,
): Decision<PreparedCall> {
  const closed = parts.stopped();
  if (closed !== undefined) return closed;
  const plugin = parts.registry.get(pluginId);
  if (plugin === undefined) {
    const reason = `no plugin ${received(pluginId)} is loaded`;
    return refuse("RUNTIME_PLUGIN_UNKNOWN", "call.plugin", reason);
  }
  const { generation } = plugin;
  const code = generation === undefined ? "RUNTIME_NOT_READY" : refusalOfState(plugin.state);
  if (code !== undefined || generation === undefined) {
    const why = plugin.reason === undefined ? "" : `: ${plugin.reason}`;
    return refuse(
      code ?? "RUNTIME_NOT_READY",
      "call.state",
      `${plugin.id} is ${plugin.state}${why}`,
    );
  }
  if (!FUNCTION_NAME.test(functionName)) {
    const reason = `a function's name is 1–128 printable ASCII characters; received ${received(functionName)}`;
    return refuse("RUNTIME_INPUT", "call.function", reason);
  }
  const context = parseContext(rawContext);
  if (!context.allowed) return context;
  const callId = newCallId();
  const bytes = encodeInput(generation, functionName, callId, context.value, input);
  if (!bytes.allowed) return bytes;
  const { tenantId } = context.value;
  const base = {
    pluginId: plugin.id,
    callId,
    signal: generation.controller.signal,
    meter: new CallMeter(),
  };
  return allow("call.prepare", {
    plugin,
    generation,
    context: context.value,
    scope: tenantId === undefined ? base : { ...base, tenantId },
    bytes: bytes.value,
  });
}

function startEvent(functionName: string, { userId }: ParsedContext) {
  return {
    kind: EVENT.call,
    rule: CALL_RULE.start,
    success: true,
    function: functionName,
    ...(userId === undefined ? {} : { userId }),
  };
}

/** What was measured, what it means, and its end in the log; the answer leaves only after that. */
function finish(
  parts: CallParts,
  call: PreparedCall,
  functionName: string,
  ran: CallOutcome,
  used: Usage,
): CallOutcome | Promise<CallOutcome> {
  const { events, observer, traps } = parts;
  const { scope, generation, context } = call;
  const { meter } = scope;
  const usage: Usage =
    meter.networkRequests === 0 && meter.fileOperations === 0
      ? used
      : {
          ...used,
          networkRequests: meter.networkRequests,
          fileOperations: meter.fileOperations,
        };
  const problem = ran.ok ? checkOutput(generation, functionName, ran.output) : undefined;
  const outcome: CallOutcome =
    problem !== undefined
      ? { ok: false, error: outputError(problem), usage }
      : usage === ran.usage
        ? ran
        : { ...ran, usage };
  observer.observe(scope, outcome);
  if (!outcome.ok) traps.note(scope.pluginId, generation, functionName, outcome.error);
  const taken = events.record(scope, {
    kind: EVENT.call,
    rule: CALL_RULE.end,
    success: outcome.ok,
    function: functionName,
    ...(context.userId === undefined ? {} : { userId: context.userId }),
    ...(outcome.ok ? {} : { code: outcome.error.code, error: outcome.error.message }),
    executionTimeMs: usage.wallMs,
    resourceUsage: usage,
  });
  if (!taken.allowed) return withheld(taken, usage);
  const settled = events.settled(taken.value);
  if (settled === undefined) return outcome;
  return settled.then((durable) => (durable.allowed ? outcome : withheld(durable, usage)));
}

function outputError(problem: string) {
  return {
    code: "RUNTIME_OUTPUT",
    message: `the output: ${problem}`,
    publicMessage: publicMessageOf("RUNTIME_OUTPUT"),
    details: {},
  };
}

/** The call has run, and its answer may not leave: nobody could tell later what it was. */
function withheld(refusal: Refusal, usage: Usage): CallOutcome {
  return { ok: false, error: errorOf(refusal), usage };
}

/** A call that did not run: its refusal is recorded, too, before the answer leaves. */
async function answerRefusal(
  { registry, events }: CallParts,
  rawPluginId: string,
  functionName: string,
  refusal: Refusal,
): Promise<CallOutcome> {
  const plugin = registry.get(rawPluginId);
  const scope = plugin === undefined ? {} : { pluginId: plugin.id };
  const place: AuditPlace | undefined = events.tell(scope, {
    kind: EVENT.call,
    success: false,
    code: refusal.code,
    rule: refusal.rule,
    error: refusal.reason,
    // Both are attacker-controlled and may have any length.
    details: {
      function: received(functionName),
      ...(plugin === undefined ? { plugin: received(rawPluginId) } : {}),
    },
  });
  // A refusal has no effect that an unwritten event could hide, so it is answered either way.
  if (place !== undefined) await events.settled(place);
  return notRun(refusal, 0);
}

function notRun(refusal: Refusal, inputBytes: number): CallOutcome {
  return { ok: false, error: errorOf(refusal), usage: { ...NOTHING_USED, inputBytes } };
}

const NOTHING_USED: Usage = Object.freeze({
  wallMs: 0,
  cpuMs: 0,
  instructions: null,
  instructionsExact: null,
  memoryPeakBytes: null,
  inputBytes: 0,
  outputBytes: 0,
  networkRequests: 0,
  fileOperations: 0,
});
