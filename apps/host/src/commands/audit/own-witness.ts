/** @module The witness that a host is for other hosts' logs: a key, a memory, and a port of its own. */
import { once } from "node:events";
import { dirname, join } from "node:path";

import { openKeyFile } from "@glovebox/auditor/log";
import { createWitnessServer, openWitness } from "@glovebox/auditor/witness";

import { HostError } from "../../errors.ts";
import type { WitnessConfig } from "./audit-config.ts";

const COSIGNATURE_KEY = 0x04;

/** A witness that serves. */
export interface OwnWitness extends AsyncDisposable {
  /** For the policies of those whom it cosigns for. */
  readonly vkey: string;
  readonly port: number;
}

/** The key of the witness beside a host's logs, made if there is none. @throws AuditorError */
export function openWitnessKey(auditDirectory: string, name: string) {
  const path = join(dirname(auditDirectory), "witness.key");
  return openKeyFile(path, name, undefined, COSIGNATURE_KEY);
}

/**
 * Serves a witness beside a host's logs.
 *
 * @throws {@link HostError} (`HOST_LISTEN`), AuditorError (`AUDITOR_OPTION`, `AUDITOR_LOCKED`, …)
 */
export async function serveOwnWitness(
  auditDirectory: string,
  { name, address = "127.0.0.1", port, logs }: WitnessConfig,
): Promise<OwnWitness> {
  const signer = await openWitnessKey(auditDirectory, name);
  const directory = join(dirname(auditDirectory), "witness");
  const witness = await openWitness({ directory, logs }, { signer });
  const server = createWitnessServer(witness);
  try {
    server.listen(port, address);
    await once(server, "listening");
  } catch (cause) {
    await witness.close();
    const { code = "unknown error" } = cause as { code?: string };
    const message = `the witness cannot listen on ${address} port ${port}: ${code}`;
    throw new HostError("HOST_LISTEN", { message, cause });
  }
  const bound = server.address();
  return {
    vkey: signer.vkey,
    port: typeof bound === "object" && bound !== null ? bound.port : port,
    async [Symbol.asyncDispose]() {
      const closed = once(server, "close");
      server.close();
      server.closeAllConnections();
      await closed;
      await witness.close();
    },
  };
}
