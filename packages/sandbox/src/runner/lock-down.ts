/**
 * @module The steps with which a runner gives up what it does not need, before the first plugin
 * byte (invariant I2). What was reached is reported in HELLO; the host decides whether it is enough.
 */
import {
  becomeUser,
  limitLifeCpu,
  loadSystemCalls,
  prepareDataLimit,
  prepareFilter,
  restrictProcess,
  type SystemCalls,
} from "@glovebox/linux/process";
import { buildFilter } from "@glovebox/linux/seccomp";

import { runnerCalls } from "../lockdown/syscall-policy.ts";
import type { CanaryReport, Hello } from "../protocol/hello.ts";
import type { RunnerArguments } from "../protocol/runner-arguments.ts";
import { makeForbiddenCall, tryCalls, tryOutside } from "./canary.ts";
import { askPermissions, dropPermissions, tryForbidden } from "./permissions.ts";

const MILLISECONDS_PER_SECOND = 1_000;

/** What remains usable after the lock-down. */
export interface LockedDown {
  readonly hello: Hello;
  /** Limits the private data that may be mapped in all; does nothing without system calls. */
  readonly limitData: (bytes: number) => void;
  /** Gives back what booting has freed (bench `sandbox`: `pss_mb_per_plugin`). */
  readonly releaseFreeMemory: () => void;
  /** For a canary: makes a call that must end this process. */
  readonly violate: () => void;
}

/**
 * Locks this process down. A canary then tries what must be refused; the others, whose memory
 * counts, ask the permission model.
 *
 * The order matters: what needs a descriptor or a permission is prepared first; a change of user
 * clears the death signal; the filter forbids all of this, so it comes last.
 */
export function lockDown({ parentPid, role, lockDown: request }: RunnerArguments): LockedDown {
  const beganMs = performance.now();
  const calls = loadSystemCalls(request.koffiEntry);
  const outside = role === "canary" && calls !== undefined ? tryOutside(calls) : undefined;
  const prepared = calls && prepare(calls);
  if (request.user !== undefined) becomeUser(request.user);
  if (calls !== undefined) {
    restrictProcess(calls, parentPid);
    limitLifeCpu(calls, request.lifeCpuSeconds);
  }
  dropPermissions();
  const denied = role === "canary" ? tryForbidden() : askPermissions();
  const unfiltered = prepared === undefined ? "no system calls" : failureOf(prepared.filter);
  const lockDownMs = performance.now() - beganMs;
  return {
    hello: {
      node: process.versions.node,
      systemCalls: calls?.backEnd ?? "none",
      denied,
      lifeCpuMs: calls === undefined ? null : request.lifeCpuSeconds * MILLISECONDS_PER_SECOND,
      lockDownMs,
      ...(unfiltered === undefined ? {} : { unfiltered }),
      ...(outside === undefined ? {} : { outside }),
      ...(role === "canary" && prepared !== undefined && unfiltered === undefined
        ? { canary: prepared.report() }
        : {}),
    },
    limitData: prepared?.limitData ?? (() => undefined),
    releaseFreeMemory: () => calls?.releaseFreeMemory(),
    violate: () => calls && makeForbiddenCall(calls),
  };
}

interface Prepared {
  readonly limitData: (bytes: number) => void;
  readonly filter: () => void;
  readonly report: () => CanaryReport;
}

function prepare(calls: SystemCalls): Prepared {
  const program = buildFilter(runnerCalls(process.pid), calls.architecture);
  return {
    limitData: prepareDataLimit(calls),
    filter: prepareFilter(calls, program),
    report: () => ({
      program: Buffer.from(program).toString("base64"),
      attempts: tryCalls(calls),
    }),
  };
}

/** A kernel or a container without filters is a level of protection, which the host judges. */
function failureOf(filter: () => void): string | undefined {
  try {
    filter();
    return undefined;
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}
