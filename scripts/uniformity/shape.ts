/** @module Rules on the shape of a package: its files, its manifest, its doors, its README. */
import type { Rule } from "./rule.ts";
import type { Member } from "./workspace.ts";

const SCOPE = "@glovebox/";
const ENGINES = "^22.19.0 || ^24.11.0 || >=26.0.0";
const MAX_VALUES_PER_DOOR = 8;
const REQUIRED_FILES = ["README.md", "package.json", "turbo.json", "tsconfig.build.json"];
const REEXPORT = /^export (type )?\{([^}]*)\} from "[^"]+"$/;
const SIDE_EFFECT = /^import "[^"]+"$/;
const README_HEADINGS = ["Usage", "Guarantees", "Options", "Errors", "Read in this order"];

/** Every member has the same files. */
const hasTheSameFiles: Rule = ({ members }, report) => {
  for (const { folder, files, tests } of members) {
    for (const file of REQUIRED_FILES) if (!files.includes(file)) report(folder, `lacks ${file}`);
    if (tests.length === 0) report(folder, "has no tests in test/");
    for (const file of files) {
      if (/^src\/.*\.test\.ts$/.test(file))
        report(`${folder}/${file}`, "tests live in test/, not in src/");
    }
  }
};

/** The manifests agree in everything that is not the package's own. */
const manifestsAgree: Rule = ({ members }, report) => {
  for (const { folder, name, manifest } of members) {
    const expect = (key: keyof typeof manifest, expected: unknown): void => {
      if (JSON.stringify(manifest[key]) !== JSON.stringify(expected)) {
        report(`${folder}/package.json`, `"${key}" must be ${JSON.stringify(expected)}`);
      }
    };
    expect("name", `${SCOPE}${name}`);
    expect("license", "Apache-2.0");
    expect("type", "module");
    expect("sideEffects", false);
    expect("engines", { node: ENGINES });
    if (manifest.private !== true) {
      expect("files", ["dist", "src"]);
      expect("publishConfig", { access: "public", provenance: true });
    }
    if (!manifest.description) report(`${folder}/package.json`, "needs a description");
  }
};

/** A door is a key of `exports`, an `index.ts` and an entry of the build: all three or none. */
const doorsAreWhole: Rule = ({ members }, report) => {
  for (const member of members) {
    const place = `${member.folder}/package.json`;
    const doors = doorsOf(member);
    for (const door of doors) {
      const path = pathOfDoor(door);
      const expected = conditions(path);
      if (JSON.stringify(member.manifest.exports?.[door]) !== JSON.stringify(expected)) {
        report(place, `exports["${door}"] must be ${JSON.stringify(expected)}`);
      }
      if (!member.files.includes(`src/${path}.ts`))
        report(place, `exports["${door}"] lacks src/${path}.ts`);
      if (!member.buildEntries.includes(`src/${path}.ts`)) {
        report(`${member.folder}/tsup.config.ts`, `does not build src/${path}.ts`);
      }
    }
    const indexes = new Set(doors.map((door) => `src/${pathOfDoor(door)}.ts`));
    for (const { path } of member.source) {
      if (path.endsWith("/index.ts") && !indexes.has(path)) {
        report(
          `${member.folder}/${path}`,
          "is no door in package.json; name the file for what it does",
        );
      }
    }
  }
};

/** Inner entry points go through `imports`, are built, and resolve to source in tests. */
const innerEntriesAreWhole: Rule = ({ members }, report) => {
  for (const { folder, manifest, files, buildEntries, source, tests } of members) {
    const entries = manifest.imports ?? {};
    for (const [key, value] of Object.entries(entries)) {
      const target =
        typeof value === "object" && value !== null
          ? (value as Record<string, unknown>)["@glovebox/source"]
          : undefined;
      // The runner is always its built single file, also in tests: a plain path into dist/.
      if (target === undefined && typeof value === "string" && value.startsWith("./dist/"))
        continue;
      if (typeof target !== "string" || !target.startsWith("./src/")) {
        report(`${folder}/package.json`, `imports["${key}"] needs a source condition "./src/….ts"`);
        continue;
      }
      if (target.includes("*")) continue;
      const path = target.slice("./".length);
      if (!files.includes(path))
        report(`${folder}/package.json`, `imports["${key}"] lacks ${path}`);
      const used = source.some(({ imports }) => imports.includes(key));
      if (used && !buildEntries.includes(path))
        report(`${folder}/tsup.config.ts`, `does not build ${path}`);
    }
    for (const file of [...source, ...tests]) {
      for (const specifier of file.imports.filter((name) => name.startsWith("#"))) {
        if (!Object.keys(entries).some((key) => matches(key, specifier))) {
          report(`${folder}/${file.path}`, `${specifier} is not in "imports" of package.json`);
        }
      }
    }
  }
};

/** A door only re-exports, by name, and few values. */
const doorsOnlyReexport: Rule = ({ members }, report) => {
  for (const member of members.filter(({ kind }) => kind === "package")) {
    for (const { path, text } of member.source.filter((file) => file.path.endsWith("/index.ts"))) {
      const place = `${member.folder}/${path}`;
      const statements = statementsOf(text);
      const other = statements.find(
        (statement) =>
          !REEXPORT.test(statement) && !(member.manifest.private && SIDE_EFFECT.test(statement)),
      );
      if (other !== undefined) {
        report(place, `only named re-exports belong in a door, not: ${other.slice(0, 60)}`);
      }
      const values = statements.reduce((sum, statement) => sum + countValues(statement), 0);
      if (values > MAX_VALUES_PER_DOOR) {
        report(place, `exports ${values} values; a door has at most ${MAX_VALUES_PER_DOOR}`);
      }
    }
  }
};

/** READMEs read alike: a sentence and an example, then the headings of the style guide in order. */
const readmesReadAlike: Rule = ({ members }, report) => {
  for (const { folder, name, kind, readme } of members) {
    if (readme === "" || kind === "app") continue;
    const place = `${folder}/README.md`;
    // Headings inside code blocks are none.
    const prose = readme.replaceAll(/^```[\s\S]*?^```/gm, "```");
    const [introduction = "", ...sections] = prose.split(/^## /m);
    const headings = sections.map((section) => section.split("\n")[0]?.trim() ?? "");
    if (!introduction.startsWith(`# ${SCOPE}${name}\n`))
      report(place, `must begin with "# ${SCOPE}${name}"`);
    if (!introduction.includes("```")) report(place, "needs an example before its first heading");
    const found = headings.filter((heading) => README_HEADINGS.includes(heading));
    if (found.join() !== README_HEADINGS.join()) {
      report(
        place,
        `headings must be ${README_HEADINGS.join(", ")} in this order; found ${headings.join(", ") || "none"}`,
      );
    } else if (headings.at(-1) !== README_HEADINGS.at(-1))
      report(place, `must end with "${README_HEADINGS.at(-1)}"`);
  }
};

/** The rules of this file. */
export const SHAPE_RULES: readonly Rule[] = [
  hasTheSameFiles,
  manifestsAgree,
  doorsAreWhole,
  innerEntriesAreWhole,
  doorsOnlyReexport,
  readmesReadAlike,
];

/** The keys of `exports` that are doors. */
export function doorsOf({ manifest }: Pick<Member, "manifest">): readonly string[] {
  return Object.keys(manifest.exports ?? {}).filter((key) => key !== "./package.json");
}

/** `index` of ".", `network/index` of "./network". */
export function pathOfDoor(door: string): string {
  return door === "." ? "index" : `${door.slice("./".length)}/index`;
}

function conditions(path: string): Readonly<Record<string, string>> {
  return {
    "@glovebox/source": `./src/${path}.ts`,
    types: `./dist/${path}.d.ts`,
    default: `./dist/${path}.js`,
  };
}

/** Statements of a file that has only declarations without a body, comments left out. */
function statementsOf(text: string): readonly string[] {
  const code = text.replaceAll(/^\s*\/\*[\s\S]*?\*\/|\/\/.*$/gm, "");
  return code
    .split(";")
    .map((statement) => statement.trim())
    .filter((statement) => statement !== "");
}

function countValues(statement: string): number {
  const [, type, names = ""] = REEXPORT.exec(statement) ?? [];
  if (type !== undefined) return 0;
  return names.split(",").filter((name) => name.trim() !== "" && !/^\s*type /.test(name)).length;
}

function matches(key: string, specifier: string): boolean {
  const [before = "", after] = key.split("*");
  return after === undefined
    ? key === specifier
    : specifier.startsWith(before) && specifier.endsWith(after);
}
