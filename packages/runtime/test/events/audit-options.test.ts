/** What the auditor can do is within reach of whoever opens a runtime. */
import { readdir } from "node:fs/promises";

import type { Sink, SinkEvent } from "@glovebox/auditor";
import { type AuditOptions, PluginRuntime } from "@glovebox/runtime";
import { pluginDirectory } from "@glovebox/testkit";
import { expect, test } from "vitest";
import "@glovebox/testkit/matchers";

import { ECHO, flatPlugin, openRuntime } from "../open-runtime.ts";

const REQUEST = { reason: "GDPR 17", actor: "operator:dpo" };

function collecting(name = "collector"): Sink & { readonly sent: SinkEvent[]; isOpen: boolean } {
  const sent: SinkEvent[] = [];
  const sink = {
    name,
    sent,
    isOpen: true,
    send: async (batch: readonly SinkEvent[]) => (sent.push(...batch), { rejected: 0 }),
    async [Symbol.asyncDispose]() {
      sink.isOpen = false;
    },
  };
  return sink;
}

const UNWANTED = collecting("Not A Name");

test("a sink gets every event of a call, and is closed with the runtime", async () => {
  const sink = collecting();
  {
    await using host = await openRuntime({ audit: { sinks: [sink] } });
    await host.load({ id: "echo", wasm: flatPlugin({ run: ECHO }) });
    await host.call("echo", "run", "hi");
    await expect
      .poll(() => sink.sent.map(({ event }) => event.rule))
      .toEqual(expect.arrayContaining(["call.start", "call.end"]));
  }
  expect(sink.isOpen).toBe(false);
});

test("the log can be asked, a person exported and erased, and a class held, while plugins run", async () => {
  await using host = await openRuntime();
  await host.load({ id: "echo", wasm: flatPlugin({ run: ECHO }) });
  await host.call("echo", "run", "hi", { userId: "alice" });
  const { audit } = host.runtime;
  if (audit === undefined) throw new Error("no log");
  expect((await audit.query({ kind: "call" })).events).toHaveLength(2);
  expect(await audit.retention.placeHold({ person: "alice" }, "case 7")).toMatchObject({
    allowed: true,
  });
  expect(await audit.erasure.erase("alice", REQUEST)).toRefuse("AUDITOR_HELD");
  const [hold] = audit.retention.holds();
  await audit.retention.liftHold(hold?.id ?? "", "closed");
  expect((await audit.erasure.erase("alice", REQUEST)).allowed).toBe(true);
  expect(await audit.erasure.exportPerson("alice", REQUEST)).toRefuse("AUDITOR_PERSON_UNKNOWN");
  expect(await host.call("echo", "run", "on")).toBe("on");
});

test("where keys and checkpoints lie, and what is kept, is the application's to say", async () => {
  await using elsewhere = await pluginDirectory({});
  const at = (name: string): string => `${elsewhere.path}/${name}`;
  await using _host = await openRuntime({
    audit: {
      anchorDirectory: at("checkpoints"),
      keyDirectory: at("keys"),
      wrappingKey: new Uint8Array(32).fill(7),
      classes: ["security", "activity"],
    },
  });
  // One that is being written has another name for a moment.
  const kept = (await readdir(at("checkpoints"))).filter((name) => !name.endsWith(".tmp"));
  expect(kept.toSorted()).toEqual(["activity", "security"]);
  expect(await readdir(at("keys"))).not.toContain("wrapping.key");
});

test.each<[string, AuditOptions]>([
  ["witnessPolicy", { witnessPolicy: "quorum nobody\n" }],
  ["sealIntervalMs", { sealIntervalMs: 0 }],
  ["cleanUpEveryMs", { cleanUpEveryMs: Number.NaN }],
  ["a sink's name", { sinks: [UNWANTED] }],
])("%s is checked by the auditor, and a refused start closes what it opened", async (_, audit) => {
  await using files = await pluginDirectory({});
  const directory = `${files.path}/audit`;
  const opened = PluginRuntime.open({ audit: { directory, ...audit } });
  await expect(opened).rejects.toThrowCode("AUDITOR_OPTION");
  expect(audit.sinks?.includes(UNWANTED) ?? false).toBe(!UNWANTED.isOpen);
  await (await PluginRuntime.open({ audit: { directory } })).close();
});
