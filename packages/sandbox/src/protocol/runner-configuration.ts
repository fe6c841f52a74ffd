/** @module What CONFIGURE sets: the limits that the runner itself enforces. */

/** The content of CONFIGURE, in bytes where not said otherwise. */
export interface RunnerConfiguration {
  readonly memoryBytes: number;
  /** Elements of a table. */
  readonly tableElements: number;
  readonly outputBytes: number;
  /** Input and host answers, which the process itself must hold besides the plugin's memory. */
  readonly transferBytes: number;
}
