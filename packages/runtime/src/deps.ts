/** @module What the runtime takes from outside, each with a real default. */
import type { BrokerDeps } from "@glovebox/capability-broker";
import type { Clock } from "@glovebox/core/clock";
import type { DecisionLog } from "@glovebox/core/ports";

/** A pino-shaped logger for operators; it gets no secrets, and plugin text only escaped. */
export interface Logger {
  debug(fields: object, message: string): void;
  info(fields: object, message: string): void;
  warn(fields: object, message: string): void;
  error(fields: object, message: string): void;
}

/** Dependencies; all are optional. */
export interface RuntimeDeps {
  /** Default: the system's clock. */
  readonly clock?: Clock;
  /** Default: nothing is logged; the audit log and `node:diagnostics_channel` stay. */
  readonly logger?: Logger;
  /**
   * Takes the place of the audit log on disk, such as a log in memory. Not everything waits for its
   * promises: it has to take care of a rejection that nobody hears. Default: none.
   */
  readonly decisionLog?: DecisionLog;
  /** Resolving and dialling for plugins. Default: the broker's own. */
  readonly broker?: Partial<BrokerDeps>;
}

/** A logger that logs nothing. */
export const SILENT_LOGGER: Logger = Object.freeze({
  debug: ignore,
  info: ignore,
  warn: ignore,
  error: ignore,
});

function ignore(): void {
  // Deliberately empty: a library writes nowhere by itself.
}
