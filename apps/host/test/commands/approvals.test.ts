/** @module `glovebox approvals` against a host that serves, over its real port and its real files. */
import { chmod, mkdir, readFile, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";

import { buildPluginPackage, pluginDirectory } from "@glovebox/testkit";
import "@glovebox/testkit/matchers";
import { expect, test, vi } from "vitest";

import { approvalsApprove } from "../../src/commands/approvals.ts";
import { READER } from "../reaching-plugins.ts";
import { type Ended, run, start } from "./command.ts";

// Several hosts and commands, each a process that boots others.
vi.setConfig({ testTimeout: 240_000 });

const PRINTED_LAST = "Ctrl-C ends the host.";
const reading = { allow_read: true, allow_write: false, allowed_paths: ["/data"] };
const ASKS_TO_READ = "+ may now also read from /data";
const ASKS_TO_WRITE = "+ may now also write to /data";

/** A data directory, a granted folder with a file in it, and the policy that grants it. */
async function place() {
  const files = await pluginDirectory({});
  const [data, folder, policy] = ["data", "granted", "policy.json"].map((name) =>
    join(files.path, name),
  ) as [string, string, string];
  await mkdir(folder);
  const key = join(files.path, "key.pem");
  expect(await run("keygen", "--out", key)).toMatchObject({ exit: 0 });
  await writeFile(join(folder, "rates.txt"), "1 EUR = 1.10 USD");
  const root = { guest: "/data", host: folder, allowRead: true, allowWrite: true };
  await writeFile(policy, JSON.stringify({ filesystem: { roots: [root] } }));
  return {
    data,
    policy,
    approvals: (...args: readonly string[]): Promise<Ended> =>
      run("approvals", ...args, "--data", data),
    /** Starts a host on a version of the plugin; answers once it serves. */
    async serve(version: string, filesystem: object, isSigned = true) {
      const capabilities = { filesystem: { ...filesystem } };
      const plugin = await buildPluginPackage({
        id: "reader",
        version,
        abi: "wasi",
        wasm: READER,
        capabilities,
      });
      if (isSigned) expect(await run("sign", plugin.path, "--key", key)).toMatchObject({ exit: 0 });
      const trust = isSigned ? ["--trust", `${key}.pub`] : ["--allow-unsigned"];
      const how = [...trust, "--data", data, "--policy", policy];
      const host = start(["serve", "--port", "0", "--plugin", plugin.path, ...how]);
      const greeting = await host.printed(PRINTED_LAST);
      const [, port = ""] = /:(\d+) /.exec(greeting) ?? [];
      const base = `http://127.0.0.1:${port}`;
      return {
        greeting,
        base,
        async call() {
          const response = await fetch(`${base}/plugins/reader/functions/_start`, {
            method: "POST",
            headers: { "content-type": "application/octet-stream" },
            body: "rates.txt",
          });
          return response.ok ? response.text() : response.status;
        },
        async [Symbol.asyncDispose]() {
          await host.stop("SIGTERM");
          await plugin[Symbol.asyncDispose]();
        },
      };
    },
    [Symbol.asyncDispose]: () => files[Symbol.asyncDispose](),
  };
}

test("an operator reads what a plugin asks, says yes, and takes it back", async () => {
  await using at = await place();
  {
    await using host = await at.serve("1.0.0", reading);
    expect(host.greeting).toContain(`Plugin reader waits for an approval:\n  ${ASKS_TO_READ}\n`);
    expect(await host.call()).toBe(404);
    const listed = await at.approvals("list");
    expect(listed).toMatchObject({ exit: 0, err: "" });
    expect(listed.out).toMatch(
      /reader 1\.0\.0 waits \(key\.pem\.pub \S+\): reader: nobody approved it/,
    );
    expect(listed.out).toContain(`  ${ASKS_TO_READ}\n`);
    expect(await (await fetch(host.base)).text()).toContain(`<li>${ASKS_TO_READ}</li>`);
    const { pending } = (await (await fetch(`${host.base}/approvals`)).json()) as {
      pending: readonly [{ readonly requestDigest: string }];
    };
    const { requestDigest } = pending[0];

    // Whoever can reach the port can read, and only the host's user can say yes.
    const order = JSON.stringify({ operator: "mallory", requestDigest });
    for (const authorization of [undefined, "Bearer ", "Bearer x", `Basic ${requestDigest}`]) {
      const response = await fetch(`${host.base}/approvals/reader/approve`, {
        method: "POST",
        headers: {
          "content-type": "application/json",
          ...(authorization === undefined ? {} : { authorization }),
        },
        body: order,
      });
      expect([response.status, response.headers.get("www-authenticate")]).toEqual([401, "Bearer"]);
      expect(await response.json()).toMatchObject({ code: "HOST_OPERATOR" });
    }
    expect(await host.call()).toBe(404);
    for (const file of ["approvals.key", "operator.json"])
      expect((await stat(join(at.data, file))).mode & 0o777).toBe(0o600);

    const wrong = ["--operator", "ann", "--digest", "0".repeat(64)];
    expect(await at.approvals("approve", "reader", ...wrong)).toMatchObject({
      exit: 1,
      firstError: expect.stringMatching(/^RUNTIME_APPROVAL_CHANGED: /),
    });
    const given = ["--operator", "ann", "--digest", requestDigest];
    const approved = await at.approvals("approve", "reader", ...given);
    expect(approved).toMatchObject({ exit: 0, err: "" });
    expect(approved.out).toContain(ASKS_TO_READ);
    expect(await host.call()).toBe("1 EUR = 1.10 USD");
    expect((await at.approvals("show", "reader")).out).toMatch(
      /reader is approved \(key\.pem\.pub \S+\) by ann/,
    );
  }
  // A wider request needs another yes, and it says exactly what is new; a narrower one does not.
  {
    await using host = await at.serve("1.1.0", { ...reading, allow_write: true });
    expect(host.greeting).toContain(`waits for an approval:\n  ${ASKS_TO_WRITE}\n`);
    expect(host.greeting).not.toContain(ASKS_TO_READ);
    const asked: string[] = [];
    const printed: string[] = [];
    const answering = (answer: string) => ({
      stdin: process.stdin,
      out: async (text: string | Uint8Array) => void printed.push(String(text)),
      err: () => undefined,
      async ask(question: string) {
        asked.push(question);
        expect(printed).toContain(`  ${ASKS_TO_WRITE}\n`);
        return answer;
      },
    });
    const who = { operator: "ann", data: at.data };
    for (const answer of ["", "no", "y"])
      await expect(approvalsApprove("reader", who, answering(answer))).rejects.toThrowCode(
        "HOST_USAGE",
      );
    expect(await approvalsApprove("reader", who, answering("yes"))).toBe(0);
    expect(asked).toHaveLength(4);
  }
  {
    await using host = await at.serve("1.2.0", reading);
    expect(await host.call()).toBe("1 EUR = 1.10 USD");
    expect(await at.approvals("revoke", "reader", "--operator", "bob")).toMatchObject({ exit: 0 });
    expect(await host.call()).toBe("");
    expect((await at.approvals("list")).out).toContain("reader: bob took its approval back");
    expect((await at.approvals("revoke", "reader", "--operator", "bob")).exit).toBe(1);
  }
  // Without a host nobody is asked, and the log has every step with its name.
  expect(await at.approvals("list")).toMatchObject({
    exit: 1,
    firstError: expect.stringMatching(/^HOST_NOT_RUNNING: /),
  });
  const query = ["--plugin", "reader", "--kind", "operator", "--order", "oldest", "--json"];
  const said = await run("audit", "query", join(at.data, "audit"), ...query);
  const { events } = JSON.parse(said.out) as { events: { event: { actor: string } }[] };
  expect(events.map(({ event }) => event.actor)).toEqual([
    "operator:ann",
    "operator:ann",
    "operator:bob",
  ]);
});

test("an approval that was changed on disk is nobody's, and the log says so", async () => {
  await using at = await place();
  const file = join(at.data, "approvals.json");
  {
    await using host = await at.serve("1.0.0", reading, false);
    // Without the digest of what was read nothing is approved, and the answer is the whole order.
    const unread = await at.approvals("approve", "reader", "--operator", "o'hara");
    expect([unread.exit, unread.out]).toEqual([2, expect.stringContaining(ASKS_TO_READ)]);
    const [, line = ""] = /^HOST_USAGE: .* by: glovebox (.*)$/.exec(unread.firstError) ?? [];
    expect(line).toMatch(
      /^approvals approve reader --operator 'o'\\''hara' --digest [0-9a-f]{64} /,
    );
    expect(await host.call()).toBe(404);
    const words = line.replace(`'o'\\''hara'`, "ann").split(" ");
    expect(await run(...words)).toMatchObject({ exit: 0, err: "" });
    expect(await host.call()).toBe("1 EUR = 1.10 USD");
  }
  expect((await stat(file)).mode & 0o777).toBe(0o600);
  const text = await readFile(file, "utf8");
  await writeFile(file, text.replace('"allowWrite": false', '"allowWrite": true'));
  {
    await using host = await at.serve("1.0.0", reading, false);
    expect(await host.call()).toBe(404);
    const { out } = await at.approvals("list");
    expect(out).toContain("reader: the seal does not hold");
    expect(out).toContain("ITS SEAL DOES NOT HOLD");
  }
  const query = ["--code", "BROKER_APPROVAL", "--json"];
  const said = await run("audit", "query", join(at.data, "audit"), ...query);
  expect(JSON.parse(said.out)).toMatchObject({
    events: [
      { event: { kind: "grant", error: "reader: the seal does not hold" } },
      { event: { kind: "grant", error: "reader: nobody approved it" } },
    ],
  });
});

test("a key that others can read, a key that plugins could read, and a file that is no JSON end the start", async () => {
  await using at = await place();
  await using plugin = await buildPluginPackage({ id: "reader", abi: "wasi", wasm: READER });
  const args = ["serve", "--port", "0", "--plugin", plugin.path, "--allow-unsigned"];
  args.push("--data", at.data, "--policy");
  const serve = (policy: string): Promise<Ended> => run(...args, policy);
  await mkdir(at.data, { mode: 0o700 });
  const key = join(at.data, "approvals.key");
  await writeFile(key, new Uint8Array(32), { mode: 0o600 });
  await chmod(key, 0o640);
  expect((await serve(at.policy)).firstError).toMatch(/^HOST_PRIVATE_FILE: .*approvals\.key/);
  await chmod(key, 0o600);
  await writeFile(join(at.data, "approvals.json"), "[", { mode: 0o600 });
  expect((await serve(at.policy)).firstError).toMatch(/^HOST_PRIVATE_FILE: .*approvals\.json/);
  const around = join(at.data, "..", "around.json");
  const root = { guest: "/data", host: join(at.data, ".."), allowRead: true, allowWrite: false };
  await writeFile(around, JSON.stringify({ filesystem: { roots: [root] } }));
  expect((await serve(around)).firstError).toMatch(/^HOST_DATA_DIRECTORY: plugins could read/);
  const absent = [{ ...root, host: join(at.data, "absent") }];
  await writeFile(around, JSON.stringify({ filesystem: { roots: absent } }));
  expect((await serve(around)).firstError).toMatch(/^HOST_FILE: .+absent behind \/data/);
  await writeFile(around, "- a list");
  expect((await serve(around)).firstError).toMatch(/^HOST_POLICY: /);
});
