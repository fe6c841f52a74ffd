/**
 * @module What the runtime holds of one plugin: its life, and the generation that takes its calls. A
 * new version is a new generation; the old one drains.
 */
import type { GrantSet } from "@glovebox/capability-broker";
import type { PluginId } from "@glovebox/core/ids";
import type { PluginManifest } from "@glovebox/manifest-validator";
import type { SandboxedPlugin } from "@glovebox/sandbox";

import type { Asking } from "../approval/approval-desk.ts";
import type { PluginPackage } from "../package/plugin-package.ts";
import type { FunctionSchemas } from "./function-schemas.ts";
import { nextState, type PluginEvent, type PluginState } from "./state.ts";

/** The limits of one plugin: bytes, and milliseconds and units of fuel of one call. */
export interface CallLimits {
  readonly memoryBytes: number;
  readonly cpuMs: number;
  readonly instructions: number;
  readonly wallMs: number;
  readonly inputBytes: number;
  readonly outputBytes: number;
}

/** One loaded version of a plugin. */
export interface Generation {
  readonly manifest: PluginManifest;
  readonly source: PluginPackage;
  readonly grant: GrantSet;
  readonly limits: CallLimits;
  readonly schemas: ReadonlyMap<string, FunctionSchemas>;
  readonly sandboxed: SandboxedPlugin;
  /** What was approved, or would have to be. */
  readonly asking: Asking;
  /** Who signed it, in the operator's words; absent where signatures are off. */
  readonly publisher?: string;
  /** What a person should know, such as what was asked for and not granted. */
  readonly warnings: readonly string[];
  /** Aborted when the generation ends, with all of its calls. */
  readonly controller: AbortController;
}

/** A plugin by its id. */
export interface Plugin {
  readonly id: PluginId;
  readonly state: PluginState;
  /** Why the plugin is in its state, for the operator; absent where nothing is wrong. */
  readonly reason: string | undefined;
  /** Takes the calls; absent until the first load has ended. */
  readonly generation: Generation | undefined;
  /** A load, release or unload is under way: no other may begin. */
  isBusy: boolean;
  /** Moves the plugin on; `false` when the event does not fit its state. */
  advance(event: PluginEvent, reason?: string): boolean;
  /** Gives new calls to this generation; answers the one that had them. */
  adopt(generation: Generation): Generation | undefined;
}

/** Makes a plugin that is being loaded. */
export function createPlugin(id: PluginId): Plugin {
  let state: PluginState = "loading";
  let reason: string | undefined;
  let generation: Generation | undefined;
  return {
    id,
    isBusy: true,
    get state() {
      return state;
    },
    get reason() {
      return reason;
    },
    get generation() {
      return generation;
    },
    advance(event, why) {
      const next = nextState(state, event);
      if (next === undefined) return false;
      state = next;
      reason = why;
      return true;
    },
    adopt(next) {
      const previous = generation;
      generation = next;
      return previous;
    },
  };
}
