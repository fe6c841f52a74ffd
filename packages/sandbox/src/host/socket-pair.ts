/**
 * @module Connected socket pairs with documented API only: the host connects to a socket of its own
 * in a folder that nobody else can enter, and gives the accepted end to a runner. Twice as fast as a
 * pipe, because the host reads into memory that it chose (`onread`).
 */
import { closeSync, mkdtempSync, openSync, rmSync } from "node:fs";
import { connect, createServer, type OnReadOpts, type Server, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { SandboxError } from "../errors.ts";
import { MAX_SOCKET_PATH_BYTES } from "../limits.ts";

/** Two ends of one connection. */
export interface SocketPair {
  readonly hostEnd: Socket;
  readonly runnerEnd: Socket;
}

/** Makes pairs until it is closed. */
export interface SocketPairFactory {
  create(onread: OnReadOpts): Promise<SocketPair>;
  close(): Promise<void>;
}

/** Opens the factory; its socket lives in a new folder of mode 0700 below the temporary folder. */
export async function openSocketPairFactory(): Promise<SocketPairFactory> {
  const folder = mkdtempSync(join(tmpdir(), "glovebox-"));
  const { path, release } = shortPath(folder);
  const accepted: ((socket: Socket) => void)[] = [];
  const server = createServer({ pauseOnConnect: true }, (socket) => {
    const take = accepted.shift();
    if (take === undefined) socket.destroy();
    else take(socket);
  });
  const removeFolder = (): void => rmSync(folder, { recursive: true, force: true });
  process.once("exit", removeFolder);
  await listen(server, path);
  server.unref();

  // One at a time, so that the accepted end is the other end of the one that was just connected.
  let last: Promise<unknown> = Promise.resolve();
  const connectOne = async (onread: OnReadOpts): Promise<SocketPair> => {
    const { promise, resolve, reject } = Promise.withResolvers<Socket>();
    accepted.push(resolve);
    const hostEnd = connect({ path, onread });
    hostEnd.once("error", reject);
    const runnerEnd = await promise;
    hostEnd.off("error", reject);
    return { hostEnd, runnerEnd };
  };
  return {
    create(onread) {
      const pair = last.then(() => connectOne(onread));
      last = pair.catch(() => undefined);
      return pair;
    },
    async close() {
      process.off("exit", removeFolder);
      await new Promise((resolve) => server.close(resolve));
      release();
      removeFolder();
    },
  };
}

/** A path that fits into a socket address, whatever TMPDIR is: through an open folder where needed. */
function shortPath(folder: string): { path: string; release: () => void } {
  const path = join(folder, "s");
  if (Buffer.byteLength(path) <= MAX_SOCKET_PATH_BYTES) return { path, release: () => undefined };
  if (process.platform !== "linux") {
    throw new SandboxError("SANDBOX_BOOT_FAILED", {
      message: `the temporary folder's path is too long for a socket: set TMPDIR to at most ${MAX_SOCKET_PATH_BYTES - 20} bytes`,
    });
  }
  const descriptor = openSync(folder, "r");
  return { path: `/proc/self/fd/${descriptor}/s`, release: () => closeSync(descriptor) };
}

function listen(server: Server, path: string): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once("error", reject);
    server.listen(path, () => {
      server.off("error", reject);
      resolve();
    });
  });
}
