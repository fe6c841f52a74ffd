/** @module All kernels, by what they are measured as. */
import { MACHINES } from "./machines.ts";
import { NUMERIC } from "./numeric.ts";
import { RECURSION } from "./recursion.ts";
import { SCANS } from "./scans.ts";
import type { Kernel } from "./text.ts";

/** Small hostile programs, and loop nests. */
export const KERNELS: Readonly<Record<"kernels" | "numeric", readonly Kernel[]>> = {
  kernels: [...RECURSION, ...SCANS, ...MACHINES],
  numeric: NUMERIC,
};
