/** @module The door to path decisions, pure and synchronous. */
export { decidePath } from "./decide.ts";
export type { ResolvedPath } from "./decide.ts";
