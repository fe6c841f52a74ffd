/**
 * @module The network cases once more with real dials: a network namespace holds the addresses of
 * the cases on its loopback interface, private and public ones alike, and the broker's own dial
 * reaches them. An address that must not be dialled is there and answers, so an escape would succeed.
 *
 *   unshare --net node --conditions=@glovebox/source scripts/network-namespace.ts
 *
 * Needs root and iproute2; .ci/run says so where they are missing.
 */
import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { isIP } from "node:net";
import { join } from "node:path";

const CASES = join(import.meta.dirname, "../packages/capability-broker/test/cases/network.json");

/** Every address that the file names, in answers and in URLs. */
function addressesOf(text: string): readonly string[] {
  const words = text.match(/[0-9a-fA-F:.]{3,45}/g) ?? [];
  return [...new Set(words.filter((word) => isIP(word) !== 0))];
}

if (spawnSync("ip", ["link", "set", "lo", "up"]).status !== 0) {
  process.stderr.write("the loopback interface of the namespace could not be set up\n");
  process.exit(1);
}
const added = addressesOf(readFileSync(CASES, "utf8")).filter((address) => {
  const prefix = isIP(address) === 6 ? 128 : 32;
  // Some are no unicast addresses, which no interface can have.
  return spawnSync("ip", ["address", "add", `${address}/${prefix}`, "dev", "lo"]).status === 0;
});
process.stdout.write(`${added.length} addresses are on lo\n`);
const { status } = spawnSync(
  process.execPath,
  [
    "--conditions=@glovebox/source",
    "--no-warnings",
    join(import.meta.dirname, "cases.ts"),
    "network",
  ],
  { stdio: "inherit", env: { ...process.env, GLOVEBOX_REAL_DIALS: "1" } },
);
process.exit(status ?? 1);
