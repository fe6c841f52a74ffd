/** Where a plugin trapped reaches the operator's log, in the terms of the module that its author wrote. */
import type { PluginId } from "@glovebox/core/ids";
import { assembleWat } from "@glovebox/testkit";
import { expect, test } from "vitest";

import type { Generation } from "../../src/plugin/plugin.ts";
import { createTrapDesk } from "../../src/response/trap-desk.ts";
import { ECHO, flatPlugin, openRuntime } from "../open-runtime.ts";

const UNREACHABLE = 0x00;
const END = 0x0b;

/** A logger that keeps what it is warned of. */
function keepingLogger() {
  const warned: { readonly details: Readonly<Record<string, unknown>>; readonly text: string }[] =
    [];
  const none = (): void => undefined;
  const warn = (details: object, text: string): void =>
    void warned.push({ details: { ...details }, text });
  return { warned, logger: { debug: none, info: none, warn, error: none } };
}

test("a trap is logged with function and offset in the original module", async () => {
  const { warned, logger } = keepingLogger();
  await using host = await openRuntime({ deps: { logger } });
  const text = flatPlugin(
    {
      run: `(local $i i32) (loop $again (local.set $i (i32.add (local.get $i) (i32.const 1)))
        (br_if $again (i32.lt_u (local.get $i) (local.get $length))))
        (call $inner (local.get $i)) (local.get $at) (i32.const 0)`,
      fine: ECHO,
    },
    "(func $inner (param i32) (if (local.get 0) (then unreachable)))",
  );
  await host.load({ id: "traps", wasm: text });
  expect(await host.call("traps", "run", "abc")).toBe("SANDBOX_TRAP");
  expect(await host.call("traps", "run", "abcd")).toBe("SANDBOX_TRAP");
  const isTrap = ({ text: line }: { readonly text: string }): boolean =>
    line === "a plugin trapped";
  await expect.poll(() => warned.filter(isTrap), { timeout: 20_000 }).toHaveLength(1);
  const details = warned.find(isTrap)?.details ?? {};
  expect(details).toMatchObject({ plugin: "traps", function: "run" });
  const frames = details["frames"] as readonly { function: number; offset: number }[];
  const bytes = await assembleWat(text);
  const at = frames[0]?.offset ?? 0;
  expect([bytes[at], bytes[at + 1]]).toEqual([UNREACHABLE, END]);
  expect(frames.length).toBeGreaterThanOrEqual(2);
});

test("a plugin that traps everywhere has its module metered again a few times only", async () => {
  const { warned, logger } = keepingLogger();
  const work: Promise<void>[] = [];
  let asked = 0;
  const modules = {
    async locate() {
      asked += 1;
      return { allowed: true, rule: "test", value: [] } as const;
    },
  };
  const desk = createTrapDesk({ modules, logger, background: (one) => void work.push(one) });
  const generation = { manifest: { modules: [{}] } } as unknown as Generation;
  const note = (offset: number, code = "SANDBOX_TRAP"): void =>
    desk.note("traps" as PluginId, generation, "run", {
      code,
      message: "unreachable",
      publicMessage: "",
      details: { frames: [{ function: 1, offset }] },
    });
  note(1, "SANDBOX_CPU_LIMIT");
  expect(asked).toBe(0);
  for (let offset = 1; offset <= 100; offset++) {
    note(offset);
    note(offset);
  }
  await Promise.all(work);
  expect(asked).toBe(8);
  expect(warned).toHaveLength(8);
});
