/** @module One command on its way through a runner: what was sent, when it began, who waits. */
import type { Gcra } from "@glovebox/core/flow";
import type { CallScope, HostServices } from "@glovebox/core/ports";

import type { SandboxError } from "../errors.ts";
import type { FrameType } from "../protocol/frame-table.ts";

/** What a command may use, counted from the moment when the runner begins it. */
export interface ExchangeLimits {
  /** CPU time, milliseconds. */
  readonly cpuMs: number;
  /** Wall time, milliseconds. */
  readonly wallMs: number;
  readonly hostCalls: number;
  /** Largest answer that is accepted, bytes. */
  readonly answerBytes: number;
}

/** What a command used. */
export interface ExchangeUsage {
  readonly wallMs: number;
  /** `null` where the platform has no trusted clock. */
  readonly cpuMs: number | null;
  /** As its runner said; absent where it could not. */
  readonly instructions?: number;
}

/** For whom host calls are made during a command. */
export interface HostCallContext {
  readonly services: HostServices;
  readonly scope: CallScope;
  /** How fast host calls may come; one for all of a plugin's runners. */
  readonly rate: Gcra;
}

/** A command, its limits and who waits for its answer. */
export interface Exchange {
  readonly type: FrameType;
  readonly argument: number;
  readonly payload: Uint8Array;
  readonly limits: ExchangeLimits;
  /** Absent for commands during which no host call can happen. */
  readonly host?: HostCallContext;
  /** `argument` and `payload` of the answer, which is owned by the receiver. */
  succeed(argument: number, payload: Uint8Array, usage: ExchangeUsage): void;
  fail(error: SandboxError, usage: ExchangeUsage): void;
}
