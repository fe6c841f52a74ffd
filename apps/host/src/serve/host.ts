/**
 * @module The reference host: opens a runtime on the data directory, loads the plugins, listens, and
 * ends in order. A step that fails ends the start with one coded error, and what was opened before is
 * closed again; a plugin that waits for an approval lets the start go on.
 */
import { join } from "node:path";

import { PluginRuntime, type Logger, type RuntimeConfig } from "@glovebox/runtime";

import { createHostApp } from "../http/app.ts";
import { listen } from "../http/server.ts";
import { CLOSE_DEADLINE_MS, DRAIN_DEADLINE_MS } from "../limits.ts";
import { assertPolicyFolders } from "../policy-folders.ts";
import { openApprovalFile } from "./approval-file.ts";
import { assertKeyOutside, makeDirectory } from "./data-directory.ts";
import { approveExample, openExample } from "./example.ts";
import { greetingOf } from "./greeting.ts";
import { newOperatorToken, offerAccess } from "./operator-file.ts";
import type { ServeOptions } from "./serve-options.ts";

/** What the host is started with. */
export interface HostParts {
  readonly options: ServeOptions;
  /** What plugins may be allowed at most. Default: nothing, or what the examples need. */
  readonly policy: RuntimeConfig["policy"];
  /** Of the audit log; its directory is the options'. */
  readonly audit: NonNullable<RuntimeConfig["audit"]>;
  /** Serves the witness that this host is for others; absent where it is none. */
  readonly serveWitness?: () => Promise<HostWitness>;
  /** What else is weaker than it could be. */
  readonly loosened: readonly string[];
  readonly trustedKeys: NonNullable<RuntimeConfig["trust"]>["trustedKeys"];
  readonly logger: Logger;
}

/** A witness that serves. */
export interface HostWitness extends AsyncDisposable {
  readonly vkey: string;
  readonly port: number;
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
  policy,
  audit,
  serveWitness,
  loosened: alsoLoosened,
  trustedKeys,
  logger,
}: HostParts): Promise<RunningHost | StartRefusal> {
  await using undo = new AsyncDisposableStack();
  const { dataDirectory, isExample } = options;
  const auditDirectory = join(dataDirectory, "audit");
  for (const directory of [dataDirectory, auditDirectory]) await makeDirectory(directory);
  const example = isExample ? undo.use(await openExample(dataDirectory, logger)) : undefined;
  const allowed = policy ?? example?.policy ?? {};
  await assertPolicyFolders(allowed);
  await assertKeyOutside(dataDirectory, options.plugins, allowed);
  const approvalsFile = isExample ? "example-approvals.json" : "approvals.json";
  const runtime = await PluginRuntime.open({
    audit: { ...audit, directory: auditDirectory },
    validation: { requireSignatures: options.requireSignatures },
    trust: { trustedKeys },
    policy: allowed,
    approvals: await openApprovalFile(dataDirectory, approvalsFile),
    ...example?.config,
    deps: { logger },
  });
  let isClosing = false;
  let witness: HostWitness | undefined;
  try {
    if (serveWitness !== undefined) {
      witness = await serveWitness();
      logger.info({ vkey: witness.vkey, port: witness.port }, "the witness serves");
    }
    for (const path of options.plugins) {
      let loaded = await runtime.load(path);
      if (isExample) loaded = await approveExample(runtime, loaded, logger);
      if (loaded.ok) {
        logger.info({ plugin: loaded.plugin.id, version: loaded.plugin.version }, "plugin loaded");
      } else if (loaded.error.code === "BROKER_APPROVAL") {
        logger.warn({ path, reason: loaded.error.message }, "a plugin waits for an approval");
      } else {
        await closeAll(runtime, witness, logger);
        return { code: loaded.error.code, message: `${path}: ${loaded.error.message}` };
      }
    }
    const operatorToken = newOperatorToken();
    const loosened = [...options.loosened, ...alsoLoosened];
    const app = createHostApp({
      runtime,
      logger,
      names: options.names,
      loosened,
      operatorToken,
      dataDirectory,
      isClosing: () => isClosing,
    });
    for (const option of loosened) {
      logger.warn({ option }, "a security default is loosened");
    }
    const server = await listen((request) => app.fetch(request), options.address, options.port);
    const base = `http://${urlHost(options.address)}:${server.port}`;
    const operators = undo.use(
      await offerAccess(dataDirectory, {
        url: operatorUrl(options.address, server.port),
        token: operatorToken,
      }),
    );
    const greeting = await greetingOf({
      runtime,
      tokenKey: example?.tokenKey,
      base,
      dataDirectory,
    });
    const opened = undo.move();
    return {
      greeting,
      async close() {
        isClosing = true;
        await operators[Symbol.asyncDispose]();
        const drained = await server.close(DRAIN_DEADLINE_MS);
        if (!drained) await runtime.shutdown("calls were still running when the host was stopped");
        await within(CLOSE_DEADLINE_MS, closeAll(runtime, witness, logger));
        await opened.disposeAsync();
      },
    };
  } catch (error) {
    await closeAll(runtime, witness, logger);
    throw error;
  }
}

/** The witness last: the other host may wait for a cosignature of its own end. */
async function closeAll(
  runtime: PluginRuntime,
  witness: HostWitness | undefined,
  logger: Logger,
): Promise<void> {
  try {
    await runtime.close();
  } catch (error) {
    // A witness that is gone holds no host: what is durable is sealed when it is opened again.
    if ((error as { code?: unknown }).code !== "AUDITOR_SIGN") throw error;
    logger.warn({ error: String(error) }, "the end of the audit log is durable, and not sealed");
  } finally {
    await witness?.[Symbol.asyncDispose]();
  }
}

/** Where operators on this machine reach a host that listens everywhere. */
function operatorUrl(address: string, port: number): string {
  const near = address === "0.0.0.0" ? "127.0.0.1" : address === "::" ? "::1" : address;
  return `http://${urlHost(near)}:${port}`;
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
