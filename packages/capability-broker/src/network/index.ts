/** @module The door to the network: decisions, pure and synchronous, and dialling through a proxy. */
export { isPublicAddress, parseAddress } from "../target/address.ts";
export type { Address, Cidr } from "../target/address.ts";
export { decideUrl } from "./decide.ts";
export type { ParsedTarget } from "./decide.ts";
export { dialThroughProxy } from "./proxy-dial.ts";
export type { ProxyOptions } from "./proxy-dial.ts";
export { parseStrictUrl } from "../target/strict-url.ts";
export type { StrictUrl } from "../target/strict-url.ts";
export type { Host } from "../target/host-name.ts";
export { parseHostPattern } from "../target/host-pattern.ts";
export type { HostPattern, ParsedPattern } from "../target/host-pattern.ts";
