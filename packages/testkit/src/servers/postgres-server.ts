/**
 * @module A PostgreSQL server of its own for a test, on a socket in a temporary directory. It does not
 * run as root, so that as root it is started as the user that Debian's package makes, or as nobody.
 */
import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { chownSync, existsSync, globSync, readFileSync, rmSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";

const START_POLL_MS = 20;

/** Directory of `initdb` and `postgres`; `undefined` where PostgreSQL is not installed. */
export const POSTGRES_BIN: string | undefined = findBinaries();

/** A server that can end and come back with what it holds. */
export interface PostgresServer extends AsyncDisposable {
  /** What `pg` connects with. */
  readonly connection: { readonly host: string; readonly user: string; readonly database: string };
  /** The same as a connection string. */
  readonly url: string;
  /** Ends it at once, as a crash does: connections break, and it recovers when it starts. */
  stop(): Promise<void>;
  /** Starts it again; resolves when it listens. */
  start(): Promise<void>;
}

/** Starts a server with binaries from `bin`, and an empty database. */
export async function startPostgresServer(bin: string): Promise<PostgresServer> {
  const directory = await mkdtemp(join(tmpdir(), "gbx-pg-"));
  const user = process.getuid?.() === 0 ? unprivileged() : {};
  if (user.uid !== undefined && user.gid !== undefined) chownSync(directory, user.uid, user.gid);
  const data = join(directory, "data");
  const options = { ...user, cwd: directory, stdio: "ignore" } as const;
  const init = ["-D", data, "-A", "trust", "-U", "glovebox", "-E", "UTF8"];
  execFileSync(join(bin, "initdb"), [...init, "--no-sync", "--no-locale"], options);
  let stop = async (): Promise<void> => undefined;

  async function start(): Promise<void> {
    // The status on the last line of its file: "starting", and then "ready".
    const status = join(data, "postmaster.pid");
    // A server that crashed has left it.
    rmSync(status, { force: true });
    const settings = ["-c", "listen_addresses=", "-c", "fsync=off", "-k", directory];
    const server = spawn(join(bin, "postgres"), ["-D", data, ...settings], options);
    const ended = once(server, "exit");
    stop = async () => {
      server.kill("SIGQUIT");
      await ended;
    };
    while (!existsSync(status) || !readFileSync(status, "latin1").includes("ready")) {
      const soon = new Promise((resolve) => setTimeout(resolve, START_POLL_MS));
      await Promise.race([soon, ended.then(fail)]);
    }
  }

  await start();
  return {
    connection: { host: directory, user: "glovebox", database: "postgres" },
    url: `postgres://glovebox@localhost/postgres?host=${encodeURIComponent(directory)}`,
    stop: () => stop(),
    start,
    async [Symbol.asyncDispose]() {
      await stop();
      await rm(directory, { recursive: true, force: true });
    },
  };
}

function fail(): never {
  throw new Error("postgres ended before it listened");
}

function unprivileged(): { uid?: number; gid?: number } {
  const id = (flag: string): number =>
    Number(
      execFileSync("sh", ["-c", `id ${flag} postgres 2>/dev/null || id ${flag} nobody`], {
        encoding: "utf8",
      }),
    );
  return { uid: id("-u"), gid: id("-g") };
}

function findBinaries(): string | undefined {
  const path = (process.env["PATH"] ?? "").split(":").map((folder) => join(folder, "initdb"));
  const found = [...globSync("/usr/lib/postgresql/*/bin/initdb"), ...path].find((file) =>
    existsSync(file),
  );
  return found === undefined ? undefined : dirname(found);
}
