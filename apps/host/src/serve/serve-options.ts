/** @module The options of `glovebox serve` from text to values; each has a strict default. */
import { basename, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";

import { DEFAULT_DATA } from "../approve-order.ts";
import { HostError } from "../errors.ts";

/** Options as the command line has them. */
export interface RawServeOptions {
  readonly port?: string;
  readonly host?: string;
  readonly allowName?: readonly string[];
  readonly data?: string;
  readonly auditConfig?: string;
  readonly plugin?: readonly string[];
  readonly policy?: string;
  readonly trust?: readonly string[];
  readonly allowUnsigned?: boolean;
  readonly logLevel?: string;
}

/** Options that were checked. */
export interface ServeOptions {
  readonly port: number;
  /** Address to listen on. */
  readonly address: string;
  /** Names under which the host may be called, besides loopback. */
  readonly names: readonly string[];
  /** Holds the audit log, the approvals and what operators need. */
  readonly dataDirectory: string;
  /** File of the host's policy; absent: nothing is allowed, or what the examples need. */
  readonly policy: string | undefined;
  /** File of the audit log's configuration. */
  readonly auditConfig: string | undefined;
  readonly plugins: readonly string[];
  /** Whether these are the plugins of the repository, which nobody signs. */
  readonly isExample: boolean;
  readonly requireSignatures: boolean;
  readonly trust: readonly { readonly path: string; readonly identity: string }[];
  readonly logLevel: string;
  /** Options of the host that are weaker than their defaults. */
  readonly loosened: readonly string[];
}

const DEFAULT_PORT = "8787";
const DEFAULT_ADDRESS = "127.0.0.1";
const LOOPBACK_ADDRESS = /^(?:127(?:\.\d{1,3}){3}|::1|localhost)$/;
const ANY_ADDRESS = new Set(["0.0.0.0", "::"]);
const NAME = /^(?:[a-z0-9](?:[a-z0-9.-]{0,252})|\[[0-9a-f:.]+\])$/i;
const LOG_LEVELS = ["trace", "debug", "info", "warn", "error", "fatal", "silent"];
const EXAMPLES = ["auth", "template", "response", "datasource", "rates"];

/** Where a build puts the example plugins, seen from dist/, where the command runs. */
function examplePaths(): readonly string[] {
  const plugins = fileURLToPath(new URL("../../../plugins/", import.meta.url));
  return EXAMPLES.map((name) => join(plugins, name, "dist"));
}

/**
 * Parses the options; `environment` may hold `PORT`.
 *
 * @throws {@link HostError} (`HOST_USAGE`)
 */
export function parseServeOptions(
  raw: RawServeOptions,
  environment: Readonly<Record<string, string | undefined>>,
): ServeOptions {
  const address = raw.host ?? DEFAULT_ADDRESS;
  const names = raw.allowName ?? [];
  for (const name of names) {
    if (!NAME.test(name)) throw usage(`--allow-name is a host name without port; received ${name}`);
  }
  const { trust = [], logLevel = "info", plugin: plugins } = raw;
  if (!LOG_LEVELS.includes(logLevel)) {
    throw usage(`--log-level is one of ${LOG_LEVELS.join(", ")}; received ${logLevel}`);
  }
  const isExample = plugins === undefined;
  const isLoopback = LOOPBACK_ADDRESS.test(address);
  const own = isLoopback || ANY_ADDRESS.has(address) ? [] : [asHostName(address)];
  return {
    port: parsePort(raw.port ?? environment["PORT"] ?? DEFAULT_PORT),
    address,
    names: [...names, ...own],
    dataDirectory: resolve(raw.data ?? DEFAULT_DATA),
    policy: raw.policy,
    auditConfig: raw.auditConfig,
    plugins: plugins ?? examplePaths(),
    isExample,
    requireSignatures: trust.length > 0 || !(isExample || raw.allowUnsigned === true),
    trust: trust.map((path) => ({ path, identity: basename(path) })),
    logLevel,
    loosened: [
      // The examples are approved by the host itself.
      ...(isExample ? ["host.approvals"] : []),
      ...(isLoopback ? [] : ["host.address"]),
      ...(names.length > 0 ? ["host.names"] : []),
    ],
  };
}

function asHostName(address: string): string {
  return address.includes(":") ? `[${address}]` : address;
}

function parsePort(text: string): number {
  const port = Number(text);
  if (!/^\d{1,5}$/.test(text) || port > 65_535) {
    throw usage(`a port is a number from 0 to 65535; received ${text}`);
  }
  return port;
}

function usage(message: string): HostError {
  return new HostError("HOST_USAGE", { message });
}
