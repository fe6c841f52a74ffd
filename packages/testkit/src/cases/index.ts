/** @module The door to the case-file runner. */
export { readCaseFile } from "./case-file.ts";
export type { CaseFile, JsonObject, TestCase } from "./case-file.ts";
export { runCaseFile } from "./run-case-file.ts";
export type {
  CaseContext,
  CaseJudge,
  CaseNote,
  CaseReport,
  CaseVerdict,
  RunCaseFileDeps,
  RunCaseFileOptions,
} from "./run-case-file.ts";
