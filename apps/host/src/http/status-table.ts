/**
 * @module One table from error code to HTTP status (contract.md 4). Every code that a request can
 * meet stands here on purpose, which a test holds against the error pages; one that is missing is
 * the host's own fault, 500.
 */

/** Status → the codes that it answers. */
const CODES_BY_STATUS: Readonly<Record<number, readonly string[]>> = {
  // Input
  400: [
    "HOST_BODY",
    "HOST_TENANT",
    "JSON_BOM",
    "JSON_DEPTH",
    "JSON_DUPLICATE_KEY",
    "JSON_ITEM_COUNT",
    "JSON_KEY_COUNT",
    "JSON_LONE_SURROGATE",
    "JSON_NUMBER_RANGE",
    "JSON_PROTO_KEY",
    "JSON_SYNTAX",
    "JSON_UTF8",
    "JSON_VALUE",
    "CORE_TENANT_ID",
    "CORE_PLUGIN_ID",
    "RUNTIME_CONTEXT",
    "RUNTIME_INPUT",
  ],
  401: ["HOST_OPERATOR"],
  // Denied
  403: ["HOST_ORIGIN", "HOST_KEY_UNKNOWN", "SANDBOX_HOST_CALL_REFUSED"],
  // Unknown
  404: [
    "HOST_NOT_FOUND",
    "RUNTIME_APPROVAL_UNKNOWN",
    "RUNTIME_PLUGIN_UNKNOWN",
    "SANDBOX_EXPORT_MISSING",
  ],
  409: ["RUNTIME_APPROVAL_CHANGED"],
  413: [
    "HOST_BODY_SIZE",
    "JSON_SIZE",
    "JSON_STRING_SIZE",
    "RUNTIME_INPUT_SIZE",
    "SANDBOX_INPUT_SIZE",
  ],
  415: ["HOST_CONTENT_TYPE"],
  421: ["HOST_NAME"],
  // The plugin's own error, a trap, or a limit of one call
  422: [
    "HOST_OUTPUT_ENCODING",
    "LIMITER_MEMORY",
    "LIMITER_ALLOCATION_SIZE",
    "RUNTIME_OUTPUT",
    "RUNTIME_VARIABLE_QUOTA",
    "SANDBOX_ABI",
    "SANDBOX_HOST_CALL_LIMIT",
    "SANDBOX_HOST_CALL_RATE",
    "SANDBOX_INSTRUCTION_LIMIT",
    "SANDBOX_MEMORY_LIMIT",
    "SANDBOX_MODULE_INVALID",
    "SANDBOX_OUTPUT_RANGE",
    "SANDBOX_OUTPUT_SIZE",
    "SANDBOX_PLUGIN_ERROR",
    "SANDBOX_TRAP",
  ],
  429: ["LIMITER_BUDGET", "LIMITER_RATE", "LIMITER_THROTTLED"],
  500: [
    "CORE_CHECK_FAILED",
    "CORE_OPTION",
    "CORE_SHA256",
    "HOST_INTERNAL",
    "RUNTIME_APPROVAL_STORE",
    "LIMITER_CPU_UNREADABLE",
    "LIMITER_OPTION",
    "RUNTIME_HOST_FUNCTION",
    "RUNTIME_OPTIONS",
    "RUNTIME_USAGE",
    "SANDBOX_ISOLATION",
    "SANDBOX_OPTIONS",
  ],
  // Not now
  503: [
    "HOST_BUSY",
    "HOST_CLOSING",
    "LIMITER_ABORTED",
    "LIMITER_CLOSED",
    "LIMITER_CONCURRENCY",
    "LIMITER_KEYS",
    "LIMITER_QUEUE_FULL",
    "LIMITER_QUEUE_TIMEOUT",
    "RUNTIME_FAILED",
    "RUNTIME_NOT_READY",
    "RUNTIME_NOT_RECORDED",
    "RUNTIME_PLUGIN_BUSY",
    "RUNTIME_QUARANTINED",
    "RUNTIME_SHUT_DOWN",
    "SANDBOX_ABORTED",
    "SANDBOX_BOOT_FAILED",
    "SANDBOX_CLOSED",
    "SANDBOX_MODULE_CHANGED",
    "SANDBOX_NOT_STARTED",
    "SANDBOX_PROTOCOL",
    "SANDBOX_QUEUE_FULL",
    "SANDBOX_RUNNER_LOST",
  ],
  504: ["LIMITER_CPU_DEADLINE", "LIMITER_WALL_DEADLINE", "SANDBOX_CPU_LIMIT", "SANDBOX_WALL_LIMIT"],
};

/** Error code → status. */
export const STATUS_BY_CODE: ReadonlyMap<string, number> = new Map(
  Object.entries(CODES_BY_STATUS).flatMap(([status, codes]) =>
    codes.map((code) => [code, Number(status)] as const),
  ),
);

/** The status that answers an error code. */
export function statusOf(code: string): number {
  return STATUS_BY_CODE.get(code) ?? 500;
}
