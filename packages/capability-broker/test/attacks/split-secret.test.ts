import * as fs from "node:fs";

import type { Inspection, SpawnFileWorker, Transform } from "@glovebox/capability-broker";
import type { FilePort } from "@glovebox/core/ports";
import { callScope } from "@glovebox/testkit";
import { expect, test } from "vitest";

import { spawnFileWorker } from "../../src/filesystem/file-crew.ts";
import { HostFolder, bytes, readText, rights, writeText } from "../host-folder.ts";
import { codeOf, rejectionOf, valueOf } from "../lab.ts";

// A pattern past the scanner: split, under another name, through a second name, without a close.
const KEY = "KEY-123456";

/** Holds back what may be the beginning of the key; blocks it in .json, masks it in .txt. */
function scanner(path: string): Transform | undefined {
  if (!/\.(?:json|txt)$/.test(path)) return undefined;
  let held = "";
  const step = (isEnd: boolean): ReturnType<Transform["end"]> => {
    if (held.includes(KEY) && path.endsWith(".json")) {
      return { release: new Uint8Array(), block: { rule: "test.key", reason: "a key" } };
    }
    const text = held.replaceAll(KEY, "*".repeat(KEY.length));
    const keep = isEnd ? 0 : Math.min(KEY.length - 1, text.length);
    held = text.slice(text.length - keep);
    return { release: bytes(text.slice(0, text.length - keep)) };
  };
  return {
    push(chunk) {
      held += Buffer.from(chunk).toString("latin1");
      return step(false);
    },
    end: () => step(true),
  };
}
const inspection: Inspection = { file: (_scope, path) => scanner(path) };

async function scanned(run: (files: FilePort, host: HostFolder) => Promise<void>): Promise<void> {
  await using host = new HostFolder();
  await run(host.files({}, { options: { inspection } }), host);
  expect(
    host
      .names("in")
      .filter((name) => name.endsWith(".json"))
      .map((name) => host.read(`in/${name}`))
      .join(),
  ).not.toContain(KEY);
}

test("a key split over two writes or two appends is not published", () =>
  scanned(async (files, host) => {
    expect(await rejectionOf(writeText(files, "/data/a.json", "KEY-1", "23456"))).toBe(
      "BROKER_FILE_BLOCKED",
    );
    expect(host.names("in").filter((name) => name !== ".glovebox-tmp")).toEqual([]);
    await writeText(files, "/data/b.json", "KEY-1");
    const appender = valueOf(await files.open(callScope(), "/data/b.json", rights("append")));
    await appender.writeAt(5, bytes("23456"));
    expect(await readText(files, "/data/b.json")).toBe("KEY-1");
    expect(await rejectionOf(appender.close())).toBe("BROKER_FILE_BLOCKED");
    expect(host.read("in/b.json")).toBe("KEY-1");
  }));

test("a key written under a free name gets no other by rename or link", () =>
  scanned(async (files, host) => {
    await writeText(files, "/data/a.bin", KEY);
    expect(codeOf(await files.rename(callScope(), "/data/a.bin", "/data/a.json"))).toBe(
      "BROKER_FILE_BLOCKED",
    );
    expect(codeOf(await files.link(callScope(), "/data/a.bin", "/data/a.json"))).toBe(
      "BROKER_FILE_BLOCKED",
    );
    // What would be masked there may not slip in unmasked either.
    expect(codeOf(await files.rename(callScope(), "/data/a.bin", "/data/a.txt"))).toBe(
      "BROKER_FILE_BLOCKED",
    );
    expect(codeOf(await files.rename(callScope(), "/data/a.bin", "/data/b.bin"))).toBe("allowed");
    expect(host.read("in/b.bin")).toBe(KEY);
  }));

test("a handle that was open before a rename cannot write into the new name", () =>
  scanned(async (files, host) => {
    await writeText(files, "/data/a.bin", "free");
    const handle = valueOf(await files.open(callScope(), "/data/a.bin", rights("write")));
    expect(codeOf(await files.rename(callScope(), "/data/a.bin", "/data/a.json"))).toBe("allowed");
    await handle.writeAt(0, bytes(KEY));
    await handle.close();
    expect(host.read("in/a.json")).toBe("free");
  }));

test("a handle that is only disposed of is looked at too, and what is masked is published masked", () =>
  scanned(async (files, host) => {
    {
      await using handle = valueOf(
        await files.open(callScope(), "/data/a.txt", rights("create", "write")),
      );
      await handle.writeAt(0, bytes(`say ${KEY} twice ${KEY}`));
    }
    expect(host.read("in/a.txt")).toBe("say ********** twice **********");
    const big = `${"x".repeat(65_530)}${KEY}${"y".repeat(70_000)}`;
    await writeText(files, "/data/b.txt", big);
    expect(host.read("in/b.txt")).toBe(big.replace(KEY, "**********"));
  }));

test.each(["rename", "link"] as const)(
  "a key put in place of a link after the scanner saw the link gets no other name by %s",
  async (op) => {
    await using host = new HostFolder();
    const swapping: SpawnFileWorker = (setup) => {
      const worker = spawnFileWorker(setup);
      const post = worker.postMessage.bind(worker);
      worker.postMessage = (message: { readonly op: string }, ...rest) => {
        if (message.op === op) fs.renameSync(host.path("in/key.bin"), host.path("in/a.bin"));
        post(message, ...rest);
      };
      return worker;
    };
    const deps = { spawnFileWorker: swapping };
    const files = host.files({}, { options: { inspection }, deps });
    host.write("in/key.bin", KEY);
    fs.symlinkSync("free.txt", host.path("in/a.bin"));
    expect(codeOf(await files[op](callScope(), "/data/a.bin", "/data/b.json"))).toBe(
      "BROKER_FILE_BUSY",
    );
    expect(host.names("in")).toEqual(["a.bin"]);
    expect(host.read("in/a.bin")).toBe(KEY);
  },
);
