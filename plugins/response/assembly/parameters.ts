/** @module The query of a request, as names and texts within bounds. */
import { fail, Fields } from "@glovebox/plugin-sdk/assembly";

const MAX_PARAMETERS = 100;
/** UTF-16 units of all names and values: a query is part of a URL, and servers bound these to 8 or 16 KiB. */
const MAX_TOTAL_LENGTH = 16_384;

/** Names and their values, in order. */
export class Parameters {
  readonly names: string[] = [];
  readonly values: string[] = [];

  /** The value of a parameter, or empty text. */
  valueOf(name: string): string {
    const at = this.names.indexOf(name);
    return at < 0 ? "" : this.values[at];
  }
}

/** Reads the query; too much of it, or a value that is no text, makes the call fail. */
export function readParameters(fields: Fields): Parameters {
  const parameters = new Parameters();
  const names = fields.value.members.keys();
  if (names.length > MAX_PARAMETERS) fail("There are more than 100 query parameters.");
  let total = 0;
  for (let at = 0; at < min(names.length, MAX_PARAMETERS); at++) {
    const value = fields.value.get(names[at]);
    // Not a typed getter: its message would repeat the caller's name for the parameter.
    if (!value.isText) fail("Query parameters must be text.");
    total += names[at].length + value.text.length;
    parameters.names.push(names[at]);
    parameters.values.push(value.text);
  }
  if (total > MAX_TOTAL_LENGTH) fail("The query parameters are longer than 16384 characters.");
  return parameters;
}
