import { once } from "node:events";

import { locateKoffi } from "@glovebox/linux";
import { loadSystemCalls } from "@glovebox/linux/process";
import { beforeEach, describe, expect, test } from "vitest";

import { BACK_ENDS, notHere, runChild, spinBelowParent, unavailable } from "../child.ts";

describe.each(BACK_ENDS)("through %s, a process", (backEnd) => {
  beforeEach((context) => {
    const reason = unavailable(backEnd);
    if (reason !== undefined) context.skip(reason);
  });

  test("gives up privileges, files, descriptors and children for good", async () => {
    expect(await runChild("restrict", backEnd)).toEqual({
      backEnd,
      result: {
        noNewPrivileges: "1",
        limits: ["0,0", "0,0", "0,0", "0,0"],
        opening: "EMFILE",
      },
    });
  });

  test("ends with its parent, although it spins", async () => {
    const { parent, childPid } = await spinBelowParent(backEnd);
    // The child holds the pipe too: it closes when both are gone, and never if the child stays.
    const closed = once(parent, "close", { signal: AbortSignal.timeout(10_000) });
    parent.kill("SIGKILL");
    try {
      expect(await closed).toEqual([null, "SIGKILL"]);
    } catch (error) {
      process.kill(childPid, "SIGKILL");
      throw error;
    }
  });

  test("is killed at the end of its life, although it spins", async () => {
    await expect(runChild("life", backEnd)).rejects.toMatchObject({ signal: "SIGKILL" });
  });

  test("becomes nobody, and does not come back", async (context) => {
    if (process.getuid?.() !== 0) context.skip("needs root");
    const result = { user: 65_534, groups: [65_534], back: "EPERM" };
    expect(await runChild("nobody", backEnd)).toEqual({ backEnd, result });
  });

  test("is filtered: what fails fails, and what is forbidden ends it", async () => {
    await expect(runChild("filter", backEnd)).rejects.toMatchObject({
      signal: "SIGSYS",
      stdout: JSON.stringify({ refused: -1 }),
    });
  });

  test("notices that its parent is another than it expects", async () => {
    const result = "LINUX_PARENT_GONE";
    expect(await runChild("wrong-parent", backEnd)).toEqual({ backEnd, result });
  });

  test("does not go on when the kernel refuses", async () => {
    const result = "LINUX_CALL_FAILED";
    expect(await runChild("refusing-kernel", backEnd)).toEqual({ backEnd, result });
  });

  test("has its budget of data and no more, for linear memories and buffers", async () => {
    const unlimited = { smallGrow: true, largeGrow: true, smallBuffer: true, largeBuffer: true };
    expect(await runChild("no-data-limit", backEnd)).toEqual({ backEnd, result: unlimited });
    const limited = { ...unlimited, largeGrow: false, largeBuffer: false };
    expect(await runChild("data-limit", backEnd)).toEqual({ backEnd, result: limited });
  });
});

describe("loadSystemCalls", () => {
  test("answers undefined where there is no back end", async (context) => {
    if (notHere !== undefined) context.skip(notHere);
    expect(await runChild("restrict")).toEqual({ backEnd: null });
  });

  test("answers undefined on another system", (context) => {
    if (notHere === undefined) context.skip("needs a system that is not Linux");
    expect(loadSystemCalls(locateKoffi()?.entry)).toBeUndefined();
  });
});

test("locateKoffi names the program and the folders that it is read from", (context) => {
  const koffi = locateKoffi();
  if (koffi === undefined) {
    context.skip("koffi is not installed");
    return;
  }
  expect(koffi.readable).toHaveLength(3);
  expect(koffi.readable.some((folder) => koffi.entry.startsWith(folder))).toBe(true);
});
