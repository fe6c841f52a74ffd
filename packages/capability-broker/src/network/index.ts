/** @module The door to network decisions, pure and synchronous. */
export { isPublicAddress, parseAddress } from "./address.ts";
export type { Address, Cidr } from "./address.ts";
export { decideUrl } from "./decide.ts";
export type { ParsedTarget } from "./decide.ts";
export type { Host } from "./host-name.ts";
export { parseHostPattern } from "./host-pattern.ts";
export type { HostPattern, ParsedPattern } from "./host-pattern.ts";
