/**
 * @module Judges the network cases: each request goes through a real broker in a laboratory, and
 * besides the verdict counts which addresses were dialled.
 */
import type { HostPolicy } from "@glovebox/capability-broker";
import {
  isPublicAddress,
  parseAddress,
  parseHostPattern,
} from "@glovebox/capability-broker/network";
import type { CaseFile, CaseJudge, CaseVerdict, TestCase } from "@glovebox/testkit/cases";
import {
  type LoopbackServer,
  type TestAuthority,
  createTestAuthority,
} from "@glovebox/testkit/servers";

import { type DnsTable, type Lab, PUBLIC_ADDRESS, createLab, send } from "../lab.ts";
import type { RawServer } from "../raw-server.ts";
import {
  type ServerCase,
  startPlainServer,
  startSecureServer,
  startServerOf,
} from "./network-servers.ts";

/** A case as its `meta` describes it. */
interface NetworkCase extends ServerCase {
  readonly id: string;
  readonly kind: string;
  readonly expected: string;
  readonly severity: string;
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
}

interface CasePolicy {
  readonly schemes: readonly string[];
  readonly hosts: readonly string[] | "any-public";
  readonly ports: readonly number[] | "default" | "pattern";
  readonly methods: readonly string[];
  readonly privateAddresses: readonly string[] | false;
}

const ERROR_CLASSES: Readonly<Record<string, readonly string[]>> = {
  size: ["BROKER_RESPONSE_SIZE"],
  deadline: ["BROKER_TIMEOUT_TOTAL", "BROKER_TIMEOUT_IDLE"],
  "headers-timeout": ["BROKER_TIMEOUT_FIRST_BYTE"],
  "informational-flood": ["BROKER_RESPONSE_HEAD"],
  "header-size": ["BROKER_RESPONSE_HEAD"],
  framing: ["BROKER_RESPONSE_INVALID"],
  truncated: ["BROKER_RESPONSE_TRUNCATED"],
};

/** Why a case is not run, by what this version does not have. */
function skipReason(testCase: NetworkCase): string | undefined {
  const { id, kind, server = {}, tls = {} } = testCase;
  if (kind === "redirect") return "redirects are not followed in this version";
  if (kind === "lifecycle")
    return "expiry, pins and attenuation come later; revocation: attacks/revoke-in-flight.test.ts";
  if ("encoding" in server) return "bodies are not decompressed in this version";
  if ("chunkExtensionBytes" in server)
    return "clear-text bytes outside the body are not counted in this version";
  if (tls.pins !== undefined) return "pins come later";
  if (tls.cert === "revoked") return "revocation lists come later";
  if (tls.env !== undefined) return "needs a child process with these variables";
  if (id === "ssrf-505") return "the public-suffix list comes later";
  if (id === "ssrf-138")
    return "its K is the ASCII letter, not KELVIN SIGN: network/decide.test.ts has the sign";
  return undefined;
}

interface Servers {
  readonly authority: TestAuthority;
  readonly secure: RawServer;
  readonly plain: LoopbackServer;
}

/** Starts the servers that the cases share; disposing ends them. */
export async function openNetworkJudge(): Promise<AsyncDisposable & { readonly judge: CaseJudge }> {
  const authority = createTestAuthority();
  const [secure, plain] = await Promise.all([startSecureServer(authority), startPlainServer()]);
  return {
    judge: (testCase, { file }) => judge(testCase, file, { authority, secure, plain }),
    async [Symbol.asyncDispose]() {
      await secure[Symbol.asyncDispose]();
      await plain.close();
    },
  };
}

function policyOf(
  policy: CasePolicy,
  limits: Readonly<Record<string, number>>,
  authority: TestAuthority,
): HostPolicy {
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
      limits: {
        resolveTimeoutMs: 50,
        ...(limits["maxResponseBytes"] === undefined
          ? {}
          : { maxResponseBytes: limits["maxResponseBytes"] }),
        // A tenth of the case's times: what is shown is that the limit ends it.
        ...(limits["totalMs"] === undefined ? {} : { totalTimeoutMs: limits["totalMs"] / 10 }),
        ...(limits["headersMs"] === undefined
          ? {}
          : { firstByteTimeoutMs: limits["headersMs"] / 10 }),
      },
    },
  };
}

async function judge(
  raw: TestCase,
  file: CaseFile,
  { authority, secure, plain }: Servers,
): Promise<CaseVerdict> {
  const testCase = raw as unknown as NetworkCase;
  const skipped = skipReason(testCase);
  if (skipped !== undefined) return { kind: "skip", reason: skipped };
  if (testCase.kind === "pattern") {
    return {
      kind: "verdict",
      verdict: parseHostPattern(testCase.pattern).allowed ? "accept" : "reject",
    };
  }
  const casePolicy = file.policies[testCase.policy] as CasePolicy | undefined;
  if (casePolicy === undefined)
    return { kind: "fail", reason: `the file has no policy ${testCase.policy}` };
  await using server = await startServerOf(testCase, authority);
  await using lab = createLab({
    policy: policyOf(casePolicy, testCase.limits ?? {}, authority),
    // Every other name exists here too, so that `no such name` cannot pass for a refusal.
    dns: {
      ...(testCase.kind === "url" ? { "*": [[PUBLIC_ADDRESS]] } : {}),
      ...(file["defaultDns"] as DnsTable | undefined),
      ...testCase.dns,
    },
    port:
      server?.port ?? (testCase.url.toLowerCase().startsWith("https:") ? secure.port : plain.port),
  });
  const port = lab.broker.http(lab.grant());
  // Fewer names than the case asks for: no cache exists that could be filled, and TLS takes time.
  for (let at = 0; at < Math.min(testCase.prefill ?? 0, 50); at += 1)
    await send(port, `https://n${at}.trusted.com/`);
  const codes: string[] = [];
  for (let at = 0; at < (testCase.requests ?? 1); at += 1)
    codes.push(await request(port, testCase));
  return verdictOf(testCase, casePolicy, codes, lab);
}

async function request(port: Parameters<typeof send>[0], testCase: NetworkCase): Promise<string> {
  const { url, method = "GET", headers = {}, body, bodyBytes } = testCase;
  const bytes =
    body !== undefined
      ? Buffer.from(body)
      : bodyBytes !== undefined
        ? new Uint8Array(bodyBytes)
        : undefined;
  const sent = await send(port, url, {
    method,
    headers: Object.entries(headers),
    ...(bytes === undefined ? {} : { body: bytes }),
  });
  return sent.code;
}

function verdictOf(
  testCase: NetworkCase,
  policy: CasePolicy,
  codes: readonly string[],
  lab: Lab,
): CaseVerdict {
  const dialled = lab.dials.map((dial) => dial.slice(0, dial.lastIndexOf(":")));
  const lan =
    policy.privateAddresses === false
      ? []
      : policy.privateAddresses.map((range) => range.split("/")[0]);
  for (const address of dialled) {
    const parsed = parseAddress(address);
    const isFine = parsed !== undefined && (isPublicAddress(parsed) || lan.includes(address));
    if (!isFine || testCase.mustNotDial?.includes(address) === true)
      return { kind: "fail", reason: `dialled ${address}` };
  }
  for (const address of testCase.mustDial ?? []) {
    if (!dialled.includes(address)) return { kind: "fail", reason: `never dialled ${address}` };
  }
  const verdicts = codes.map((code) => (code === "allowed" ? "allow" : "deny"));
  if (testCase.expectedEach !== undefined) {
    return verdicts.join() === testCase.expectedEach.join()
      ? { kind: "pass" }
      : { kind: "fail", reason: codes.join() };
  }
  const [code = "none"] = codes;
  if (testCase.mayDial !== undefined) return { kind: "pass" };
  if (
    testCase.errorClass !== undefined &&
    ERROR_CLASSES[testCase.errorClass]?.includes(code) !== true &&
    testCase.expected === "deny"
  ) {
    return { kind: "fail", reason: `${code} is not of the class ${testCase.errorClass}` };
  }
  return { kind: "verdict", verdict: verdicts[0] ?? "none", reason: code };
}
