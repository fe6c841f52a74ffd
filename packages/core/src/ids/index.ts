/** @module The door @glovebox/core/ids. Branded identifiers. */
export { sha256InTurns } from "./digest.ts";
export { newCallId, newGrantId, parsePluginId, parseSha256, parseTenantId } from "./ids.ts";
export type { CallId, GrantId, PluginId, Sha256, TenantId } from "./ids.ts";
