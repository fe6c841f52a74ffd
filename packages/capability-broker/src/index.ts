/** @module The door to grants: the broker, the pure computation of a grant, errors. */
export { createBroker } from "./broker.ts";
export type { Broker, BrokerOptions } from "./broker.ts";
export type { BrokerDeps } from "./deps.ts";
export { BROKER_ERRORS, BrokerError } from "./errors.ts";
export type { BrokerErrorCode } from "./errors.ts";
export { effectiveGrant } from "./grant/effective-grant.ts";
export type {
  EffectiveGrant,
  FileTotals,
  FilesystemGrant,
  FolderGrant,
  GrantSet,
  HostEntry,
  NetworkGrant,
  NetworkLimits,
  ResourceGrant,
} from "./grant/grant.ts";
export type { CapabilityRequest, HostPolicy, NetworkPolicy, RootPolicy } from "./grant/policy.ts";
export type { Cidr } from "./target/address.ts";
export type { Dial, Dialled } from "./network/dial.ts";
export type { Endpoint, HostPattern } from "./target/host-pattern.ts";
export type { Resolve } from "./network/resolver.ts";
