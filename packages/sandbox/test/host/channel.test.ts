import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { connect, createServer, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { expect, it, onTestFinished } from "vitest";

import { Channel } from "../../src/host/channel.ts";
import { FrameReader } from "../../src/protocol/frame-reader.ts";
import { FRAME, HEADER_BYTES } from "../../src/protocol/frame-table.ts";

const MIB = 1024 * 1024;
const RECEIVES_NOTHING = {
  acceptsBytes: () => undefined,
  onMessage: () => false,
  onViolation: () => undefined,
};

/** A channel, and its other end, which is not read yet. */
async function openChannel(): Promise<{ channel: Channel; socket: Socket; far: Socket }> {
  const folder = await mkdtemp(join(tmpdir(), "glovebox-channel-"));
  const server = createServer({ pauseOnConnect: true });
  server.listen(join(folder, "s"));
  await once(server, "listening");
  const accepted = once(server, "connection");
  const channel = new Channel(
    RECEIVES_NOTHING,
    () => undefined,
    () => undefined,
  );
  const socket = connect({ path: join(folder, "s"), onread: channel.onread });
  channel.attach(socket);
  const [far] = (await accepted) as [Socket];
  onTestFinished(async () => {
    channel.destroy();
    far.destroy();
    server.close();
    await rm(folder, { recursive: true });
  });
  return { channel, socket, far };
}

it("hands a large message to the socket frame by frame, and lets nothing come between", async () => {
  const { channel, socket, far } = await openChannel();
  const large = new Uint8Array(5 * MIB + 7).map((_, at) => at % 251);
  const small = Uint8Array.of(1, 2, 3);

  channel.send(FRAME.LOAD, 7, 1, large);
  channel.send(FRAME.LOAD, 8, 2, small);
  channel.send(FRAME.LOAD, 9, 3, large.subarray(0, 2 * MIB));
  expect(channel.congested).toBe(true);
  expect(socket.writableLength).toBeLessThanOrEqual(MIB + HEADER_BYTES);

  const received: { argument: number; payload: Uint8Array }[] = [];
  const all = Promise.withResolvers<void>();
  const reader = new FrameReader({
    acceptsBytes: () => 6 * MIB,
    onMessage({ argument }, payload) {
      received.push({ argument, payload });
      if (received.length === 3) all.resolve();
      return true;
    },
    onViolation: ({ problem }) => all.reject(new Error(problem)),
  });
  far.on("data", (bytes: Buffer) => {
    expect(socket.writableLength).toBeLessThanOrEqual(MIB + HEADER_BYTES);
    reader.accept(new Uint8Array(bytes), bytes.length);
  });
  far.resume();
  await all.promise;
  expect(received.map(({ argument }) => argument)).toEqual([7, 8, 9]);
  expect(Buffer.compare(received[0]?.payload ?? small, large)).toBe(0);
  expect(received[1]?.payload).toEqual(small);
  expect(received[2]?.payload.length).toBe(2 * MIB);
});
