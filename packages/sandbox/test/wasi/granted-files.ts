/** @module Files that one program of a suite gets, whatever stands behind the port. */
import type { FilePort, FileRight } from "@glovebox/core/ports";

/** Every right that the file port knows. */
export const EVERY_RIGHT: readonly FileRight[] = [
  ...(["read", "write", "create", "append", "truncate", "setTimes"] as const),
  ...(["list", "stat", "delete", "rename", "mkdir", "link"] as const),
];

/** Files that end with their disposal. */
export interface GrantedFiles extends AsyncDisposable {
  readonly files: FilePort;
}
