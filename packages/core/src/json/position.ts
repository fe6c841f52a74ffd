/** @module Where in a text something is, as a person counts. Computed only when a text is refused. */

/**
 * `line 3, column 7 (offset 41)`: line and column from 1, the column and the offset (from 0) in
 * UTF-16 code units. Lines end with LF, CR or CR LF.
 */
export function describePosition(text: string, offset: number): string {
  let line = 1;
  let lineStart = 0;
  for (const lineEnd of text.slice(0, offset).matchAll(/\r\n?|\n/g)) {
    line += 1;
    lineStart = lineEnd.index + lineEnd[0].length;
  }
  return `line ${line}, column ${offset - lineStart + 1} (offset ${offset})`;
}
