/** @module What is measured of one call (upstream: "Performance Metrics"), with its outcome. */
import type { PluginId } from "@glovebox/core/ids";

/** One finished call; `null` = not measured. */
export interface ExecutionMetrics {
  readonly pluginId: PluginId;
  /** Milliseconds since 1970. */
  readonly startTimeMs: number;
  readonly wallTimeMs: number;
  readonly cpuTimeMs: number | null;
  /** Units of fuel, counted or estimated; absent where they are not measured. */
  readonly instructions?: number | null;
  /** The peak of the plugin's memory. */
  readonly memoryUsedBytes: number | null;
  readonly networkRequests: number;
  readonly filesystemAccess: number;
  /** The code that the call failed with; absent when it succeeded. */
  readonly code?: string;
}
