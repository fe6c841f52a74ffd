/** Where a plugin trapped reaches the operator's log, in the terms of the module that its author wrote. */
import { setImmediate as nextTurn } from "node:timers/promises";

import { allow, type Decision, type Refusal, refuse } from "@glovebox/core/decision";
import type { PluginId } from "@glovebox/core/ids";
import { assembleWat } from "@glovebox/testkit";
import { expect, test } from "vitest";

import type { Generation } from "../../src/plugin/plugin.ts";
import { createTrapDesk } from "../../src/response/trap-desk.ts";
import { ECHO, flatPlugin, openRuntime } from "../open-runtime.ts";

const UNREACHABLE = 0x00;
const END = 0x0b;
const SOON = { timeout: 10_000 };

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

/** A desk, and what it has asked for, which is answered by hand. */
function heldDesk(stopped: () => Refusal | undefined = () => undefined) {
  const { warned, logger } = keepingLogger();
  const answers: (() => void)[] = [];
  const modules = {
    locate: () =>
      new Promise<Decision<readonly []>>((resolve) =>
        answers.push(() => resolve(allow("test", []))),
      ),
  };
  const desk = createTrapDesk({ modules, logger, stopped });
  const newGeneration = () => ({ manifest: { modules: [{}] } }) as unknown as Generation;
  const note = (generation: Generation, offset: number, code = "SANDBOX_TRAP"): void =>
    desk.note("traps" as PluginId, generation, "run", {
      code,
      message: "unreachable",
      publicMessage: "",
      details: { frames: [{ function: 1, offset }] },
    });
  return { warned, answers, newGeneration, note };
}

test("a plugin that traps everywhere has its module metered again a few times only", async () => {
  const { warned, answers, newGeneration, note } = heldDesk();
  const generation = newGeneration();
  note(generation, 1, "SANDBOX_CPU_LIMIT");
  for (let offset = 1; offset <= 100; offset++) {
    note(generation, offset);
    note(generation, offset);
  }
  for (let one = 1; one <= 8; one++) {
    await expect.poll(() => answers.length, SOON).toBe(one);
    answers.at(-1)?.();
  }
  await expect.poll(() => warned.length, SOON).toBe(8);
  await nextTurn();
  expect(answers).toHaveLength(8);
});

test("many plugins that trap take one thread of those that load modules, and keep few packages", async () => {
  const { warned, answers, newGeneration, note } = heldDesk();
  for (let plugin = 0; plugin < 100; plugin++) note(newGeneration(), 1);
  await nextTurn();
  expect(answers).toHaveLength(1);
  while (warned.length < 16) {
    answers.at(-1)?.();
    await nextTurn();
  }
  await nextTurn();
  expect([answers.length, warned.length]).toEqual([16, 16]);
  // There is room again.
  note(newGeneration(), 1);
  await expect.poll(() => answers.length, SOON).toBe(17);
});

test("once the host is closing no place is looked up any more", async () => {
  let stop: Refusal | undefined;
  const { warned, answers, newGeneration, note } = heldDesk(() => stop);
  for (let offset = 1; offset <= 8; offset++) note(newGeneration(), offset);
  await nextTurn();
  stop = refuse("RUNTIME_SHUT_DOWN", "test", "closing");
  answers[0]?.();
  await expect.poll(() => warned.length, SOON).toBe(1);
  await nextTurn();
  expect(answers).toHaveLength(1);
});
