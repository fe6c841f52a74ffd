/** @module The door to grants: the broker, the pure computation of a grant, errors. */
export { createBroker } from "./broker.ts";
export type { Broker, BrokerOptions } from "./broker.ts";
export type { BrokerDeps } from "./deps.ts";
export { BROKER_ERRORS, BrokerError } from "./errors.ts";
export type { BrokerErrorCode } from "./errors.ts";
export {
  changeLines,
  createApprovals,
  createHmacSealer,
  requestChanges,
} from "./grant/approval.ts";
export type {
  Approval,
  ApprovalOptions,
  Approvals,
  ApprovalSubject,
  Sealer,
} from "./grant/approval.ts";
export type { Change } from "./grant/difference.ts";
export type { FileWorkSettings, SpawnFileWorker } from "./filesystem/file-crew.ts";
export { effectiveGrant } from "./grant/effective-grant.ts";
export type { Capabilities, LimitBounds } from "./grant/field-table.ts";
export type {
  EffectiveGrant,
  FileTotals,
  FilesystemGrant,
  FolderGrant,
  GrantQuota,
  GrantSet,
  NetworkGrant,
  NetworkLimits,
  ResourceGrant,
  SecretRule,
} from "./grant/grant.ts";
export type { HostEntry } from "./grant/host-set.ts";
export type { PathEntry } from "./grant/path-set.ts";
export type { QuotaState } from "./grant/quota-state.ts";
export type { UsageCounts } from "./grant/usage.ts";
export type {
  CapabilityRequest,
  GrantTerms,
  HostPolicy,
  NetworkPolicy,
  RootPolicy,
  SecretPolicy,
} from "./grant/policy.ts";
export type {
  Inspected,
  Inspection,
  InspectionBlock,
  OutgoingPart,
  Transform,
} from "./inspection/transform.ts";
export type { WorkerSetup } from "./disk/protocol.ts";
export type { BrokerHttpPort } from "./network/network.ts";
export type { ResolveSecret } from "./network/secret.ts";
export type { TrafficHeader, TrafficRecord, TrafficSink } from "./network/traffic.ts";
export type { Cidr } from "./target/address.ts";
export type { Dial, Dialled } from "./network/dial.ts";
export type { Endpoint, HostPattern } from "./target/host-pattern.ts";
export type { Resolve } from "./network/resolver.ts";
