/** @module The door of @glovebox/wasm-metering. */
export { COST_TABLE } from "./cost-table.ts";
export type { ClassCost } from "./cost-table.ts";
export { METERING_ERRORS, MeteringError } from "./errors.ts";
export type { MeteringErrorCode } from "./errors.ts";
export { meterModule } from "./meter.ts";
export type { ValidatedBytes } from "./meter.ts";
export { fuelUse, isTooDeep, METERING_VERSION } from "./metered-module.ts";
export type { FuelUse, MeteredModule, MeteringFallback } from "./metered-module.ts";
export type { MappedOffset, OffsetMap } from "./offset-map.ts";
export type { MeteringOptions, Placement } from "./options.ts";
export type { Maxima } from "./rewrite/memory-limit.ts";
