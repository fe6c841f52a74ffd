/**
 * @module The reference host: opens a runtime on the data directory, loads the plugins, listens, and
 * ends in order. A step that fails ends the start with one coded error, and what was opened before is
 * closed again.
 */
import { randomBytes } from "node:crypto";
import { mkdir } from "node:fs/promises";
import { dirname } from "node:path";

import { PluginRuntime, type Logger, type RuntimeConfig } from "@glovebox/runtime";

import { HostError } from "../errors.ts";
import { createHostApp } from "../http/app.ts";
import { listen } from "../http/server.ts";
import { CLOSE_DEADLINE_MS, DRAIN_DEADLINE_MS } from "../limits.ts";
import { sampleToken } from "./sample-token.ts";
import { answerOf, curlOf, samplesFor } from "./samples.ts";
import type { ServeOptions } from "./serve-options.ts";
import { createVerifyHmac } from "./verify-hmac.ts";

/** What the host is started with. */
export interface HostParts {
  readonly options: ServeOptions;
  readonly trustedKeys: NonNullable<RuntimeConfig["trust"]>["trustedKeys"];
  readonly logger: Logger;
}

/** A host that serves. */
export interface RunningHost {
  /** What a newcomer reads: the address, and a sample call of each plugin with its answer. */
  readonly greeting: string;
  /** Lets running calls end, then stops everything. */
  close(): Promise<void>;
}

/** Why a plugin was not loaded. */
export interface StartRefusal {
  readonly code: string;
  readonly message: string;
}

/** Starts the host; resolves when it takes requests, or to the refusal of a plugin. */
export async function startHost({
  options,
  trustedKeys,
  logger,
}: HostParts): Promise<RunningHost | StartRefusal> {
  await makeDataDirectory(options.auditDirectory);
  const demoKey = randomBytes(32);
  const runtime = await PluginRuntime.open({
    audit: { directory: options.auditDirectory },
    validation: { requireSignatures: options.requireSignatures },
    trust: { trustedKeys },
    ...(options.isExample
      ? { hostFunctions: { verify_hmac: createVerifyHmac(new Map([["auth/auth", demoKey]])) } }
      : {}),
    deps: { logger },
  });
  let isClosing = false;
  try {
    for (const path of options.plugins) {
      const loaded = await runtime.load(path);
      if (!loaded.ok) {
        await runtime.close();
        return { code: loaded.error.code, message: `${path}: ${loaded.error.message}` };
      }
      logger.info({ plugin: loaded.plugin.id, version: loaded.plugin.version }, "plugin loaded");
    }
    const app = createHostApp({
      runtime,
      logger,
      names: options.names,
      loosened: options.loosened,
      isClosing: () => isClosing,
    });
    for (const option of options.loosened) {
      logger.warn({ option }, "a security default is loosened");
    }
    const server = await listen((request) => app.fetch(request), options.address, options.port);
    const base = `http://${urlHost(options.address)}:${server.port}`;
    const greeting = await greet(runtime, options, base, demoKey);
    return {
      greeting,
      async close() {
        isClosing = true;
        const drained = await server.close(DRAIN_DEADLINE_MS);
        if (!drained) await runtime.shutdown("calls were still running when the host was stopped");
        await within(CLOSE_DEADLINE_MS, runtime.close());
      },
    };
  } catch (error) {
    await runtime.close();
    throw error;
  }
}

async function greet(
  runtime: PluginRuntime,
  { isExample }: ServeOptions,
  base: string,
  demoKey: Uint8Array,
): Promise<string> {
  const { isolation, loosened } = runtime.status();
  const lines = [
    `Glovebox serves on ${base} (isolation: ${isolation}${loosened.length === 0 ? "" : `; loosened: ${loosened.join(", ")}`})`,
  ];
  if (isExample) {
    const nowSeconds = Math.floor(Date.now() / 1000);
    for (const sample of samplesFor(sampleToken(demoKey, nowSeconds))) {
      const answer = await answerOf(runtime, sample, nowSeconds);
      lines.push("", `Plugin ${sample.pluginId}:`, curlOf(sample, base), `  answers ${answer}`);
    }
    lines.push("", "The key of the sample token is random and lives as long as this process.");
  } else {
    for (const { id, version, functions } of runtime.list()) {
      lines.push(`Plugin ${id} ${version ?? ""}: ${functions.join(", ")}`);
    }
  }
  return [
    ...lines,
    "",
    "Optional services (PostgreSQL, NATS, Redis, Chromium): this version uses none; apps/host/README.md says how each is started.",
    "Ctrl-C ends the host.",
    "",
  ].join("\n");
}

/** One level after the other: `recursive` never returns where the kernel makes no directories. */
async function makeDataDirectory(path: string): Promise<void> {
  for (const directory of [dirname(path), path]) {
    try {
      await mkdir(directory, { mode: 0o700 });
    } catch (cause) {
      const { code = "unknown error" } = cause as { code?: string };
      if (code === "EEXIST") continue;
      throw new HostError("HOST_DATA_DIRECTORY", {
        message: `the data directory ${directory} cannot be made: ${code}`,
        cause,
      });
    }
  }
}

function urlHost(address: string): string {
  return address.includes(":") ? `[${address}]` : address;
}

/** Waits for work, but not longer: what hangs at the end of a process must not keep it. */
async function within(ms: number, work: Promise<void>): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  const timer = setTimeout(resolve, ms);
  await Promise.race([work, promise]);
  clearTimeout(timer);
}
