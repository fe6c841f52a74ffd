import { once } from "node:events";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

import { verifyAuditLog } from "@glovebox/auditor";
import { pinoTransport } from "@glovebox/auditor/pino-transport";
import { pino } from "pino";
import { describe, expect, test } from "vitest";
import "@glovebox/testkit/matchers";

import { eventsOf, kindsOf, type LogDirectory, logDirectory } from "../fixture.ts";

const TARGET = fileURLToPath(new URL("../../src/pino-transport/index.ts", import.meta.url));

/** The log that the transport keeps. */
function operations({ root }: LogDirectory): { readonly path: string } {
  return { path: join(root, "operations") };
}

async function logged(directory: LogDirectory): Promise<readonly unknown[]> {
  return (await eventsOf(operations(directory)))
    .filter(({ kind }) => kind === "log")
    .map(({ details }) => details);
}

async function writeLines(directory: LogDirectory, lines: readonly string[]): Promise<void> {
  const stream = await pinoTransport({ directory: directory.root });
  for (const line of lines) stream.write(`${line}\n`);
  const closed = once(stream, "close");
  stream.end();
  await closed;
}

describe("the pino transport", () => {
  test("keeps the lines of a logger, and closes the log with the stream", async () => {
    await using directory = await logDirectory();
    const stream = await pinoTransport({ directory: directory.root, origin: "host/operations" });
    const logger = pino({ base: null }, stream);
    logger.info({ plugin: "rate-table" }, "loaded");
    logger.warn("slow\n{}");
    const closed = once(stream, "close");
    stream.end();
    await closed;
    expect(await logged(directory)).toMatchObject([
      { line: { level: 30, msg: "loaded", plugin: "rate-table" } },
      { line: { level: 40, msg: "slow\n{}" } },
    ]);
    expect(await kindsOf(operations(directory))).toEqual(["opened", "log", "log", "closed"]);
    expect(await verifyAuditLog(join(directory.root, "operations"))).toMatchObject({
      ok: true,
      size: 4,
    });
  });

  test("runs in the worker thread that pino starts for it", async () => {
    await using directory = await logDirectory();
    const transport = pino.transport({
      target: TARGET,
      options: { directory: directory.root },
      worker: { execArgv: ["--conditions=@glovebox/source"] },
    });
    const logger = pino(transport);
    for (let n = 0; n < 100; n += 1) logger.info({ n }, "event");
    const closed = once(transport, "close");
    transport.end();
    await closed;
    const lines = (await logged(directory)) as readonly { readonly line: { readonly n: number } }[];
    expect(lines.map(({ line }) => line.n)).toEqual(Array.from({ length: 100 }, (_, n) => n));
    expect((await kindsOf(operations(directory))).at(-1)).toBe("closed");
  });

  test("keeps as text what is no JSON that can be trusted, and as a digest what is too large", async () => {
    await using directory = await logDirectory();
    const lines = [
      "not JSON",
      '{"__proto__":1}',
      '{"a":1,"a":2}',
      `{"msg":"${"x".repeat(70_000)}"}`,
    ];
    await writeLines(directory, lines);
    expect(await logged(directory)).toEqual([
      { text: "not JSON" },
      { text: '{"__proto__":1}' },
      { text: '{"a":1,"a":2}' },
      { bytes: 70_010, sha256: expect.stringMatching(/^[0-9a-f]{64}$/) as string },
    ]);
  });

  test("holds the stream back instead of losing lines when the queue is full", async () => {
    await using directory = await logDirectory();
    const msg = "x".repeat(60_000);
    await writeLines(
      directory,
      Array.from({ length: 520 }, (_, n) => JSON.stringify({ n, msg })),
    );
    expect(await logged(directory)).toHaveLength(520);
  });

  test("tells pino why it ended, and lets go of the directory", async () => {
    await using directory = await logDirectory();
    const stream = await pinoTransport({ directory: directory.root });
    const failed = once(stream, "error");
    stream.destroy(new Error("the thread is going down"));
    expect(await failed).toMatchObject([{ message: "the thread is going down" }]);
    expect(await kindsOf(operations(directory))).toEqual(["opened", "closed"]);
  });

  test("cannot share the directory of an open audit log", async () => {
    await using directory = await logDirectory();
    await using _auditor = await directory.open();
    await expect(pinoTransport({ directory: directory.root })).rejects.toThrowCode(
      "AUDITOR_LOCKED",
    );
  });
});
