export type { JsonValue } from "./value.ts";
