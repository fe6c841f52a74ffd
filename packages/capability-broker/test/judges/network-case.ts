/** @module A network case as the `meta` of its file describes it, and the policy that it runs under. */
import { X509Certificate, createHash } from "node:crypto";

import type { HostPolicy, NetworkPolicy } from "@glovebox/capability-broker";
import type { CaseVerdict } from "@glovebox/testkit/cases";
import type { IssuedCertificate, TestAuthority } from "@glovebox/testkit/servers";

import type { DnsTable } from "../lab.ts";
import type { ServerCase } from "./network-servers.ts";

/** One case. */
export interface NetworkCase extends ServerCase {
  readonly id: string;
  readonly kind: string;
  readonly expected: string;
  readonly policy: string;
  readonly pattern?: string;
  readonly url: string;
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
  readonly bodyBytes?: number;
  readonly dns?: DnsTable;
  readonly mustDial?: readonly string[];
  readonly mustNotDial?: readonly string[];
  readonly mayDial?: readonly string[];
  readonly prefill?: number;
  readonly requests?: number;
  readonly expectedEach?: readonly string[];
  readonly limits?: Readonly<Record<string, number>>;
  readonly errorClass?: string;
  readonly check?: string;
  readonly steps?: readonly (readonly unknown[])[];
}

/** A grant of the file. */
export interface CasePolicy {
  readonly schemes: readonly string[];
  readonly hosts: readonly string[] | "any-public";
  readonly ports: readonly number[] | "default" | "pattern";
  readonly methods: readonly string[];
  readonly privateAddresses: readonly string[] | false;
}

/** Which codes belong to a case's `errorClass`. */
export const ERROR_CLASSES: Readonly<Record<string, readonly string[]>> = {
  size: ["BROKER_RESPONSE_SIZE"],
  "decompressed-size": ["BROKER_DECODED_SIZE"],
  "encoding-chain": ["BROKER_ENCODING_LAYERS"],
  "encoding-unknown": ["BROKER_ENCODING"],
  "decode-error": ["BROKER_DECODE"],
  deadline: [
    "BROKER_TIMEOUT_TOTAL",
    "BROKER_TIMEOUT_IDLE",
    "BROKER_TIMEOUT_RATE",
    "BROKER_TIMEOUT_FIRST_BYTE",
  ],
  "headers-timeout": ["BROKER_TIMEOUT_FIRST_BYTE"],
  "informational-flood": ["BROKER_RESPONSE_HEAD"],
  "header-size": ["BROKER_RESPONSE_HEAD", "BROKER_RESPONSE_OVERHEAD"],
  "chunk-extension": ["BROKER_RESPONSE_OVERHEAD"],
  framing: ["BROKER_RESPONSE_INVALID"],
  truncated: ["BROKER_RESPONSE_TRUNCATED"],
};

/** A grant's limits by the names that the cases have for them. */
const LIMITS: Readonly<Record<string, readonly (keyof NonNullable<NetworkPolicy["limits"]>)[]>> = {
  maxResponseBytes: ["maxResponseBytes", "maxDecodedBytes"],
  maxRatio: ["maxRatio"],
  maxEncodings: ["maxCodings"],
  maxHeaderBytes: ["maxHeadBytes"],
  totalMs: ["totalTimeoutMs"],
  headersMs: ["firstByteTimeoutMs"],
  minBytesPerSecond: ["minBytesPerSecond"],
  maxRequestBytes: ["maxRequestBytes"],
  maxConcurrent: ["maxConcurrent"],
  maxRequestsPerMinute: ["maxRequestsPerMinute"],
  maxLookUpsPerMinute: ["maxLookUpsPerMinute"],
};

/** Rates that no case reaches unless it sets them. */
export const NO_RATES = {
  maxRequestsPerMinute: 1_000_000,
  maxLookUpsPerMinute: 1_000_000,
} as const;

/** The secret that the broker inserts where a case names the header `x-api-key`. */
export const CASE_SECRET = "case-secret-0123456789";

/** Everything but the file's grant that goes into a policy. */
export interface PolicyParts {
  readonly authority: TestAuthority;
  readonly identity?: IssuedCertificate | undefined;
}

/** The host policy of a case. */
export function policyOf(
  testCase: NetworkCase,
  policy: CasePolicy,
  { authority, identity }: PolicyParts,
): HostPolicy {
  const { server = {}, tls = {}, headers = {}, kind, url } = testCase;
  const pins = tls.pins?.map((name) => (name === "this-spki" ? pinOf(identity) : pinOf(name)));
  const hasSecret = kind === "redirect" && "x-api-key" in headers;
  const template = "{{secret:case}}";
  return {
    network: {
      allowHttpOutbound: true,
      allowedHosts: policy.hosts === "any-public" ? [] : policy.hosts,
      anyPublicHost: policy.hosts === "any-public",
      allowInsecureHttp: policy.schemes.includes("http"),
      ...(typeof policy.ports === "string" ? {} : { ports: policy.ports }),
      methods: policy.methods,
      privateCidrs: policy.privateAddresses === false ? [] : policy.privateAddresses,
      certificateAuthorities: [authority.ca],
      ...(tls.cert === "revoked" && identity !== undefined
        ? { revocationLists: [authority.revocationList([identity])] }
        : {}),
      ...(pins === undefined ? {} : { spkiPins: pins }),
      ...(hasSecret
        ? {
            secrets: [{ name: "case", origin: new URL(url).origin, header: "x-api-key", template }],
          }
        : {}),
      limits: { resolveTimeoutMs: 50, ...NO_RATES, ...limitsOf(testCase.limits, server) },
    },
  };
}

/** The pin of a certificate's key, or of no key at all. */
export function pinOf(of: IssuedCertificate | string | undefined): string {
  const bytes =
    typeof of === "object"
      ? new X509Certificate(of.cert).publicKey.export({ type: "spki", format: "der" })
      : String(of);
  return createHash("sha256").update(bytes).digest("base64");
}

function limitsOf(
  limits: NetworkCase["limits"] = {},
  server: Readonly<Record<string, unknown>>,
): NonNullable<NetworkPolicy["limits"]> {
  // Where a time limit is what ends the case, a tenth of it shows the same.
  const isSlow = "drip" in server || "silent" in server;
  const entries = Object.entries(limits).flatMap(([name, value]) =>
    (LIMITS[name] ?? []).map((ours) => [ours, isSlow && name.endsWith("Ms") ? value / 10 : value]),
  );
  return Object.fromEntries(entries) as NonNullable<NetworkPolicy["limits"]>;
}

/** A miss. */
export function miss(reason: string): CaseVerdict {
  return { kind: "fail", reason };
}
