/** @module Where approvals are kept, as the runtime needs it: a file, a table, or memory in a test. */
import type { Approval } from "@glovebox/capability-broker";

/** Keeps approvals. What comes out of it is believed only as far as its seal holds. */
export interface ApprovalStore {
  /** Seals approvals, at least 32 bytes: whoever has it may approve. */
  readonly sealKey: Uint8Array;
  /** Everything that is kept, at most one for each plugin. */
  list(): readonly Approval[];
  /**
   * Keeps one in place of the plugin's last; durable when it resolves. What is removed before that is
   * not kept.
   */
  save(approval: Approval): Promise<void>;
  /** Forgets the plugin's: not listed any more at once, durable when it resolves. */
  remove(pluginId: string): Promise<void>;
}
