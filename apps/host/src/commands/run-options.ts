/**
 * @module The options of `glovebox run` from text to the options of a runtime. Each `--allow-…` adds to
 * a policy that allows nothing otherwise.
 */
import { resolve } from "node:path";

import type { RuntimeConfig } from "@glovebox/runtime";

import { usageError } from "../errors.ts";
import type { AbiName } from "./inspect-module.ts";

type Policy = NonNullable<RuntimeConfig["policy"]>;
type Root = NonNullable<Policy["filesystem"]>["roots"][number];

/** Options as the command line has them. */
export interface RawRunOptions {
  readonly abi?: AbiName;
  readonly input?: string;
  readonly config?: readonly string[];
  readonly memory?: string;
  readonly timeout?: string;
  readonly instructions?: string;
  readonly allowHost?: readonly string[];
  readonly allowRead?: readonly string[];
  readonly allowWrite?: readonly string[];
}

/** Options that were checked. */
export interface RunOptions {
  readonly resources: NonNullable<RuntimeConfig["resources"]>;
  readonly policy: Policy;
  readonly config: Readonly<Record<string, string>>;
}

const UNITS: Readonly<Record<string, number>> = { "": 1, KiB: 1024, MiB: 1024 ** 2 };

/**
 * Parses the options.
 *
 * @throws {@link HostError} (`HOST_USAGE`)
 */
export function parseRunOptions(raw: RawRunOptions): RunOptions {
  const memory = raw.memory === undefined ? undefined : parseBytes(raw.memory);
  const timeout = raw.timeout === undefined ? undefined : parseTimeout(raw.timeout);
  const instructions =
    raw.instructions === undefined ? undefined : parseInstructions(raw.instructions);
  return {
    resources: {
      ...(instructions === undefined ? {} : { defaultInstructionLimit: instructions }),
      ...(memory === undefined ? {} : { defaultMemoryLimitBytes: memory }),
      ...(timeout === undefined ? {} : { defaultWallLimitMs: timeout, defaultCpuLimitMs: timeout }),
    },
    policy: policyOf(raw),
    config: parseConfig(raw.config ?? []),
  };
}

/** A manifest for a bare module, asking for what the command line allows. */
export function manifestFor(abi: AbiName, { policy, resources }: RunOptions): string {
  const roots = policy.filesystem?.roots ?? [];
  const capabilities = {
    ...(policy.network === undefined
      ? {}
      : {
          network: { allow_http_outbound: true, allowed_hosts: policy.network.allowedHosts },
        }),
    ...(roots.length === 0
      ? {}
      : {
          filesystem: {
            allow_read: roots.some(({ allowRead }) => allowRead),
            allow_write: roots.some(({ allowWrite }) => allowWrite),
            allowed_paths: roots.map(({ guest }) => guest),
          },
        }),
    ...(resources.defaultMemoryLimitBytes === undefined
      ? {}
      : { resources: { max_memory_bytes: resources.defaultMemoryLimitBytes } }),
  };
  const plugin = { id: "module", version: "0.0.0", types: ["template"], abi, wasm: "module.wasm" };
  // JSON is YAML, and quotes whatever the operator wrote.
  return JSON.stringify({
    plugin,
    ...(Object.keys(capabilities).length === 0 ? {} : { capabilities }),
  });
}

function policyOf({ allowHost = [], allowRead = [], allowWrite = [] }: RawRunOptions): Policy {
  const roots = new Map<string, Root>();
  for (const [texts, right] of [
    [allowRead, "allowRead"],
    [allowWrite, "allowWrite"],
  ] as const) {
    for (const text of texts) addRoot(roots, text, right);
  }
  return {
    ...(allowHost.length === 0
      ? {}
      : { network: { allowHttpOutbound: true, allowedHosts: [...allowHost] } }),
    ...(roots.size === 0 ? {} : { filesystem: { roots: [...roots.values()] } }),
  };
}

function addRoot(roots: Map<string, Root>, text: string, right: "allowRead" | "allowWrite"): void {
  const at = text.lastIndexOf(":");
  const [host, guest] = [text.slice(0, Math.max(at, 0)), text.slice(at + 1)];
  if (host === "" || !guest.startsWith("/")) {
    throw usageError(`expected HOST:GUEST with an absolute guest path; received ${text}`);
  }
  const known = roots.get(guest);
  const directory = resolve(host);
  if (known !== undefined && known.host !== directory) {
    throw usageError(`the guest path ${guest} is given two directories`);
  }
  const base = known ?? { guest, host: directory, allowRead: false, allowWrite: false };
  roots.set(guest, { ...base, [right]: true });
}

/** One page of WebAssembly: with less no memory can exist. */
const MIN_MEMORY_BYTES = 65_536;

function parseBytes(text: string): number {
  const [, digits = "", unit = ""] = /^(\d{1,15})(KiB|MiB)?$/.exec(text) ?? [];
  const bytes = Number(digits) * (UNITS[unit] ?? 0);
  if (digits === "" || bytes < MIN_MEMORY_BYTES || bytes > 4 * 1024 ** 3) {
    throw usageError(
      `--memory is bytes, KiB or MiB, from 64KiB, one page, to 4096MiB; received ${text}`,
    );
  }
  return bytes;
}

function parseInstructions(text: string): number {
  const units = Number(text);
  if (!/^\d{1,16}$/.test(text) || units < 1 || !Number.isSafeInteger(units)) {
    throw usageError(`--instructions is a whole number from 1; received ${text}`);
  }
  return units;
}

function parseTimeout(text: string): number {
  const ms = Number(text);
  if (!/^\d{1,9}$/.test(text) || ms < 1) {
    throw usageError(`--timeout is milliseconds from 1; received ${text}`);
  }
  return ms;
}

function parseConfig(pairs: readonly string[]): Readonly<Record<string, string>> {
  return Object.fromEntries(
    pairs.map((pair) => {
      const at = pair.indexOf("=");
      if (at < 1) throw usageError(`--config is KEY=VALUE; received ${pair}`);
      return [pair.slice(0, at), pair.slice(at + 1)];
    }),
  );
}
