/** @module Every code that a request can meet has its status on purpose. */
import { CORE_ERRORS } from "@glovebox/core/errors";
import { HOST_ERRORS } from "@glovebox/host";
import { LIMITER_ERRORS } from "@glovebox/limiter";
import { RUNTIME_ERRORS } from "@glovebox/runtime";
import { SANDBOX_ERRORS } from "@glovebox/sandbox";
import { expect, test } from "vitest";

import { STATUS_BY_CODE, statusOf } from "../../src/http/status-table.ts";

/**
 * Codes of loading, and of the command line: no request loads a plugin. The codes of the broker reach
 * a caller as SANDBOX_HOST_CALL_REFUSED, those of the auditor as RUNTIME_NOT_RECORDED, and those of
 * manifest-validator, wasm-validator and signer belong to loading alone.
 */
const NOT_OVER_HTTP = [
  "HOST_AUDIT_BROKEN",
  "HOST_AUDIT_UNANCHORED",
  "HOST_DATA_DIRECTORY",
  "HOST_FILE",
  "HOST_LISTEN",
  "HOST_NOT_RUNNING",
  "HOST_PACKAGE",
  "HOST_POLICY",
  "HOST_PRIVATE_FILE",
  "HOST_UNSUPPORTED",
  "HOST_USAGE",
  "RUNTIME_MODULE_WORK",
  "RUNTIME_PACKAGE_ARCHIVE",
  "RUNTIME_PACKAGE_ENTRY",
  "RUNTIME_PACKAGE_FILE_MISSING",
  "RUNTIME_PACKAGE_READ",
  "RUNTIME_PACKAGE_SIZE",
  "RUNTIME_PLUGIN_DUPLICATE",
  "RUNTIME_PLUGIN_LIMIT",
  "RUNTIME_SCHEMA",
];

test("the table and the list of what stays out of HTTP are all codes, each once", () => {
  const tables = [CORE_ERRORS, HOST_ERRORS, LIMITER_ERRORS, RUNTIME_ERRORS, SANDBOX_ERRORS];
  const all = tables.flatMap((table) => Object.keys(table));
  expect([...STATUS_BY_CODE.keys(), ...NOT_OVER_HTTP].toSorted()).toEqual(all.toSorted());
});

test.each([
  ["RUNTIME_INPUT", 400],
  ["SANDBOX_HOST_CALL_REFUSED", 403],
  ["RUNTIME_PLUGIN_UNKNOWN", 404],
  ["SANDBOX_EXPORT_MISSING", 404],
  ["RUNTIME_INPUT_SIZE", 413],
  ["SANDBOX_TRAP", 422],
  ["SANDBOX_MEMORY_LIMIT", 422],
  ["SANDBOX_OUTPUT_SIZE", 422],
  ["LIMITER_RATE", 429],
  ["LIMITER_THROTTLED", 429],
  ["RUNTIME_QUARANTINED", 503],
  ["SANDBOX_NOT_STARTED", 503],
  ["SANDBOX_RUNNER_LOST", 503],
  ["LIMITER_QUEUE_FULL", 503],
  ["RUNTIME_SHUT_DOWN", 503],
  ["SANDBOX_CPU_LIMIT", 504],
  ["SANDBOX_WALL_LIMIT", 504],
  ["constructor", 500],
])("%s is answered with %i", (code, status) => {
  expect(statusOf(code)).toBe(status);
});
