/**
 * A PostgreSQL server of its own for a test, on a socket in a temporary directory. It does not run
 * as root, so that as root it is started as the user that Debian's package makes, or as nobody.
 */
import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { chownSync, existsSync, globSync, readFileSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";

/** Directory of `initdb` and `postgres`; `undefined` where PostgreSQL is not installed. */
export const POSTGRES_BIN: string | undefined = findBinaries();

export interface PostgresServer extends AsyncDisposable {
  /** What `pg` connects with. */
  readonly connection: { readonly host: string; readonly user: string; readonly database: string };
}

export async function postgresServer(bin: string): Promise<PostgresServer> {
  const directory = await mkdtemp(join(tmpdir(), "gbx-pg-"));
  const user = process.getuid?.() === 0 ? unprivileged() : {};
  if (user.uid !== undefined && user.gid !== undefined) chownSync(directory, user.uid, user.gid);
  const data = join(directory, "data");
  const options = { ...user, cwd: directory, stdio: "ignore" } as const;
  const init = [
    "-D",
    data,
    "-A",
    "trust",
    "-U",
    "glovebox",
    "-E",
    "UTF8",
    "--no-sync",
    "--no-locale",
  ];
  execFileSync(join(bin, "initdb"), init, options);
  const settings = ["-c", "listen_addresses=", "-c", "fsync=off", "-k", directory];
  const server = spawn(join(bin, "postgres"), ["-D", data, ...settings], options);
  const ended = once(server, "exit");
  // The status on the last line of its file: "starting", and then "ready".
  const status = join(data, "postmaster.pid");
  while (!existsSync(status) || !readFileSync(status, "latin1").includes("ready")) {
    await Promise.race([new Promise((resolve) => setTimeout(resolve, 20)), ended.then(fail)]);
  }
  return {
    connection: { host: directory, user: "glovebox", database: "postgres" },
    async [Symbol.asyncDispose]() {
      server.kill("SIGQUIT");
      await ended;
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
