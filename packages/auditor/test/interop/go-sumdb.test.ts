/**
 * Go's golang.org/x/mod/sumdb (tlog and note), written by others and used for every Go module, verifies
 * our tiles and checkpoints. It comes from Debian (golang-go, golang-golang-x-mod-dev), which .ci/run
 * installs; elsewhere these tests are skipped, and say so.
 */
import { execFileSync, spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

import { afterAll, beforeAll, describe, expect, test } from "vitest";

import { type LogDirectory, logDirectory, SIGNER } from "../fixture.ts";

const GOCODE = "/usr/share/gocode";
const SOURCE = fileURLToPath(new URL("verify-log.go", import.meta.url));
const SIZES = [0, 1, 255, 256, 257, 511, 512, 65_535, 65_536, 65_537, 70_000];
const hasGo =
  existsSync(join(GOCODE, "src/golang.org/x/mod/sumdb/tlog")) &&
  spawnSync("go", ["version"]).status === 0;

describe.skipIf(!hasGo)(
  "Go's sumdb (skipped without Debian's golang-go and golang-golang-x-mod-dev)",
  () => {
    let folder: string;
    let directory: LogDirectory;
    let binary: string;

    beforeAll(async () => {
      folder = await mkdtemp(join(tmpdir(), "glovebox-go-"));
      binary = join(folder, "verify-log");
      const env = {
        ...process.env,
        GO111MODULE: "off",
        GOPATH: GOCODE,
        GOCACHE: join(folder, "cache"),
        GOFLAGS: "",
      };
      execFileSync("go", ["build", "-o", binary, SOURCE], { env, stdio: "pipe" });
      directory = await logDirectory();
    }, 120_000);
    afterAll(async () => {
      await directory[Symbol.asyncDispose]();
      await rm(folder, { recursive: true });
    });

    function verify(...more: readonly string[]): string {
      const { stdout, stderr } = spawnSync(binary, [directory.path, SIGNER.vkey, ...more], {
        encoding: "utf8",
      });
      return stdout.trim() || stderr.trim();
    }

    test(
      "agrees with our tiles and checkpoints at each size, and that one continues the other",
      { timeout: 120_000 },
      async () => {
        const log = await directory.openLog();
        const old = join(folder, "old");
        let size = 0;
        for (const wanted of SIZES) {
          for (; size < wanted; size += 1) await log.append(size % 3 === 0 ? "" : `entry ${size}`);
          await log.seal();
          expect(verify(...(wanted === 0 ? [] : [old]))).toBe(`ok ${wanted}`);
          await writeFile(old, log.checkpoint());
        }
        await log.close();
      },
    );

    test("refuses what we refuse: a changed entry, a changed tile, a changed checkpoint", async () => {
      for (const name of ["tile/entries/003", "tile/1/000", "checkpoint"]) {
        const path = directory.file(name);
        const bytes = await readFile(path);
        const changed = Buffer.from(bytes);
        changed[40] = (changed[40] ?? 0) ^ 1;
        await rm(path);
        await writeFile(path, changed, { mode: 0o600 });
        expect(`${name}: ${verify()}`).not.toMatch(/: ok/);
        await writeFile(path, bytes);
        expect(verify()).toBe("ok 70000");
      }
    });
  },
);
