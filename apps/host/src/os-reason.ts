/** @module Why the operating system refused, in words and with its code, for operators. */

const WORDS: ReadonlyMap<string, string> = new Map([
  ["EACCES", "permission denied"],
  ["EADDRINUSE", "something else listens there"],
  ["EADDRNOTAVAIL", "this machine has no such address"],
  ["EEXIST", "it exists already, and is not written over"],
  ["ENOENT", "there is no such file or directory"],
  ["ENOTDIR", "a part of its path is no directory"],
]);

/** The reason of a failed system call. */
export function osReason(cause: unknown): string {
  const { code = "unknown error" } = cause as { readonly code?: string };
  const words = WORDS.get(code);
  return words === undefined ? code : `${words} (${code})`;
}
