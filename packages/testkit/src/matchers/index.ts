/** @module The door to the matchers; importing it registers them, see coded-matchers.ts. */
export { codedMatchers } from "./coded-matchers.ts";
export type { CodedMatchers, MatchResult } from "./coded-matchers.ts";
