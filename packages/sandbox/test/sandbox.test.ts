import { readFile } from "node:fs/promises";

import "@glovebox/testkit/matchers";
import {
  createSandbox,
  DEFAULT_MINIMUM_ISOLATION,
  ISOLATION_LEVELS,
  MAX_CALL_CPU_MS,
  SANDBOX_ERRORS,
  SandboxError,
} from "@glovebox/sandbox";
import { describe, expect, it } from "vitest";

import { flatPlugin } from "./support/fixtures.ts";
import { lyingRunner } from "./support/hostile-runner.ts";
import { loadPlugin, openPlugin, textOf } from "./support/open-plugin.ts";

const HELLO = 32;

describe("createSandbox", () => {
  it("fills its pool and reports the level that it has proven", async () => {
    await using sandbox = await createSandbox({ poolSize: 2 });
    expect(sandbox.status()).toEqual({
      ready: true,
      isolation: DEFAULT_MINIMUM_ISOLATION,
      minimumIsolation: DEFAULT_MINIMUM_ISOLATION,
      layers: expect.arrayContaining(["permission"]) as string[],
      absentLayers: expect.any(Object) as object,
      lockDownMs: expect.any(Number) as number,
      runners: { warm: 2, live: 2 },
    });
  });

  it.each(["files", "processes", "threads"])(
    "refuses to start when its canary was not refused %s",
    async (access) => {
      const lie = `{ ...content, denied: { ...content.denied, ${access}: false } }`;
      await using weak = await lyingRunner(HELLO, lie, "canary");
      const deps = { runnerProgram: weak.path };
      await expect(createSandbox({ poolSize: 0 }, deps)).rejects.toThrowCode("SANDBOX_ISOLATION");
      await using loosened = await createSandbox({ poolSize: 0, minimumIsolation: "none" }, deps);
      expect(loosened.status().isolation).toBe("none");
    },
  );

  it("gives no plugin to a runner below the minimum, also after a good canary", async () => {
    const lie = `{ ...content, denied: { ...content.denied, files: false } }`;
    await using weak = await lyingRunner(HELLO, lie);
    await using sandbox = await createSandbox({ poolSize: 0 }, { runnerProgram: weak.path });
    await expect(loadPlugin(sandbox, flatPlugin())).rejects.toMatchObject({
      code: "SANDBOX_ISOLATION",
    });
    await expect.poll(() => sandbox.status().runners.live).toBe(0);
  });

  it.each([{ poolSize: -1 }, { poolSize: 1.5 }, { minimumIsolation: "weak" as never }])(
    "refuses the options %o",
    async (options) => {
      await expect(createSandbox(options)).rejects.toThrowCode("SANDBOX_OPTIONS");
    },
  );

  it("says what is wrong when a runner cannot start", async () => {
    await expect(
      createSandbox({ poolSize: 1 }, { runnerProgram: "/nonexistent/runner.cjs" }),
    ).rejects.toThrowCode("SANDBOX_BOOT_FAILED");
  });

  it("refills its pool after a hand-out", async () => {
    await using open = await openPlugin(flatPlugin(), { poolSize: 1 });
    await expect.poll(() => open.sandbox.status().runners.warm, { timeout: 15_000 }).toBe(1);
    expect(textOf(await open.call("echo", "x"))).toBe("x");
  });

  it("refuses reservations once it is closed", async () => {
    const sandbox = await createSandbox({ poolSize: 1 });
    await sandbox.close();
    expect(await sandbox.reserve({ pluginId: "late" as never })).toMatchObject({
      allowed: false,
      code: "SANDBOX_CLOSED",
    });
    expect(sandbox.status().runners).toEqual({ warm: 0, live: 0 });
  });

  it.each([{ cpuMs: Number.NaN }, { wallMs: -1 }, { memoryBytes: Number.POSITIVE_INFINITY }])(
    "refuses the limits %o, which would be none",
    async (limits) => {
      await using sandbox = await createSandbox({ poolSize: 0 });
      expect(await sandbox.reserve({ pluginId: "x" as never, limits })).toMatchObject({
        allowed: false,
        code: "SANDBOX_OPTIONS",
      });
    },
  );

  it("gives no call more CPU time than its process is sure to have left", async () => {
    await using sandbox = await createSandbox({ poolSize: 0 });
    const reserve = (cpuMs: number) =>
      sandbox.reserve({ pluginId: "x" as never, limits: { cpuMs } });
    expect(await reserve(MAX_CALL_CPU_MS + 1)).toMatchObject({ code: "SANDBOX_OPTIONS" });
    const reserved = await reserve(MAX_CALL_CPU_MS);
    expect(reserved).toMatchObject({ allowed: true });
  });

  it("orders its levels from weakest to strongest", () => {
    expect(ISOLATION_LEVELS).toEqual(["none", "permission", "hardened", "strict"]);
  });
});

describe("errors", () => {
  it("has a documented entry for each code", async () => {
    const page = await readFile(
      new URL("../../../docs/errors/sandbox.md", import.meta.url),
      "utf8",
    );
    const documented = [...page.matchAll(/^## (\w+)$/gm)].map(([, code]) => code);
    expect(new Set(documented)).toEqual(new Set(Object.keys(SANDBOX_ERRORS)));
  });

  it("is recognised by its brand", () => {
    expect(new SandboxError("SANDBOX_TRAP")).toBeInstanceOf(SandboxError);
    expect(new Error("SANDBOX_TRAP")).not.toBeInstanceOf(SandboxError);
  });
});
