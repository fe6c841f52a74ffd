/** @module What is printed when the host serves: commands that can be copied, and nothing that acts. */
import { resolve } from "node:path";

import { expect, test } from "vitest";

import type { RuntimePort } from "../../src/http/runtime-port.ts";
import { greetingOf } from "../../src/serve/greeting.ts";

const pending = { pluginId: "reader", changes: ["+ may now also read from /data"] };

function greet(dataDirectory: string, plugin: object = {}): Promise<string> {
  const listed = { id: "reader", version: "1.0.0", functions: ["read"], warnings: [], ...plugin };
  const runtime = {
    status: () => ({ isolation: "strict", loosened: [] }),
    list: () => [listed],
    approvals: () => ({ pending: [{ ...pending, requestDigest: "d1" }], approved: [] }),
  } as unknown as RuntimePort;
  return greetingOf({ runtime, tokenKey: undefined, base: "http://127.0.0.1:1", dataDirectory });
}

test("the order that approves names a data directory that is not the default", async () => {
  const order = "  glovebox approvals approve reader --operator NAME --digest d1";
  expect(await greet(resolve("glovebox-data"))).toContain(`${order}\n`);
  expect(await greet("/srv/my data")).toContain(`${order} --data '/srv/my data'\n`);
});

test("a plugin is shown with how it is called, and with what the policy leaves it without", async () => {
  const greeting = await greet("/srv/data", { warnings: ["may not send HTTP requests"] });
  expect(greeting).toContain("Plugin reader 1.0.0: read\n  warning: may not send HTTP requests\n");
  expect(greeting).toContain("curl -s http://127.0.0.1:1/plugins/PLUGIN/functions/FUNCTION ");
});

test("a function's name cannot drive the terminal of who starts the host", async () => {
  const greeting = await greet("/srv/data", { functions: ["\u001b[2Jread", "a\u202eb"] });
  expect(greeting).toContain(String.raw`\u{1b}[2Jread, a\u{202e}b`);
  for (const character of "\u001b\u202e") expect(greeting).not.toContain(character);
});
