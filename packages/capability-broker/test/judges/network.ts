/**
 * @module Judges the network cases: each request goes through a real broker in a laboratory, and
 * besides the verdict counts which addresses were dialled.
 */
import {
  isPublicAddress,
  parseAddress,
  parseHostPattern,
} from "@glovebox/capability-broker/network";
import type { CaseFile, CaseJudge, CaseVerdict, TestCase } from "@glovebox/testkit/cases";
import { type TestAuthority, createTestAuthority } from "@glovebox/testkit/servers";

import { type DnsTable, type Lab, PUBLIC_ADDRESS, type Sent, createLab, send } from "../lab.ts";
import type { RawServer } from "../raw-server.ts";
import {
  CASE_SECRET,
  type CasePolicy,
  ERROR_CLASSES,
  miss,
  type NetworkCase,
  policyOf,
} from "./network-case.ts";
import { judgeInChild } from "./network-environment.ts";
import { judgeLifecycle } from "./network-lifecycle.ts";
import { judgeResumption } from "./network-resumption.ts";
import { goodIdentity, identityOf, startOrdinaryServer, startServerOf } from "./network-servers.ts";

/** What the cases share, and what a child process is given. */
export interface NetworkSuite {
  readonly authority: TestAuthority;
  /** Signs what only the environment trusts. */
  readonly attacker: TestAuthority;
  readonly secure: RawServer;
  readonly plain: RawServer;
  /** Whether this process has the environment that a case asks for. */
  readonly isChild: boolean;
}

/** Starts the servers that the cases share; disposing ends them. */
export async function openNetworkJudge(
  attacker: TestAuthority = createTestAuthority("Attacker"),
  isChild = false,
): Promise<AsyncDisposable & { readonly judge: CaseJudge }> {
  const authority = createTestAuthority();
  const secure = await startOrdinaryServer(goodIdentity(authority));
  const plain = await startOrdinaryServer();
  const suite: NetworkSuite = { authority, attacker, secure, plain, isChild };
  return {
    judge: (testCase, { file }) => judge(testCase as unknown as NetworkCase, file, suite),
    async [Symbol.asyncDispose]() {
      await secure[Symbol.asyncDispose]();
      await plain[Symbol.asyncDispose]();
    },
  };
}

async function judge(
  testCase: NetworkCase,
  file: CaseFile,
  suite: NetworkSuite,
): Promise<CaseVerdict> {
  if (testCase.id === "ssrf-138" && /^[\0-\u007f]*$/.test(testCase.url)) {
    const reason =
      "its K is the ASCII letter, not KELVIN SIGN: network/decide.test.ts has the sign";
    return { kind: "skip", reason };
  }
  if (testCase.kind === "pattern") {
    const { allowed } = parseHostPattern(testCase.pattern);
    return { kind: "verdict", verdict: allowed ? "accept" : "reject" };
  }
  if (testCase.kind === "lifecycle") return judgeLifecycle(testCase, suite.authority);
  const policy = file.policies[testCase.policy] as CasePolicy | undefined;
  if (policy === undefined) return miss(`the file has no policy ${testCase.policy}`);
  if (testCase.tls?.env !== undefined && !suite.isChild)
    return judgeInChild(testCase as unknown as TestCase, file);
  if (testCase.tls?.resumeFrom !== undefined) return judgeResumption(testCase, policy, suite);
  return judgeRequest(testCase, policy, file, suite);
}

async function judgeRequest(
  testCase: NetworkCase,
  policy: CasePolicy,
  file: CaseFile,
  { authority, attacker, secure, plain }: NetworkSuite,
): Promise<CaseVerdict> {
  const { server: answers, hops, tls, url } = testCase;
  const isSecure = url.toLowerCase().startsWith("https:");
  const identity =
    tls === undefined
      ? goodIdentity(authority)
      : identityOf(tls.cert, tls.cert === "attacker-ca" ? attacker : authority);
  const ownServer = answers ?? hops ?? tls;
  await using own = ownServer && (await startServerOf(testCase, isSecure ? identity : undefined));
  const server = own ?? (isSecure ? secure : plain);
  await using lab = createLab({
    policy: policyOf(testCase, policy, { authority, identity }),
    // Every other name exists here too, so that `no such name` cannot pass for a refusal.
    dns: {
      ...(testCase.kind === "url" ? { "*": [[PUBLIC_ADDRESS]] } : {}),
      ...(file["defaultDns"] as DnsTable | undefined),
      ...testCase.dns,
    },
    port: server.port,
    deps: { resolveSecret: async () => CASE_SECRET },
  });
  const port = lab.broker.http(lab.grant());
  // Fewer names than the case asks for: no cache exists that could be filled, and TLS takes time.
  for (let at = 0; at < Math.min(testCase.prefill ?? 0, 50); at += 1)
    await send(port, `https://n${at}.trusted.com/`);
  const sent: Sent[] = [];
  for (let at = 0; at < (testCase.requests ?? 1); at += 1) sent.push(await request(port, testCase));
  return verdictOf(testCase, policy, sent, lab, server);
}

async function request(
  port: Parameters<typeof send>[0],
  { url, kind, method = "GET", headers = {}, body, bodyBytes }: NetworkCase,
): Promise<Sent> {
  const bytes =
    body !== undefined
      ? Buffer.from(body)
      : bodyBytes !== undefined
        ? new Uint8Array(bodyBytes)
        : undefined;
  // In redirect cases this header is the broker's.
  const own = Object.entries(headers).filter(
    ([name]) => kind !== "redirect" || name !== "x-api-key",
  );
  return send(port, url, {
    method,
    headers: own,
    ...(bytes === undefined ? {} : { body: bytes }),
  });
}

function verdictOf(
  testCase: NetworkCase,
  policy: CasePolicy,
  sent: readonly Sent[],
  lab: Lab,
  server: RawServer,
): CaseVerdict {
  const problem = dialProblem(testCase, policy, lab) ?? checkProblem(testCase, lab, server);
  if (problem !== undefined) return miss(problem);
  const codes = sent.map(({ code }) => code);
  if (testCase.server?.["extraResponse"] !== undefined && sent.some(({ body }) => body === "other"))
    return miss("a request got the response that was pushed before it");
  const verdicts = codes.map((code) => (code === "allowed" ? "allow" : "deny"));
  if (testCase.expectedEach !== undefined) {
    return verdicts.join() === testCase.expectedEach.join() ? { kind: "pass" } : miss(codes.join());
  }
  const [code = "none"] = codes;
  if (testCase.mayDial !== undefined) return { kind: "pass" };
  const { errorClass, expected } = testCase;
  const isOfClass = errorClass === undefined || ERROR_CLASSES[errorClass]?.includes(code) === true;
  if (expected === "deny" && !isOfClass) return miss(`${code} is not of the class ${errorClass}`);
  return { kind: "verdict", verdict: verdicts.at(-1) ?? "none", reason: codes.join() };
}

function dialProblem(testCase: NetworkCase, policy: CasePolicy, lab: Lab): string | undefined {
  const dialled = lab.dials.map((dial) => dial.slice(0, dial.lastIndexOf(":")));
  const lan =
    policy.privateAddresses === false
      ? []
      : policy.privateAddresses.map((range) => range.split("/")[0]);
  for (const address of dialled) {
    const parsed = parseAddress(address);
    const isFine = parsed !== undefined && (isPublicAddress(parsed) || lan.includes(address));
    if (!isFine || testCase.mustNotDial?.includes(address) === true) return `dialled ${address}`;
    if (testCase.mayDial?.includes(address) === false) return `dialled ${address}`;
  }
  const missing = testCase.mustDial?.find((address) => !dialled.includes(address));
  return missing === undefined ? undefined : `never dialled ${missing}`;
}

function checkProblem({ check }: NetworkCase, lab: Lab, server: RawServer): string | undefined {
  const [, name = "", value = ""] = /^(\w+)(?::(.*))?$/.exec(check ?? "") ?? [];
  const heads = server.received().split("\r\n\r\n").slice(0, -1);
  switch (name) {
    case "secondHopHeadersAbsent": {
      const [first = "", second] = heads;
      if (second === undefined) return "there was no second request";
      if (!first.includes(CASE_SECRET)) return "the first request had no secret";
      const found = value.split(",").find((header) => second.includes(`\r\n${header}:`));
      return found === undefined ? undefined : `the second request had ${found}`;
    }
    case "noDial":
      return lab.dials.some((dial) => dial.startsWith(`${value}:`))
        ? `dialled ${value}`
        : undefined;
    case "requests":
      return heads.length === Number(value) ? undefined : `the server saw ${heads.length} requests`;
    default:
      // `proxyUnused` is watched from outside the child.
      return undefined;
  }
}
