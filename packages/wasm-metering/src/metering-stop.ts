/** @module Ends the metering of a module inside this package; {@link meterModule} turns it into a refusal. */
import type { MeteringErrorCode } from "./errors.ts";

/** Not an error of a caller: it never leaves the package. */
export class MeteringStop extends Error {
  readonly code: Exclude<MeteringErrorCode, "METERING_USAGE">;
  readonly reason: string;

  constructor(code: Exclude<MeteringErrorCode, "METERING_USAGE">, reason: string) {
    super(reason);
    this.code = code;
    this.reason = reason;
  }
}
