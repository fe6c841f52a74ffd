/**
 * @module From bytes to text: bounded, strict UTF-8, and only the characters that YAML 1.2 section
 * 5.1 calls printable. Runs before anything parses, so that no parser sees what it refuses.
 */
import { MAX_MANIFEST_BYTES } from "../limits.ts";
import type { Position, ProblemList } from "../problem.ts";

/** Reads the source, or reports why not and answers nothing. The source is attacker-controlled. */
export function readSourceText(source: string | Uint8Array, list: ProblemList): string | undefined {
  const size = typeof source === "string" ? Buffer.byteLength(source) : source.byteLength;
  if (size > MAX_MANIFEST_BYTES) {
    list.add("MANIFEST_SIZE", "", START, {
      what: "the manifest is too large",
      expected: `at most ${MAX_MANIFEST_BYTES} bytes`,
      received: size,
    });
    return undefined;
  }
  const text = typeof source === "string" ? source : decodeUtf8(source);
  if (text === undefined) {
    list.add("MANIFEST_ENCODING", "", START, { what: "the manifest is not valid UTF-8" });
    return undefined;
  }
  const bad = UNPRINTABLE.exec(text);
  if (bad === null) return text;
  list.add("MANIFEST_ENCODING", "", createLineIndex(text)(bad.index), {
    what: "the manifest holds a character that YAML text may not hold",
    expected: "printable characters, and no byte order mark",
    received: `U+${(bad[0].codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, "0")}`,
  });
  return undefined;
}

/** Makes a function from an offset in the text to its line and column. */
export function createLineIndex(text: string): (offset: number) => Position {
  const starts = [0];
  for (let at = text.indexOf("\n"); at !== -1; at = text.indexOf("\n", at + 1)) starts.push(at + 1);
  return (offset) => {
    let low = 0;
    let high = starts.length - 1;
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if ((starts[middle] ?? 0) <= offset) low = middle;
      else high = middle - 1;
    }
    return { line: low + 1, column: offset - (starts[low] ?? 0) + 1 };
  };
}

const START: Position = { line: 1, column: 1 };

// Everything outside c-printable of YAML 1.2, and the byte order mark, which would be invisible.
const UNPRINTABLE =
  // oxlint-disable-next-line no-control-regex -- these are the characters to be refused
  /[\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f-\u0084\u0086-\u009f\ufeff\ufffe\uffff]|[\ud800-\udbff](?![\udc00-\udfff])|(?<![\ud800-\udbff])[\udc00-\udfff]/;

function decodeUtf8(bytes: Uint8Array): string | undefined {
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    return undefined;
  }
}
