import { decodeText, encodeText, readInputInto, writeBlock, writeText } from "./block";
/** @module One call: input in, output or failure out. */
import * as env from "./env";
import { fail, failed, takeFailure } from "./failure";
import { Fields } from "./fields";
import { parseJson } from "./json-reader";
import { JsonValue } from "./json-value";

/** Bytes of input that a plugin reads as a whole; larger inputs are for `inputChunks`. */
export const MAX_WHOLE_INPUT_BYTES: u64 = 16 * 1024 * 1024;

/** The whole input. */
export function readInput(): Uint8Array {
  const size = env.inputLength();
  if (size > MAX_WHOLE_INPUT_BYTES) {
    fail("The input is larger than 16 MiB.");
    return new Uint8Array(0);
  }
  const bytes = new Uint8Array(<i32>size);
  readInputInto(bytes, 0, <i32>size);
  return bytes;
}

/** The input as text. */
export function readInputText(): string {
  return decodeText(readInput());
}

/** The input as the fields of a JSON object. */
export function readInputFields(): Fields {
  const value = parseJson(readInput());
  if (!failed() && !value.isObject) fail("The input must be a JSON object.");
  return new Fields(value, "");
}

/** Sets the output. */
export function writeOutput(bytes: Uint8Array): void {
  const handle = writeBlock(bytes);
  if (handle == 0 && bytes.length != 0) fail("There is no memory for the output.");
  env.outputSet(handle, <u64>bytes.length);
}

/** Runs a function of the plugin whose answer is JSON. The result is the export's: 0, or 1 for a failure. */
export function run(answer: () => JsonValue): i32 {
  takeFailure();
  const value = answer();
  if (!failed()) writeOutput(encodeText(value.toString()));
  return finish();
}

/** As {@link run}, for a function whose answer is bytes. */
export function runBytes(answer: () => Uint8Array): i32 {
  takeFailure();
  const bytes = answer();
  if (!failed()) writeOutput(bytes);
  return finish();
}

/** As {@link run}, for a function that writes its own output, such as one that works in chunks. */
export function runTask(task: () => void): i32 {
  takeFailure();
  task();
  return finish();
}

function finish(): i32 {
  const failure = takeFailure();
  if (failure.length != 0) env.errorSet(writeText(failure));
  return failure.length == 0 ? 0 : 1;
}
