/** @module How a call ended, and what it used (contract.md 3). */

/** How a call ended; usage is carried either way. */
export type CallOutcome<Output = Uint8Array> =
  | { readonly ok: true; readonly output: Output; readonly usage: Usage }
  | { readonly ok: false; readonly error: CodedError; readonly usage: Usage };

/** An error as a caller sees it. */
export interface CodedError {
  readonly code: string;
  readonly message: string;
  readonly publicMessage: string;
  readonly details: Readonly<Record<string, unknown>>;
}

/** What one call used; `null` = not measured (contract.md 3). */
export interface Usage {
  readonly wallMs: number;
  readonly cpuMs: number | null;
  readonly instructions: number | null;
  readonly instructionsExact: boolean | null;
  readonly memoryPeakBytes: number | null;
  readonly inputBytes: number;
  readonly outputBytes: number;
  readonly networkRequests: number;
  readonly fileOperations: number;
}
