/** @module The error of a value that cannot be written as JSON: a mistake of the calling program. */
import { CoreError } from "../errors/index.ts";

/** Thrown when a value has no canonical form; its codes are those of {@link CoreError}. */
export class JsonError extends CoreError {
  static override readonly brand: symbol = Symbol.for("@glovebox/core/JsonError");
}
