/**
 * @module The base class of every error that leaves a Glovebox package, and the shape of the code
 * tables from which messages, types and docs/errors/ are derived. Match on `code`: it is stable for
 * ever, while messages may improve.
 */
import { sanitizeForMessage } from "./message.ts";

/** What one code means, and what the reader should do about it. */
export interface ErrorCodeEntry {
  /** One sentence without values; safe to show to a plugin. */
  readonly summary: string;
  /** One sentence: what to do. */
  readonly advice: string;
}

/** All codes of one package. */
export type ErrorCodeTable<Code extends string = string> = Readonly<Record<Code, ErrorCodeEntry>>;

/** Values that may stand in `details`: plain data, no secrets. */
export type ErrorDetails = Readonly<Record<string, unknown>>;

/** What a {@link SecurityError} is made of besides its code. */
export interface SecurityErrorOptions {
  /**
   * For the operator: what failed, where, expected, received. Default: the code's summary. Control
   * characters are escaped and the length is bounded to 2,000 characters.
   */
  readonly message?: string;
  /** For plugins and callers outside: no host paths, no secrets. Default: the code's summary. */
  readonly publicMessage?: string;
  /** Machine-readable context. Default: empty. */
  readonly details?: ErrorDetails;
  /** The error that led to this one. */
  readonly cause?: unknown;
}

/**
 * An error with a stable code, a message for the operator and another for plugins.
 *
 * `instanceof` works across two copies of a package: classes are recognised by a brand from the
 * global symbol registry and not by identity.
 */
export abstract class SecurityError<Code extends string = string> extends Error {
  static readonly brand: symbol = Symbol.for("@glovebox/core/SecurityError");

  readonly code: Code;
  readonly publicMessage: string;
  readonly details: ErrorDetails;

  constructor(code: Code, entry: ErrorCodeEntry, options: SecurityErrorOptions = {}) {
    super(
      sanitizeForMessage(options.message ?? entry.summary),
      options.cause === undefined ? undefined : { cause: options.cause },
    );
    this.code = code;
    this.publicMessage = sanitizeForMessage(options.publicMessage ?? entry.summary);
    this.details = Object.freeze({ ...options.details });
    this.name = new.target.name;
    for (const brand of brandsOf(new.target)) {
      Object.defineProperty(this, brand, { value: true, enumerable: false });
    }
  }

  static override [Symbol.hasInstance](value: unknown): boolean {
    return typeof value === "object" && value !== null && this.brand in value;
  }
}

/** Brands of a class and its ancestors, each class contributing only a brand of its own. */
function* brandsOf(constructor: unknown): Generator<symbol> {
  let current: unknown = constructor;
  while (typeof current === "function") {
    const own = Object.getOwnPropertyDescriptor(current, "brand")?.value as unknown;
    if (typeof own === "symbol") yield own;
    current = Object.getPrototypeOf(current);
  }
}
