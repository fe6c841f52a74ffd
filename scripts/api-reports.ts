/**
 * @module The public API of every door as a committed report (packages/<name>/etc/<door>.api.md),
 * made by API Extractor from the emitted declarations. A changed API exits 1, so that it is seen in
 * review and gets a changeset; `--update` rewrites the reports.
 *
 *   npm run check:api [-- --update] [PACKAGE]...
 */
import { existsSync, mkdirSync, readFileSync } from "node:fs";
import { join, relative } from "node:path";
import { parseArgs } from "node:util";

import {
  Extractor,
  ExtractorConfig,
  ExtractorLogLevel,
  type ExtractorMessage,
  type IConfigFile,
} from "@microsoft/api-extractor";

import { publishedPackages, ROOT, type Door, type PublishedPackage } from "./published.ts";

/** Interfaces whose every field is documented with unit and default. */
const WRITTEN_BY_HAND = /(?:Options|Policy|Config|Limits)$/;

const { values, positionals } = parseArgs({
  options: { update: { type: "boolean", default: false } },
  allowPositionals: true,
});

let changed = 0;
let problems = 0;
let doors = 0;
for (const each of publishedPackages(ROOT)) {
  if (positionals.length > 0 && !positionals.includes(each.name)) continue;
  for (const door of each.doors) checkDoor(each, door);
}
if (changed > 0) {
  console.error("Look at the changes, run `npm run check:api -- --update`, and add a changeset.");
}
console.log(`api: ${doors} doors, ${changed} changed, ${problems} problems`);
process.exitCode = changed + problems > 0 ? 1 : 0;

function checkDoor(owner: PublishedPackage, door: Door): void {
  doors += 1;
  const declarations = join(owner.folder, "dist", `${door.path}.d.ts`);
  if (!existsSync(declarations)) {
    complain(door, `${relative(ROOT, declarations)} is missing; the build does not make it`);
    return;
  }
  const siblings = new Set(
    owner.doors.filter((each) => each !== door).flatMap((each) => namesOf(owner, each)),
  );
  const result = Extractor.invoke(extractorConfig(owner, door, declarations), {
    localBuild: values.update,
    messageCallback: (message) => {
      message.handled = true;
      if (isNoProblem(message, siblings)) message.logLevel = ExtractorLogLevel.None;
      if (message.logLevel !== ExtractorLogLevel.Error) return;
      complain(door, `${placeOf(message)}${message.text} (${message.messageId})`);
    },
  });
  const report = readFileSync(join(reportTempFolder(owner), `${door.name}.api.md`), "utf8");
  for (const name of undocumentedIn(report)) complain(door, `${name} has no documentation`);
  if (!result.apiReportChanged) return;
  if (values.update) console.log(`${door.name}: report rewritten`);
  else {
    changed += 1;
    console.error(`${door.name}: the public API differs from etc/${door.name}.api.md`);
  }
}

function complain(door: Door, text: string): void {
  problems += 1;
  console.error(`${door.name}: ${text}`);
}

function reportTempFolder(owner: PublishedPackage): string {
  return join(ROOT, "node_modules/.cache/api-extractor", owner.name);
}

/**
 * What API Extractor reports and a reader of the package does not miss: symbols of another door of
 * the same package can be named and looked up.
 */
function isNoProblem(
  { messageId, text }: ExtractorMessage,
  siblings: ReadonlySet<string>,
): boolean {
  const symbol = /(?:The symbol|an export) "(\w+)"/.exec(text)?.[1] ?? "";
  if (messageId === "ae-forgotten-export") return siblings.has(symbol);
  if (messageId !== "ae-unresolved-link") return false;
  return siblings.has(symbol) || text.includes("not supported yet by the resolver");
}

/** Names that a door exports, from its emitted declarations. */
function namesOf({ folder }: PublishedPackage, { path }: Door): readonly string[] {
  const file = join(folder, "dist", `${path}.d.ts`);
  if (!existsSync(file)) return [];
  return [...readFileSync(file, "utf8").matchAll(/^export (?:type )?\{([^}]*)\}/gm)].flatMap(
    ([, names = ""]) => names.split(",").map((name) => name.replace(/^.* as |type /, "").trim()),
  );
}

/**
 * Symbols without documentation, and undocumented fields of what a user writes by hand (options,
 * policies). Fields of the data that we hand out are often said by their name and type.
 */
function undocumentedIn(report: string): readonly string[] {
  const missing: string[] = [];
  let owner = "";
  const lines = report.split("\n");
  for (const [at, line] of lines.entries()) {
    const declared =
      /^export (?:declare )?(?:abstract )?(?:class|interface|type|function|const) (\w+)/.exec(line);
    owner = declared?.[1] ?? owner;
    const [, indent = ""] = /^( *)\/\/ .*\(undocumented\)/.exec(line) ?? [undefined, "none"];
    const next = lines[at + 1]?.trim() ?? "";
    if (indent === "") missing.push(next);
    else if (indent !== "none" && WRITTEN_BY_HAND.test(owner)) missing.push(`${owner}: ${next}`);
  }
  return missing;
}

function extractorConfig(
  owner: PublishedPackage,
  door: Door,
  declarations: string,
): ExtractorConfig {
  const reportFolder = join(owner.folder, "etc");
  mkdirSync(reportFolder, { recursive: true });
  const configObject: IConfigFile = {
    projectFolder: owner.folder,
    mainEntryPointFilePath: declarations,
    compiler: {
      // API Extractor brings a TypeScript of its own, which reads the declarations that ours wrote.
      overrideTsconfig: {
        compilerOptions: {
          target: "es2024",
          lib: ["es2024", "esnext.disposable"],
          module: "nodenext",
          types: ["node"],
          strict: true,
          skipLibCheck: true,
        },
        include: ["dist"],
      },
    },
    apiReport: {
      enabled: true,
      reportFileName: `${door.name}.api.md`,
      reportFolder,
      reportTempFolder: reportTempFolder(owner),
    },
    docModel: { enabled: false },
    dtsRollup: { enabled: false },
    tsdocMetadata: { enabled: false },
    newlineKind: "lf",
    messages: {
      compilerMessageReporting: { default: { logLevel: ExtractorLogLevel.Error } },
      extractorMessageReporting: {
        default: { logLevel: ExtractorLogLevel.Error },
        "ae-missing-release-tag": { logLevel: ExtractorLogLevel.None },
        // Looked for in the report, where symbols and members can be told apart.
        "ae-undocumented": { logLevel: ExtractorLogLevel.None },
        "ae-forgotten-export": { logLevel: ExtractorLogLevel.Error },
      },
      tsdocMessageReporting: { default: { logLevel: ExtractorLogLevel.Error } },
    },
  };
  return ExtractorConfig.prepare({
    configObject,
    configObjectFullPath: undefined,
    packageJsonFullPath: join(owner.folder, "package.json"),
  });
}

function placeOf({ sourceFilePath, sourceFileLine }: ExtractorMessage): string {
  if (sourceFilePath === undefined) return "";
  return `${sourceFilePath.replace(`${ROOT}/`, "")}:${sourceFileLine ?? 0}: `;
}
