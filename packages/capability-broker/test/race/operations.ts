/**
 * @module The operations that are raced for through the broker, each with the swap of its folder for
 * a link that leads outside.
 */
import * as fs from "node:fs";

import type { FilePort } from "@glovebox/core/ports";
import { callScope } from "@glovebox/testkit";

import { type FixtureEntry, buildTree } from "../file-tree.ts";
import { createLab, forgetfulLog } from "../lab.ts";
import {
  type RaceResult,
  type Raced,
  type Seen,
  type Swap,
  controlOf,
  expectedOf,
  isExpected,
  race,
  visible,
} from "./race.ts";

const FIXTURE: readonly FixtureEntry[] = [
  ...(["cache", "cache/d", "outside", "outside/dir", "input-evil", "inputx"] as const).map(
    (name): FixtureEntry => ["dir", name],
  ),
  ["file", "outside/secret.json", "SECRET"],
  // Everything that is tried is there outside too, and differs.
  ...(["a.txt", "from.txt", "only-outside.txt"] as const).map((name): FixtureEntry => [
    "file",
    `outside/dir/${name}`,
    "SECRET",
  ]),
  ["file", "cache/d/a.txt", "ok"],
  ["file", "cache/d/from.txt", "ok"],
];
const SWAP: Swap = { a: "cache/d", b: { kind: "symlink", target: "../outside/dir" } };

/** What is raced for, by name. */
export const RACED: Readonly<Record<string, Raced>> = {
  read: { op: "read", path: "cache/d/a.txt" },
  create: { op: "create", path: "cache/d/new.txt" },
  delete: { op: "delete", path: "cache/d/a.txt" },
  rename: { op: "rename", path: "cache/d/from.txt", to: "cache/d/to.txt" },
  list: { op: "list", path: "cache/d" },
};

/** Races a control that checks a path and then uses it, until it has escaped or `maxMs` are over. */
export function raceControl(name: string, maxMs: number): Promise<RaceResult> {
  return onTree(name, (top, raced) =>
    race(top, SWAP, raced, controlOf(top, raced, "cache"), ({ escapes }) => escapes > 0, maxMs),
  );
}

/** Races the broker: at least `tries`, and until both states were seen or `maxMs` are over. */
export function raceBroker(
  name: string,
  opener: "walk" | "openat2",
  tries: number,
  maxMs: number,
): Promise<RaceResult> {
  return onTree(name, async (top, raced) => {
    const root = { guest: "/data", host: `${top}/cache`, allowRead: true, allowWrite: true };
    await using lab = createLab({
      policy: { filesystem: { roots: [root] } },
      options: { fileWork: { opener }, log: forgetfulLog },
    });
    const files = lab.broker.files(lab.grant());
    const isEnough = ({ done, refused }: RaceResult): boolean =>
      done + refused >= tries && done > 0 && refused > 0;
    return await race(top, SWAP, raced, () => attempt(files, raced), isEnough, maxMs);
  });
}

async function onTree(
  name: string,
  run: (top: string, raced: Raced) => Promise<RaceResult>,
): Promise<RaceResult> {
  using tree = buildTree(FIXTURE);
  const raced = RACED[name];
  if (raced === undefined) throw new Error(`no race for ${name}`);
  const exists = fs.existsSync(`${tree.top}/${raced.path}`);
  const expected = exists ? expectedOf(tree.top, raced) : undefined;
  return await run(tree.top, expected === undefined ? raced : { ...raced, expected });
}

async function attempt(files: FilePort, raced: Raced): Promise<Seen> {
  const scope = callScope();
  const guest = (path = ""): string => path.replace("cache", "/data");
  const path = guest(raced.path);
  let said = "";
  switch (raced.op) {
    case "read":
    case "create": {
      const rights = raced.op === "read" ? (["read"] as const) : (["create", "write"] as const);
      const opened = await files.open(scope, path, new Set(rights), { exclusive: true });
      if (!opened.allowed) return "refused";
      await using handle = opened.value;
      if (raced.op === "read") said = Buffer.from(await handle.readAt(0, 1_024)).toString();
      break;
    }
    case "list": {
      const page = await files.list(scope, path, undefined, 100);
      if (!page.allowed) return "refused";
      said = visible(page.value.entries.map(({ name }) => name));
      break;
    }
    default: {
      const done =
        raced.op === "delete"
          ? await files.remove(scope, path)
          : await files.rename(scope, path, guest(raced.to));
      if (!done.allowed) return "refused";
    }
  }
  return isExpected(raced, said) ? "done" : "escaped";
}
