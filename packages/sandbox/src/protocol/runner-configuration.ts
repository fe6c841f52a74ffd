/** @module What CONFIGURE sets: the limits that the runner itself enforces. */

/** The content of CONFIGURE, in bytes where not said otherwise. */
export interface RunnerConfiguration {
  readonly memoryBytes: number;
  /** Elements of a table. */
  readonly tableElements: number;
  readonly outputBytes: number;
  /** Units of fuel of one call, where modules are metered. */
  readonly instructions: number;
  /**
   * Private data that the process may map in all; the host has read how much it has mapped already.
   * `null`: nobody knows here.
   */
  readonly dataBytes: number | null;
}
