/**
 * @module Puts a plugin into a runner: CONFIGURE with the plugin's limits, LOAD each module,
 * INSTANTIATE. A runner in which any of it fails is ended.
 */
import type { Gcra } from "@glovebox/core/flow";
import type { CallScope, HostServices } from "@glovebox/core/ports";

import { SandboxError } from "../errors.ts";
import { MAX_CONTROL_BYTES, RUNNER_RESIDENT_BYTES } from "../limits.ts";
import { FRAME, type FrameType, LOAD_FROM_PAYLOAD } from "../protocol/frame-table.ts";
import type { InstantiateSpec, ModuleFuel } from "../protocol/instantiate-spec.ts";
import type { RunnerConfiguration } from "../protocol/runner-configuration.ts";
import type { HostCallContext } from "./exchange.ts";
import { dataBytesOf } from "./recycle-policy.ts";
import type { Runner } from "./runner.ts";

const encoder = new TextEncoder();
const decoder = new TextDecoder();
const NO_PAYLOAD = new Uint8Array(0);

/** Limits of one plugin. All counts are per call, sizes in bytes, times in milliseconds. */
export interface RunnerLimits {
  /** Linear memory, and with a fixed allowance for the engine the process's data. */
  readonly memoryBytes: number;
  /** CPU time of one call. */
  readonly cpuMs: number;
  /** Units of fuel of one call, where the modules are metered. */
  readonly instructions: number;
  /** Wall time of one call, host calls included. */
  readonly wallMs: number;
  /** Input of one call. */
  readonly inputBytes: number;
  /** Output of one call. */
  readonly outputBytes: number;
  /** Host calls during one call. */
  readonly hostCalls: number;
  /** Host calls per second of all the plugin's runners together; as many may come at once after a rest. */
  readonly hostCallsPerSecond: number;
  /** Elements of a table. */
  readonly tableElements: number;
}

/** A module under the name that others import it by. */
export interface NamedModuleBytes {
  readonly name: string;
  readonly bytes: Uint8Array;
  /** What metering has put into it; all modules of a plugin have it or none. Default: none. */
  readonly fuel?: ModuleFuel;
}

/** What is loaded, with the limits and services that its start functions have. */
export interface LoadSpec {
  readonly instantiate: InstantiateSpec;
  readonly modules: readonly NamedModuleBytes[];
  readonly limits: RunnerLimits;
  readonly services: HostServices;
  /** The scope of host calls during the start. */
  readonly startScope: CallScope;
  readonly hostCallRate: Gcra;
}

/**
 * Loads and starts a plugin; `validated` holds the places of modules that this runner has validated
 * already. Answers the callable functions with their places.
 *
 * @throws {@link SandboxError} with the code of what failed
 */
export async function loadPlugin(
  runner: Runner,
  spec: LoadSpec,
  validated: readonly (number | undefined)[],
): Promise<ReadonlyMap<string, number>> {
  const { modules, limits, instantiate, startScope, services, hostCallRate } = spec;
  try {
    // Sent in one go: what fails ends the runner, so that nothing depends on the answers in between.
    const steps = runner.state === "warm" ? [configureRunner(runner, limits)] : [];
    for (const [at, { bytes }] of modules.entries()) {
      const place = validated[at];
      runner.advance("load");
      steps.push(
        place === undefined
          ? command(runner, FRAME.LOAD, LOAD_FROM_PAYLOAD, bytes, limits)
          : command(runner, FRAME.LOAD, place, NO_PAYLOAD, limits),
      );
    }
    runner.advance("instantiate");
    const payload = encoder.encode(JSON.stringify(instantiate));
    const host = { services, scope: startScope, rate: hostCallRate };
    steps.push(command(runner, FRAME.INSTANTIATE, 0, payload, limits, host));
    const answers = await Promise.all(steps);
    return parseFunctions(answers.at(-1));
  } catch (error) {
    const cause =
      error instanceof SandboxError
        ? error
        : new SandboxError("SANDBOX_BOOT_FAILED", { cause: error });
    runner.kill(cause);
    throw cause;
  }
}

/** Gives a warm runner the limits of its plugin. */
export function configureRunner(runner: Runner, limits: RunnerLimits): Promise<Uint8Array> {
  runner.advance("configure");
  const dataBytes = dataBytesOf(limits);
  const mappedBytes = runner.mappedDataBytes;
  runner.limitResident(dataBytes + RUNNER_RESIDENT_BYTES);
  const configuration: RunnerConfiguration = {
    memoryBytes: limits.memoryBytes,
    tableElements: limits.tableElements,
    outputBytes: limits.outputBytes,
    instructions: limits.instructions,
    dataBytes: mappedBytes === undefined ? null : mappedBytes + dataBytes,
  };
  return command(runner, FRAME.CONFIGURE, 0, encoder.encode(JSON.stringify(configuration)), limits);
}

/** Sends a control command and waits for its answer. */
export function command(
  runner: Runner,
  type: FrameType,
  argument: number,
  payload: Uint8Array,
  limits: RunnerLimits,
  host?: HostCallContext,
): Promise<Uint8Array> {
  return new Promise((resolve, reject) => {
    runner.submit({
      type,
      argument,
      payload,
      limits: {
        cpuMs: limits.cpuMs,
        wallMs: limits.wallMs,
        hostCalls: limits.hostCalls,
        answerBytes: MAX_CONTROL_BYTES,
      },
      ...(host === undefined ? {} : { host }),
      succeed: (_argument, answer) => resolve(answer),
      fail: (error) => reject(error),
    });
  });
}

/** The list of functions comes from the plugin's process. */
function parseFunctions(answer: Uint8Array | undefined): ReadonlyMap<string, number> {
  const parsed = JSON.parse(decoder.decode(answer)) as { functions?: unknown } | null;
  const names = Array.isArray(parsed?.functions) ? (parsed.functions as unknown[]) : [];
  if (names.length > 0xffff || names.some((name) => typeof name !== "string")) {
    throw new SandboxError("SANDBOX_PROTOCOL", { message: "the list of functions is malformed" });
  }
  return new Map((names as string[]).map((name, place) => [name, place]));
}
