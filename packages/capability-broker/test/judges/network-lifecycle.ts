/** @module Cases that are a script of steps: grants come, are used, narrowed, revoked, and run out. */
import { setTimeout as sleep } from "node:timers/promises";

import type { CapabilityRequest, GrantSet } from "@glovebox/capability-broker";
import type { HttpExchange } from "@glovebox/core/ports";
import { callScope } from "@glovebox/testkit";
import type { CaseVerdict } from "@glovebox/testkit/cases";
import type { TestAuthority } from "@glovebox/testkit/servers";

import { createLab, type Lab, pluginId, PUBLIC_ADDRESS, rejectionOf, send } from "../lab.ts";
import { miss, NO_RATES, type NetworkCase, pinOf } from "./network-case.ts";
import { goodIdentity, startKeepAliveServer } from "./network-servers.ts";

interface GrantOptions {
  readonly expiresMs?: number;
  readonly maxConcurrent?: number;
  readonly maxRequestsPerMinute?: number;
  readonly pin?: string;
}

/** What the steps have made so far. */
interface Story {
  readonly lab: Lab;
  readonly grants: Map<string, GrantSet>;
  readonly streams: Map<string, HttpExchange>;
  readonly pins: Readonly<Record<string, string>>;
}

/** Plays the steps; a miss names the step. */
export async function judgeLifecycle(
  { steps = [] }: NetworkCase,
  authority: TestAuthority,
): Promise<CaseVerdict> {
  const identity = goodIdentity(authority);
  await using server = await startKeepAliveServer(identity);
  const patterns = steps.flatMap(([verb, , pattern]) =>
    verb === "grant" ? [String(pattern)] : [],
  );
  await using lab = createLab({
    policy: {
      network: {
        allowHttpOutbound: true,
        allowedHosts: [...new Set(patterns)],
        methods: ["GET", "POST"],
        certificateAuthorities: [authority.ca],
        limits: { ...NO_RATES, minBytesPerSecond: 0 },
      },
    },
    dns: { "*": [[PUBLIC_ADDRESS]] },
    port: server.port,
  });
  const pins = { p1: pinOf(identity), p2: pinOf("another key") };
  const story: Story = { lab, grants: new Map(), streams: new Map(), pins };
  for (const step of steps) {
    const problem = await play(story, step);
    if (problem !== undefined) return miss(`${JSON.stringify(step)}: ${problem}`);
  }
  return { kind: "pass" };
}

async function play(story: Story, step: readonly unknown[]): Promise<string | undefined> {
  const { lab, grants, streams } = story;
  const [verb, name = "", ...rest] = step;
  const key = String(name);
  const [first = "", second, third] = rest;
  switch (verb) {
    case "grant": {
      const { expiresMs } = (second ?? {}) as GrantOptions;
      const made = lab.broker.grant(
        pluginId(`plugin-${key.toLowerCase()}`),
        requestOf(story, String(first), second as GrantOptions | undefined),
        expiresMs === undefined ? {} : { expiresInMs: expiresMs },
      );
      if (!made.allowed) return made.code;
      grants.set(key, made.value);
      return undefined;
    }
    case "attenuate": {
      const made = lab.broker.attenuate(
        grantOf(story, key),
        requestOf(story, String(second), typeof third === "object" ? (third as GrantOptions) : {}),
      );
      const isRejected = rest.includes("reject");
      if (made.allowed === isRejected) return made.allowed ? "it was made" : made.code;
      if (made.allowed) grants.set(String(first), made.value);
      return undefined;
    }
    case "request": {
      const { code } = await send(lab.broker.http(grantOf(story, key)), String(first), {
        scope: scopeOf(story, key),
      });
      return (code === "allowed" ? "allow" : "deny") === second ? undefined : code;
    }
    case "startStream": {
      const begun = await lab.broker
        .http(grantOf(story, key))
        .begin(scopeOf(story, key), { method: "GET", url: String(first), headers: [] });
      if (!begun.allowed) return second === "deny" ? undefined : begun.code;
      await begun.value.finish();
      await begun.value.readBody(1);
      streams.set(key, begun.value);
      return second === "allow" ? undefined : "it started";
    }
    case "revoke":
      lab.broker.revoke(grantOf(story, key).id);
      return undefined;
    case "streamEnds": {
      const ended = await Promise.race([drained(streams.get(key)), sleep(Number(first))]);
      return typeof ended === "string" && ended.startsWith("BROKER_")
        ? undefined
        : `it did not end with a code (${String(ended)})`;
    }
    case "sleep":
      await sleep(Number(name));
      return undefined;
    default:
      return "not a step";
  }
}

function requestOf(
  { pins }: Story,
  pattern: string,
  { pin, maxConcurrent, maxRequestsPerMinute }: GrantOptions = {},
): CapabilityRequest {
  return {
    network: {
      allowHttpOutbound: true,
      allowedHosts: [pattern],
      ...(pin === undefined ? {} : { spkiPins: [pins[pin] ?? pin] }),
      limits: {
        ...(maxConcurrent === undefined ? {} : { maxConcurrent }),
        ...(maxRequestsPerMinute === undefined ? {} : { maxRequestsPerMinute }),
      },
    },
  };
}

function grantOf({ grants }: Story, name: string): GrantSet {
  const grant = grants.get(name);
  if (grant === undefined) throw new Error(`no grant ${name}`);
  return grant;
}

function scopeOf(story: Story, name: string): ReturnType<typeof callScope> {
  return callScope({ pluginId: grantOf(story, name).pluginId });
}

async function drained(exchange: HttpExchange | undefined): Promise<string> {
  for (;;) {
    const code = await rejectionOf(exchange?.readBody(65_536) ?? Promise.reject(new Error("none")));
    if (code !== "resolved") return code;
  }
}
