/**
 * @module `glovebox serve`: starts the reference host and ends it on SIGTERM or SIGINT with exit code
 * 0; a second signal ends it at once. Logs are JSON lines on standard error (pino).
 */
import { join } from "node:path";

import pino from "pino";

import { MAX_POLICY_BYTES, MAX_SMALL_FILE_BYTES } from "../limits.ts";
import { readOperatorFile } from "../operator-file.ts";
import { startHost } from "../serve/host.ts";
import { parsePolicyText } from "../serve/policy-file.ts";
import { parseServeOptions, type RawServeOptions } from "../serve/serve-options.ts";
import { readAuditConfig } from "./audit/audit-config.ts";
import { openSinks } from "./audit/open-sinks.ts";
import { serveOwnWitness } from "./audit/own-witness.ts";
import { EXIT, fail, type Terminal } from "./command-line.ts";

const SIGNALS = ["SIGTERM", "SIGINT"] as const;
const EXIT_INTERRUPTED = 130;
const STDERR = 2;

/** Runs the command until a signal ends it. */
export async function serve(raw: RawServeOptions, terminal: Terminal): Promise<number> {
  const options = parseServeOptions(raw, process.env);
  const audit = await readAuditConfig(options.auditConfig);
  const { witness } = audit;
  const trustedKeys = await Promise.all(
    options.trust.map(async ({ path, identity }) => ({
      identity,
      publicKey: (await readOperatorFile(path, MAX_SMALL_FILE_BYTES)).toString("utf8"),
    })),
  );
  const policy =
    options.policy === undefined
      ? undefined
      : parsePolicyText(await readOperatorFile(options.policy, MAX_POLICY_BYTES), options.policy);
  // A failed start is one coded line and nothing else: what is logged before is kept until then.
  const held: string[] = [];
  let isStarted = false;
  const destination = pino.destination({ fd: STDERR, sync: true });
  const logger = pino(
    { level: options.logLevel, base: null },
    {
      write: (line: string) => {
        if (isStarted) destination.write(line);
        else held.push(line);
      },
    },
  );
  const stopped = nextSignal();
  const started = await startHost({
    options,
    audit: {
      ...audit.auditor,
      sinks: await openSinks(audit.sinks, logger),
      ...(audit.wrappingKey === undefined ? {} : { wrappingKey: audit.wrappingKey }),
    },
    ...(witness === undefined
      ? {}
      : { serveWitness: () => serveOwnWitness(join(options.dataDirectory, "audit"), witness) }),
    loosened: audit.loosened,
    policy,
    trustedKeys,
    logger,
  });
  if ("code" in started) return fail(terminal, started);
  isStarted = true;
  for (const line of held.splice(0)) destination.write(line);
  await terminal.out(started.greeting);
  const signal = await stopped;
  logger.info({ signal }, "the host ends");
  await started.close();
  return EXIT.ok;
}

function nextSignal(): Promise<NodeJS.Signals> {
  return new Promise((resolve) => {
    let isFirst = true;
    for (const signal of SIGNALS) {
      process.on(signal, () => {
        if (!isFirst) process.exit(EXIT_INTERRUPTED);
        isFirst = false;
        resolve(signal);
      });
    }
  });
}
