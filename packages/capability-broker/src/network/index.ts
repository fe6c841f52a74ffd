/** @module The door to network decisions, pure and synchronous. */
export { isPublicAddress, parseAddress } from "../target/address.ts";
export type { Address, Cidr } from "../target/address.ts";
export { decideUrl } from "./decide.ts";
export type { ParsedTarget } from "./decide.ts";
export { parseStrictUrl } from "../target/strict-url.ts";
export type { StrictUrl } from "../target/strict-url.ts";
export type { Host } from "../target/host-name.ts";
export { parseHostPattern } from "../target/host-pattern.ts";
export type { HostPattern, ParsedPattern } from "../target/host-pattern.ts";
