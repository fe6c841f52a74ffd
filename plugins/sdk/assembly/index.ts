/** @module The guest library: everything a plugin needs, under one name. */
export { decodeText, encodeText } from "./block";
export {
  MAX_WHOLE_INPUT_BYTES,
  readInput,
  readInputFields,
  readInputText,
  run,
  runBytes,
  runTask,
  writeOutput,
} from "./call";
export { Chunks, chunks, inputChunks } from "./chunks";
export { fail, failed, logFailure } from "./failure";
export { Fields } from "./fields";
export { readFile, writeFile } from "./files";
export {
  Argument,
  config,
  deleteVariable,
  getVariable,
  log,
  logWarning,
  setVariable,
} from "./host";
export { HttpAnswer, httpGet } from "./http";
export { isUtf8, MAX_JSON_DEPTH, MAX_JSON_VALUES, parseJson, tryParseJson } from "./json-reader";
export { JsonKind, JsonValue, quote } from "./json-value";
