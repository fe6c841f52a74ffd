/** Two hosts that witness each other over loopback HTTP: `witnessPolicy` of `openAuditor`. */
import { once } from "node:events";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { type Auditor, openAuditor, verifyAuditLog } from "@glovebox/auditor";
import { openKeyFile } from "@glovebox/auditor/log";
import { createWitnessServer, openWitness } from "@glovebox/auditor/witness";
import type { NoteSigner } from "@glovebox/tlog/note";
import { checkQuorum, parsePolicy } from "@glovebox/tlog/policy";
import { describe, expect, test } from "vitest";
import "@glovebox/testkit/matchers";

import { event, taken } from "../fixture.ts";

const CLASSES = ["security", "activity"] as const;

/** A host: its logs, and the witness that it runs for others. */
interface Host extends AsyncDisposable {
  readonly directory: string;
  readonly origin: string;
  readonly witness: NoteSigner;
  /** The keys of its logs, for the other's witness. */
  readonly logs: readonly string[];
  open(witnessPolicy?: string): Promise<Auditor>;
  /** Serves its witness for these logs; answers its URL. */
  serve(logs: readonly string[]): Promise<string>;
  /** Its witness goes away. */
  stop(): Promise<void>;
}

async function host(name: string): Promise<Host> {
  const parent = await mkdtemp(join(tmpdir(), "glovebox-witnessed-"));
  const directory = join(parent, "audit");
  const origin = `${name}.example/audit`;
  const witness = await openKeyFile(join(parent, "witness.key"), `${name}/w`, undefined, 0x04);
  const open = (witnessPolicy?: string): Promise<Auditor> => {
    const witnessed = witnessPolicy === undefined ? {} : { witnessPolicy, sealIntervalMs: 5 };
    return openAuditor({ directory, origin, classes: CLASSES, ...witnessed });
  };
  await (await open()).close();
  const logs = await Promise.all(
    CLASSES.map(async (kept) =>
      (await readFile(join(directory, kept, "keys", "000"), "utf8")).trimEnd(),
    ),
  );
  let stop = async (): Promise<void> => undefined;
  return {
    directory,
    origin,
    witness,
    logs,
    open,
    async serve(watched) {
      const options = { directory: join(parent, "witness"), logs: watched };
      const watching = await openWitness(options, { signer: witness });
      const server = createWitnessServer(watching).listen(0, "127.0.0.1");
      await once(server, "listening");
      stop = async () => {
        stop = async () => undefined;
        server.close();
        server.closeAllConnections();
        await watching.close();
      };
      return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    },
    stop: () => stop(),
    async [Symbol.asyncDispose]() {
      await stop();
      await rm(parent, { recursive: true, force: true });
    },
  };
}

/** What a host is given, and what whoever verifies it believes. */
function policyOf(of: Host, by: Host, url: string): string {
  const logs = of.logs.map((vkey) => `log ${vkey}\n`).join("");
  return `${logs}witness other ${by.witness.vkey} ${url}\nquorum other\n`;
}

describe("two hosts", () => {
  test("witness each other: what both publish, and keep outside, meets the quorum", async () => {
    await using a = await host("a");
    await using b = await host("b");
    const policies = [policyOf(a, b, await b.serve(a.logs)), policyOf(b, a, await a.serve(b.logs))];
    const hosts = [a, b];
    // Each published a checkpoint before it was witnessed, which has too few cosignatures.
    for (const [at, { directory }] of hosts.entries()) {
      const policy = policies[at] ?? "";
      expect(await verifyAuditLog(join(directory, "security"), { policy })).toMatchObject({
        ok: false,
        kind: "INVALID",
        reason: expect.stringContaining("quorum"),
      });
    }
    const auditors = await Promise.all(hosts.map((one, at) => one.open(policies[at])));
    for (const auditor of auditors) {
      for (const kind of ["operator", "call"]) await taken(auditor, event(kind)).sealed;
    }
    for (const auditor of auditors) await auditor.close();
    for (const [at, { directory }] of hosts.entries()) {
      const policy = policies[at] ?? "";
      const parsed = parsePolicy(policy);
      if (!parsed.allowed) throw new Error(parsed.reason);
      for (const kept of CLASSES) {
        const outside = await readFile(join(`${directory}.checkpoints`, kept), "utf8");
        expect(checkQuorum(outside, parsed.value)).toMatchObject({
          allowed: true,
          value: { witnesses: ["other"] },
        });
        const options = { policy, since: outside };
        expect(await verifyAuditLog(join(directory, kept), options)).toMatchObject({
          ok: true,
          fresh: true,
        });
      }
    }
  });

  test("go on without each other: events are durable, nothing is sealed, and closing says so", async () => {
    await using a = await host("a");
    await using b = await host("b");
    const policy = policyOf(a, b, await b.serve(a.logs));
    await b.stop();
    const auditor = await a.open(policy);
    const place = taken(auditor, event("operator"));
    await expect(place.durable).resolves.toMatchObject({ origin: `${a.origin}/security` });
    await expect(place.sealed).rejects.toThrowCode("AUDITOR_SIGN");
    await expect(auditor.close()).rejects.toThrowCode("AUDITOR_SIGN");
    // Every log is let go of, and the next writer finds what was durable.
    const next = await a.open();
    expect((await next.query({ kind: "operator" })).events).toHaveLength(1);
    await next.close();
  });
});

test("a policy that is none is refused before anything is opened", async () => {
  await using a = await host("a");
  await expect(a.open("quorum nobody\n")).rejects.toThrowCode("AUDITOR_OPTION");
});
