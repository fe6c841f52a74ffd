/**
 * @module Two hosts as processes that witness each other: what each publishes, and keeps outside of
 * its logs, others believe by a policy; a rolled-back log they do not.
 */
import { once } from "node:events";
import { cp, rm, writeFile } from "node:fs/promises";
import { type AddressInfo, createServer } from "node:net";
import { join } from "node:path";

import { buildPluginPackage, pluginDirectory } from "@glovebox/testkit";
import { expect, test } from "vitest";

import { runHere } from "../../in-process.ts";
import { start } from "../command.ts";

const FLAT = `(module
  (memory (export "memory") 1)
  (func (export "alloc") (param i32) (result i32) (i32.const 0))
  (func (export "echo") (param i32 i32) (result i32 i32) (local.get 0) (local.get 1)))`;
const PRINTED_LAST = "Ctrl-C";

async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, "close");
  return port;
}

test("two hosts witness each other", { timeout: 120_000 }, async () => {
  await using files = await pluginDirectory({});
  await using plugin = await buildPluginPackage({ id: "mine", wasm: FLAT });
  const names = ["a", "b"];
  const data = (name: string): string => join(files.path, name);
  const logs = (name: string): string => join(data(name), "audit");
  const serve = (name: string, ...more: readonly string[]) =>
    start([
      "serve",
      "--port",
      "0",
      "--data",
      data(name),
      "--plugin",
      plugin.path,
      "--allow-unsigned",
      ...more,
    ]);

  // Once without each other: then there are keys to be exchanged.
  for (const name of names) {
    await using host = serve(name);
    await host.printed(PRINTED_LAST);
    expect((await host.stop("SIGTERM")).exit).toBe(0);
  }
  const keys = new Map<string, string>();
  const ports = new Map<string, number>();
  for (const name of names) {
    const printed = await runHere("audit", "keys", logs(name), "--witness", `${name}.example`);
    keys.set(name, printed.out);
    ports.set(name, await freePort());
  }
  const line = (name: string, word: string): readonly string[] =>
    (keys.get(name) ?? "").split("\n").filter((one) => one.startsWith(word));
  for (const [at, name] of names.entries()) {
    const other = names[1 - at] ?? "";
    const [witness = ""] = line(other, "witness ");
    const url = `http://127.0.0.1:${ports.get(other)}`;
    const policy = [...line(name, "log "), `${witness} ${url}`, `quorum ${other}.example`, ""];
    await writeFile(join(data(name), "witnesses.policy"), policy.join("\n"));
    const config = {
      witnessPolicyFile: "witnesses.policy",
      sealIntervalMs: 50,
      witness: {
        name: `${name}.example`,
        port: ports.get(name),
        logs: line(other, "log ").map((one) => one.slice("log ".length)),
      },
    };
    await writeFile(join(data(name), "audit.json"), JSON.stringify(config));
  }
  const config = (name: string): string => join(data(name), "audit.json");
  const verify = (name: string, since: string) =>
    runHere(
      "audit",
      "verify",
      logs(name),
      "--since",
      since,
      "--policy",
      join(data(name), "witnesses.policy"),
    );
  const outside = (name: string): string => `${logs(name)}.checkpoints`;
  const few = await verify("a", outside("a"));
  expect([few.exit, few.err]).toEqual([1, expect.stringMatching(/quorum/)]);

  await using a = serve("a", "--audit-config", config("a"));
  await using b = serve("b", "--audit-config", config("b"));
  const greeting = await a.printed(PRINTED_LAST);
  await b.printed(PRINTED_LAST);
  const [, base = ""] = /serves on (\S+)/.exec(greeting) ?? [];
  const answer = await fetch(`${base}/plugins/mine/functions/echo`, {
    method: "POST",
    headers: { "content-type": "application/octet-stream" },
    body: "hi",
  });
  expect(await answer.text()).toBe("hi");
  // What is durable is cosigned soon after; the last checkpoint lies outside of the logs, too.
  await expect
    .poll(async () => (await verify("a", outside("a"))).err, { timeout: 30_000, interval: 500 })
    .toBe("");
  await cp(data("a"), `${data("a")}-before`, { recursive: true });
  const ended = await a.stop("SIGTERM");
  expect(ended.exit).toBe(0);
  expect((await verify("a", outside("a"))).exit).toBe(0);
  // The other one ends without its witness: said, and no failure.
  const last = await b.stop("SIGTERM");
  expect(last.exit).toBe(0);
  expect(last.err).toContain("durable, and not sealed");

  // Rolled back, with all that lies beside the logs but the checkpoints outside.
  await rm(logs("a"), { recursive: true });
  await cp(join(`${data("a")}-before`, "audit"), logs("a"), { recursive: true });
  const rolled = await verify("a", outside("a"));
  expect([rolled.exit, rolled.err]).toEqual([1, expect.stringMatching(/ROLLBACK/)]);
  const again = await serve("a").ended;
  expect([again.exit, again.firstError]).toEqual([1, expect.stringMatching(/^AUDITOR_ROLLBACK: /)]);
});
