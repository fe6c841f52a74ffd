/** @module Words of commands that are printed to be copied. */

/** A word that a POSIX shell takes as it stands. */
export function shellWord(word: string): string {
  return /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`;
}
