/**
 * @module A scanner's look at whole files: at what was written aside before it is published, and at
 * a file that is about to get another name (threat: split-secret).
 */
import { fileError } from "../disk/condition.ts";
import type { FileOperation, FileOperations } from "../disk/protocol.ts";
import type { Inspected, Transform } from "../inspection/transform.ts";
import { INSPECTED_CHUNK_BYTES } from "../limits.ts";

/** Has work done on the file's worker. */
export type RunOnLane = <Op extends FileOperation>(
  op: Op,
  request: FileOperations[Op]["request"],
) => Promise<FileOperations[Op]["answer"]>;

/**
 * Publishes what the scanner releases of a file that was written aside.
 *
 * @throws {@link BrokerError} (`BROKER_FILE_BLOCKED`); nothing is published then.
 */
export async function publishInspected(
  run: RunOnLane,
  handle: number,
  transform: Transform | undefined,
): Promise<void> {
  if (transform === undefined) return run("publish", { handle });
  const released = await run("substitute", { handle });
  try {
    let at = 0;
    await inspect(run, handle, transform, async (bytes) => {
      if (bytes.length === 0) return;
      await run("writeAt", { handle: released, offset: at, bytes: new Uint8Array(bytes) });
      at += bytes.length;
    });
    await run("publish", { handle: released });
  } finally {
    await run("close", { handle: released });
  }
}

/**
 * Looks at a file that gets another name: what the scanner would not publish as it is may not have it.
 *
 * @throws {@link BrokerError} (`BROKER_FILE_BLOCKED`)
 */
export async function assertUnchanged(
  run: RunOnLane,
  handle: number,
  transform: Transform,
): Promise<void> {
  const pushed: Buffer[] = [];
  let isSame = true;
  // Held-back bytes come later: what was pushed is kept until as much was released.
  await inspect(
    run,
    handle,
    transform,
    async (bytes) => {
      let left = Buffer.from(bytes);
      while (left.length > 0 && isSame) {
        const expected = pushed[0];
        const size = Math.min(left.length, expected?.length ?? 0);
        isSame =
          expected !== undefined && left.subarray(0, size).equals(expected.subarray(0, size));
        if (expected?.length === size) pushed.shift();
        else if (expected !== undefined) pushed[0] = expected.subarray(size);
        left = left.subarray(size);
      }
    },
    (chunk) => pushed.push(Buffer.from(chunk)),
  );
  if (!isSame || pushed.length > 0)
    throw fileError("BROKER_FILE_BLOCKED", "the scanner would change the file under its new name");
}

async function inspect(
  run: RunOnLane,
  handle: number,
  transform: Transform,
  release: (bytes: Uint8Array) => Promise<void>,
  onChunk: (chunk: Uint8Array) => void = () => undefined,
): Promise<void> {
  for (let offset = 0; ;) {
    const chunk = await run("readAt", { handle, offset, max: INSPECTED_CHUNK_BYTES });
    if (chunk.length === 0) break;
    offset += chunk.length;
    onChunk(chunk);
    await release(passed(transform.push(chunk)));
  }
  await release(passed(transform.end()));
}

function passed({ release, block }: Inspected): Uint8Array {
  if (block === undefined) return release;
  throw fileError("BROKER_FILE_BLOCKED", `${block.rule}: ${block.reason}`);
}
