/**
 * @module The part of the AssemblyScript compiler's interface that is used here, in place of its own
 * declarations: those declare a global `console` without `error`, for the whole program.
 */

/** Where the compiler reads and writes. */
export interface CompilerOptions {
  readonly stdout?: { write(chunk: Uint8Array | string): void };
  readonly stderr?: { write(chunk: Uint8Array | string): void };
  readonly readFile?: (name: string, baseDir: string) => string | null | Promise<string | null>;
  readonly writeFile?: (
    name: string,
    contents: Uint8Array | string,
    baseDir: string,
  ) => void | Promise<void>;
  readonly listFiles?: (
    folder: string,
    baseDir: string,
  ) => string[] | null | Promise<string[] | null>;
}

/** What a run of the compiler ended with. */
export interface CompilerResult {
  readonly error: Error | null;
  readonly stdout: { toString(): string };
  readonly stderr: { toString(): string };
}

/** Runs the compiler with command-line arguments. */
export function main(argv: readonly string[], options?: CompilerOptions): Promise<CompilerResult>;

declare const compiler: { readonly main: typeof main };
export default compiler;
