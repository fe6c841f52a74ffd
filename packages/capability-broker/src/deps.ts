/**
 * @module What the broker takes from the outside world, so that tests and hosts can replace it.
 */
import { existsSync } from "node:fs";
import { networkInterfaces } from "node:os";

import { type Clock, systemClock } from "@glovebox/core/clock";

import { type SpawnFileWorker, spawnFileWorker } from "./filesystem/file-crew.ts";
import { type Dial, dialTcp } from "./network/dial.ts";
import { type Resolve, createResolve } from "./network/resolver.ts";
import type { ResolveSecret } from "./network/secret.ts";

/** Dependencies with their defaults. */
export interface BrokerDeps {
  /** Default: the system's clock. */
  readonly clock: Clock;
  /** Name to addresses. Default: c-ares, both families, without the hosts file and the thread pool. */
  readonly resolve: Resolve;
  /** Checked address and port to a connected socket. Default: TCP. */
  readonly dial: Dial;
  /** The host's own addresses, which no grant reaches. Default: those of its interfaces. */
  readonly localAddresses: () => readonly string[];
  /** A secret's value by its name. Default: none is known. */
  readonly resolveSecret: ResolveSecret;
  /** Whether files can be opened without races. Default: Linux with /proc mounted. */
  readonly supportsFiles: () => boolean;
  /**
   * Starts a thread that does file work, with `trackUnmanagedFds: false`: the broker closes what a
   * lost thread kept, once. Default: the package's own.
   */
  readonly spawnFileWorker: SpawnFileWorker;
}

/** The given dependencies over the defaults. */
export function withDefaultDeps(given: Partial<BrokerDeps>): BrokerDeps {
  return {
    clock: given.clock ?? systemClock,
    resolve: given.resolve ?? createResolve(),
    dial: given.dial ?? dialTcp,
    localAddresses: given.localAddresses ?? interfaceAddresses,
    resolveSecret:
      given.resolveSecret ?? (() => Promise.reject(new Error("no secrets are configured"))),
    supportsFiles: given.supportsFiles ?? hasProc,
    spawnFileWorker: given.spawnFileWorker ?? spawnFileWorker,
  };
}

function interfaceAddresses(): readonly string[] {
  return Object.values(networkInterfaces()).flatMap((list) =>
    (list ?? []).map(({ address }) => address),
  );
}

function hasProc(): boolean {
  return process.platform === "linux" && existsSync("/proc/self/fd");
}
