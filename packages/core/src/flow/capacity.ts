/** @module The one check of a container's bound. A forgotten bound must not mean "no bound". */
import { CoreError, received } from "../errors/index.ts";

/** Returns `capacity`, or throws {@link CoreError} (`CORE_OPTION`) if it is not an integer ≥ 1. */
export function parseCapacity(capacity: number): number {
  if (Number.isSafeInteger(capacity) && capacity >= 1) return capacity;
  throw new CoreError("CORE_OPTION", {
    message: `capacity must be an integer of at least 1; received ${received(capacity)}`,
  });
}
