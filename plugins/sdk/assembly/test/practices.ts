/** @module A plugin for the library's own tests: one function for each practice. */
import {
  chunks,
  config,
  deleteVariable,
  encodeText,
  fail,
  getVariable,
  inputChunks,
  JsonValue,
  log,
  logFailure,
  logWarning,
  readInput,
  readInputFields,
  run,
  runBytes,
  runTask,
  decodeText,
  parseJson,
  setVariable,
  writeOutput,
} from "@glovebox/plugin-sdk/assembly";

/** Answers the JSON that it was given. */
export function echo_json(): i32 {
  return run(() => parseJson(readInput()));
}

/** Answers the bytes that it was given. */
export function echo_bytes(): i32 {
  return runBytes(() => readInput());
}

/** Reads one field of each kind. */
export function fields(): i32 {
  return run(() => {
    const input = readInputFields();
    const inner = input.object("inner");
    return JsonValue.object()
      .set("name", JsonValue.text(input.text("name", 5)))
      .set("note", JsonValue.text(input.textOr("note", 5, "none")))
      .set("count", JsonValue.number(<f64>inner.integerOr("count", -2, 9, 7)))
      .set("items", JsonValue.number(input.array("items", 2).length));
  });
}

/** Adds up the input's bytes, chunk by chunk, and makes garbage on the way. */
export function sum_input(): i32 {
  return runTask(() => {
    const parts = inputChunks(16_384, 262_144);
    let sum: i64 = 0;
    let count = 0;
    for (let part = parts.next(); part !== null; part = parts.next()) {
      const garbage = part.slice();
      for (let at = 0; at < garbage.length; at++) sum += garbage[at];
      count++;
    }
    writeOutput(encodeText('{"sum":' + sum.toString() + ',"chunks":' + count.toString() + "}"));
  });
}

/** Keeps every chunk, and so meets its budget. */
export function hoard_input(): i32 {
  return runTask(() => {
    const parts = inputChunks(16_384, 262_144);
    const hoard: Uint8Array[] = [];
    for (let part = parts.next(); part !== null; part = parts.next()) hoard.push(part.slice());
    writeOutput(encodeText(hoard.length.toString()));
  });
}

/** Cuts the input into chunks of three bytes. */
export function cut(): i32 {
  return run(() => {
    const parts = chunks(readInput(), 3, 65_536);
    const texts = JsonValue.array();
    for (let part = parts.next(); part !== null; part = parts.next()) {
      texts.push(JsonValue.text(decodeText(part)));
    }
    return texts;
  });
}

/** Asks for chunks larger than the budget. */
export function chunk_beyond_budget(): i32 {
  return run(() => {
    chunks(new Uint8Array(8), 4, 3).next();
    return JsonValue.nothing();
  });
}

/** Sets a variable, and then fails if the input says so. */
export function remember(): i32 {
  return run(() => {
    const input = readInputFields();
    const before = getVariable("kept");
    if (input.has("fail")) {
      logFailure("the database at db.internal refused");
      fail("The value could not be kept.");
    }
    if (input.has("forget")) deleteVariable("kept");
    else setVariable("kept", encodeText(input.text("value", 100)));
    return before === null ? JsonValue.nothing() : JsonValue.text(decodeText(before));
  });
}

/** Reads the configuration and writes to the log. */
export function tell(): i32 {
  return run(() => {
    log("told");
    logWarning("warned");
    return JsonValue.text(config("greeting", "no greeting"));
  });
}

/** Breaks an assertion of its own. */
export function broken(): i32 {
  return run(() => {
    const none: JsonValue[] = [];
    return none[readInput().length];
  });
}
