/** @module The door to fixtures, the fake clock and the ports in memory. */
export { assembleWat } from "./wat/assemble-wat.ts";
export type { WatOptions } from "./wat/assemble-wat.ts";
export { pluginDirectory } from "./plugin/plugin-directory.ts";
export type { FixtureFiles, PluginDirectory } from "./plugin/plugin-directory.ts";
export { buildPluginPackage } from "./plugin/plugin-package.ts";
export type { PluginModule, PluginPackageOptions } from "./plugin/plugin-package.ts";
export { fakeClock } from "./clock/fake-clock.ts";
export type { FakeClock, FakeClockOptions } from "./clock/fake-clock.ts";
export { callScope } from "./ports/call-scope.ts";
export type {
  CallScopeOverrides,
  CountingMeter,
  MeterCounter,
  TestCallScope,
} from "./ports/call-scope.ts";
export { recordingDecisionLog } from "./ports/decision-log.ts";
export type { RecordedEvent, RecordingDecisionLog } from "./ports/decision-log.ts";
export { memoryHostServices } from "./ports/host-services.ts";
export type {
  HostServiceCall,
  HostServiceOverrides,
  MemoryHostServices,
} from "./ports/host-services.ts";
export { TestkitError } from "./errors.ts";
export type { TestkitErrorCode } from "./errors.ts";
