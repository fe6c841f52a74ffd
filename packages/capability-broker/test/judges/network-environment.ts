/**
 * @module Cases about the environment run in a child process that has it: what a variable switches
 * is often read once, when Node.js starts.
 */
import { spawn } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { type Server, createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

import type { CaseFile, CaseVerdict, TestCase } from "@glovebox/testkit/cases";

import { miss, type NetworkCase } from "./network-case.ts";

/** The program that judges one case; its last argument is what the parent wrote for it. */
const CHILD = fileURLToPath(new URL("./network-child.ts", import.meta.url));

/** What the child is given. */
export interface ChildTask {
  readonly testCase: TestCase;
  readonly file: CaseFile;
  readonly attackerFile: string;
}

/** Judges a case in a process with its variables. */
export async function judgeInChild(testCase: TestCase, file: CaseFile): Promise<CaseVerdict> {
  const env = (testCase as unknown as NetworkCase).tls?.env ?? {};
  const folder = await mkdtemp(join(tmpdir(), "network-case-"));
  const attackerFile = join(folder, "attacker.pem");
  const proxies = await startProxies(Object.values(env));
  try {
    // The child's attacker is made here, because NODE_EXTRA_CA_CERTS is read before the child runs.
    const { createTestAuthority } = await import("@glovebox/testkit/servers");
    const attacker = createTestAuthority("Attacker");
    const identity = attacker.issue({ names: ["api.example.com", "*.trusted.com"] });
    await writeFile(attackerFile, attacker.ca);
    await writeFile(`${attackerFile}.json`, JSON.stringify(identity));
    const task = join(folder, "task.json");
    await writeFile(task, JSON.stringify({ testCase, file, attackerFile } satisfies ChildTask));
    const variables = Object.entries(env).map(([name, value]) => [
      name,
      value === "attacker.pem" ? attackerFile : value,
    ]);
    const verdict = await run(task, Object.fromEntries(variables) as Record<string, string>);
    const used = proxies.some(({ connections }) => connections > 0);
    return used ? miss("the proxy of the environment was used") : verdict;
  } finally {
    for (const { server } of proxies) server.close();
    await rm(folder, { recursive: true });
  }
}

async function run(task: string, env: Readonly<Record<string, string>>): Promise<CaseVerdict> {
  const child = spawn(
    process.execPath,
    ["--conditions=@glovebox/source", "--no-warnings", CHILD, task],
    { env: { PATH: process.env["PATH"], ...env }, stdio: ["ignore", "pipe", "pipe"] },
  );
  let output = "";
  let errors = "";
  child.stdout.on("data", (chunk) => (output += String(chunk)));
  child.stderr.on("data", (chunk) => (errors += String(chunk)));
  await new Promise((resolve) => child.once("close", resolve));
  try {
    return JSON.parse(output) as CaseVerdict;
  } catch {
    return miss(`the child said ${output}${errors}`);
  }
}

/** Listens where the variables name a proxy on loopback. */
async function startProxies(
  values: readonly string[],
): Promise<readonly { readonly server: Server; readonly connections: number }[]> {
  const ports = values.flatMap((value) => {
    const url = URL.parse(value);
    return url?.hostname === "127.0.0.1" || url?.hostname === "localhost" ? [Number(url.port)] : [];
  });
  return Promise.all(
    [...new Set(ports)].map(async (port) => {
      const proxy = { server: createServer(), connections: 0 };
      proxy.server.on("connection", (socket) => {
        proxy.connections += 1;
        socket.destroy();
      });
      await new Promise<void>((resolve, reject) => {
        proxy.server.once("error", reject);
        proxy.server.listen(port, "127.0.0.1", resolve);
      });
      return proxy;
    }),
  );
}
