/** @module Whether the host can serve, and how safely: what `/readyz` shows (contract.md 4). */
import type { IsolationLayer, IsolationLevel, OuterLayer } from "@glovebox/sandbox";

import type { ParsedConfig } from "./options.ts";
import type { Wiring } from "./wiring.ts";

/** The state of a runtime. */
export interface RuntimeStatus {
  /** Whether loads and calls are taken, and runners can be started for them. */
  readonly ready: boolean;
  /** The level that the runners have proven. */
  readonly isolation: IsolationLevel;
  readonly minimumIsolation: IsolationLevel;
  /** What holds the runners, outermost first. */
  readonly layers: readonly IsolationLayer[];
  /** Why an outer layer is not among them. */
  readonly absentLayers: Readonly<Partial<Record<OuterLayer, string>>>;
  /** Options whose values are weaker than their defaults. */
  readonly loosened: readonly string[];
}

/** Reads the state. */
export function statusOf(
  { loosened }: ParsedConfig,
  { sandbox, stopped }: Pick<Wiring, "sandbox" | "stopped">,
): RuntimeStatus {
  const { ready: canStart, isolation, minimumIsolation, layers, absentLayers } = sandbox.status();
  const ready = stopped() === undefined && canStart;
  return { ready, isolation, minimumIsolation, layers, absentLayers, loosened };
}
