/** @module Any JSON value that both the writer and the reader of this package take. */
import type { JsonValue } from "@glovebox/core/json";
import fc from "fast-check";

const text = fc.string({ unit: "binary" }).filter((candidate) => candidate.isWellFormed());

/** Not −0, which JSON writes as 0, and no integer beyond 2^53−1 that is written in digits. */
const number = fc
  .double({ noNaN: true, noDefaultInfinity: true })
  .filter((candidate) => !Object.is(candidate, -0))
  .filter((candidate) => Number.isSafeInteger(candidate) || /[.e]/.test(String(candidate)));

/** Any JSON value, at most 6 levels deep. */
export const jsonValue: fc.Arbitrary<JsonValue> = fc.letrec<{ value: JsonValue }>((tie) => ({
  value: fc.oneof(
    { maxDepth: 6, withCrossShrink: true },
    fc.constantFrom(null, true, false),
    number,
    fc.integer(),
    text,
    fc.array(tie("value"), { maxLength: 6 }),
    fc.dictionary(
      text.filter((key) => key !== "__proto__"),
      tie("value"),
      { maxKeys: 6, noNullPrototype: true },
    ),
  ),
})).value;
