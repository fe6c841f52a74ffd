/**
 * @module The host's policy from a file: what any plugin may be allowed at most, as JSON. No compiler
 * has read a file, so that a restriction which is spelled wrong (`pathPrefix`, or `allowed_hosts` as
 * in a manifest) is refused here: left out, it would widen what the operator wrote.
 */
import { parseBoundedJson } from "@glovebox/core/json";
import type { RuntimeConfig } from "@glovebox/runtime";

import { flag, list, number, object, type Read, text } from "../config-member.ts";
import { HostError } from "../errors.ts";
import { MAX_POLICY_BYTES, MAX_POLICY_LIST } from "../limits.ts";

type HostPolicy = NonNullable<RuntimeConfig["policy"]>;
type NetworkPolicy = NonNullable<HostPolicy["network"]>;
type SecretPolicy = NonNullable<NetworkPolicy["secrets"]>[number];
type FilePolicy = NonNullable<HostPolicy["filesystem"]>;
type RootPolicy = FilePolicy["roots"][number];

/** What the capability broker looks at more closely than a table can say. */
const asItIs: Read<never> = (value) => value as never;
const count = number(0, Number.MAX_SAFE_INTEGER);
const texts = list(text, MAX_POLICY_LIST);

const secret = object<SecretPolicy>(
  { name: text, origin: text, header: text, template: text, methods: texts, pathPrefix: text },
  "name",
  "origin",
  "header",
  "template",
);

const network = object<NetworkPolicy>(
  {
    allowHttpOutbound: flag,
    allowedHosts: texts,
    anyPublicHost: flag,
    allowInsecureHttp: flag,
    ports: list(count, MAX_POLICY_LIST),
    methods: texts,
    privateCidrs: texts,
    pathPrefixes: texts,
    spkiPins: texts,
    secrets: list(secret, MAX_POLICY_LIST),
    certificateAuthorities: texts,
    revocationLists: texts,
    limits: object<NonNullable<NetworkPolicy["limits"]>>({
      resolveTimeoutMs: count,
      connectTimeoutMs: count,
      firstByteTimeoutMs: count,
      idleTimeoutMs: count,
      totalTimeoutMs: count,
      minBytesPerSecond: count,
      maxRequestBytes: count,
      maxResponseBytes: count,
      maxDecodedBytes: count,
      maxHeadBytes: count,
      maxRatio: count,
      maxCodings: count,
      maxRedirects: count,
      maxConcurrent: count,
      maxRequestsPerMinute: count,
      maxLookUpsPerMinute: count,
    }),
  },
  "allowHttpOutbound",
  "allowedHosts",
);

const root = object<RootPolicy>(
  {
    guest: text,
    host: asItIs,
    allowRead: flag,
    allowWrite: flag,
    rights: asItIs,
    extensions: asItIs,
    allowHidden: flag,
    maxFileBytes: count,
    quotaBytes: count,
    maxFiles: count,
    maxDepth: count,
  },
  "guest",
  "host",
);

const policy = object<HostPolicy>({
  network,
  filesystem: object<FilePolicy>({
    roots: list(root, MAX_POLICY_LIST),
    totals: object<NonNullable<FilePolicy["totals"]>>({
      maxOpenFiles: count,
      maxReadBytesPerCall: count,
      maxWrittenBytesPerCall: count,
    }),
  }),
  resources: object<NonNullable<HostPolicy["resources"]>>({
    maxMemoryBytes: count,
    maxCpuTimeMs: count,
    maxInstructions: count,
  }),
  denyCidrs: texts,
});

/**
 * Reads a policy's text; what its values mean is checked by the runtime and the capability broker.
 *
 * @throws {@link HostError} (`HOST_POLICY`)
 */
export function parsePolicyText(bytes: Uint8Array, path: string): HostPolicy {
  const parsed = parseBoundedJson(bytes, { maxBytes: MAX_POLICY_BYTES });
  if (!parsed.allowed) throw refused(path, `expected a policy in JSON: ${parsed.reason}`);
  try {
    return policy(parsed.value, "policy");
  } catch (cause) {
    if (!(cause instanceof HostError)) throw cause;
    throw refused(path, cause.message, cause);
  }
}

function refused(path: string, why: string, cause?: unknown): HostError {
  return new HostError("HOST_POLICY", { message: `${path}: ${why}`, cause });
}
