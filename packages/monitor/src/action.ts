/** @module What the monitor asks for, as data: the runtime carries it out (upstream: "Automated Responses"). */
import type { PluginId } from "@glovebox/core/ids";

/** What every action says. */
export interface ActionBase {
  readonly pluginId: PluginId;
  /** The rule that spoke, such as `monitor.consecutive-failures`. */
  readonly rule: string;
  /** The code of the call that led to it. */
  readonly code: string;
  /** One sentence for the operator and the audit log. */
  readonly reason: string;
}

/** Only to be recorded. */
export interface NoteAction extends ActionBase {
  readonly kind: "note";
}

/** Slow the plugin down for a while. */
export interface ThrottleAction extends ActionBase {
  readonly kind: "throttle";
  /** From 0, full speed, to 1, stopped. */
  readonly level: number;
  readonly durationMs: number;
}

/** Let none of the plugin's calls run. */
export interface QuarantineAction extends ActionBase {
  readonly kind: "quarantine";
  /** How long; `null` until an operator lifts it. */
  readonly durationMs: number | null;
}

/** One thing to do. */
export type Action = NoteAction | ThrottleAction | QuarantineAction;
