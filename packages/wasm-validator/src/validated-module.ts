/**
 * @module A module that passed every check: the proof that later steps take instead of bytes. Only
 * this package makes one.
 */
import type { Sha256 } from "@glovebox/core/ids";
import type { EngineVerdict } from "@glovebox/core/ports";

/** A validated module, frozen. */
export interface ValidatedModule {
  readonly __glovebox: "ValidatedModule";
  /**
   * The bytes that were validated: a copy that the caller's buffer does not share, and the very
   * buffer that the engine judged, unless it changed or transferred it. Read only; `sha256` names
   * what was validated.
   */
  readonly bytes: Uint8Array<ArrayBuffer>;
  /** Digest of `bytes`. */
  readonly sha256: Sha256;
  /** What the engine and this package agree the module imports and exports, frozen. */
  readonly verdict: EngineVerdict;
}

/** Freezes the parts into one; `verdict` holds frozen entries. */
export function createValidatedModule(
  bytes: Uint8Array<ArrayBuffer>,
  sha256: Sha256,
  { imports, exports }: EngineVerdict,
): ValidatedModule {
  return Object.freeze({
    __glovebox: "ValidatedModule",
    bytes,
    sha256,
    verdict: Object.freeze({
      imports: Object.freeze([...imports]),
      exports: Object.freeze([...exports]),
    }),
  });
}
