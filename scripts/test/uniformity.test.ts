import { describe, expect, test } from "vitest";

import { LAYER_RULES } from "../uniformity/layers.ts";
import { PROSE_RULES } from "../uniformity/prose.ts";
import { problemsOf } from "../uniformity/rule.ts";
import { SHAPE_RULES } from "../uniformity/shape.ts";
import { readWorkspace, sourceFile, type Member, type Workspace } from "../uniformity/workspace.ts";

const RULES = [...SHAPE_RULES, ...LAYER_RULES, ...PROSE_RULES];
const HEADER = "/** @module Something. */\n";
const TABLE = `${HEADER}export const LIMITER_ERRORS = {
  LIMITER_FULL: { summary: "Full.", advice: "Wait." },
} as const satisfies ErrorCodeTable;
`;

function member(name: string, tag: string, changes: Partial<Member> = {}): Member {
  const kind = tag === "app" ? "app" : "package";
  return {
    name,
    folder: `${kind}s/${name}`,
    kind,
    manifest: {
      name: `@glovebox/${name}`,
      description: "Does something",
      license: "Apache-2.0",
      type: "module",
      sideEffects: false,
      exports: {
        ".": {
          "@glovebox/source": "./src/index.ts",
          types: "./dist/index.d.ts",
          default: "./dist/index.js",
        },
        "./package.json": "./package.json",
      },
      files: ["dist", "src"],
      engines: { node: "^22.19.0 || ^24.11.0 || >=26.0.0" },
      publishConfig: { access: "public", provenance: true },
    },
    tags: [tag],
    files: [
      "README.md",
      "package.json",
      "turbo.json",
      "tsconfig.build.json",
      "src/index.ts",
      "src/main.ts",
      "test/main.test.ts",
    ],
    source: [
      sourceFile("src/index.ts", `${HEADER}export { run } from "./main.ts";\n`),
      sourceFile("src/main.ts", `${HEADER}export const run = (): void => undefined;\n`),
    ],
    tests: [sourceFile("test/main.test.ts", "")],
    readme: `# @glovebox/${name}\n\nDoes it.\n\n\`\`\`ts\n\`\`\`\n\n## Usage\n\n## Guarantees\n\n## Options\n\n## Errors\n\n## Read in this order\n`,
    buildEntries: ["src/index.ts"],
    errorPage: undefined,
    ...changes,
  };
}

/** A workspace without a problem, but for one member (or the texts) put in its place. */
function workspace(spoilt?: Member, texts: Workspace["texts"] = []): Workspace {
  const whole = [
    member("core", "base"),
    member("testkit", "base"),
    member("limiter", "module"),
    member("auditor", "module"),
    member("runtime", "composition"),
    member("host", "app"),
  ];
  return { members: whole.map((each) => (each.name === spoilt?.name ? spoilt : each)), texts };
}

const limiter = member("limiter", "module");

function withManifest(changes: Partial<Member["manifest"]>, from: Member = limiter): Member {
  return { ...from, manifest: { ...from.manifest, ...changes } };
}

function withSource(path: string, text: string, from: Member = limiter): Member {
  const source = [
    ...from.source.filter((file) => file.path !== path),
    sourceFile(path, HEADER + text),
  ];
  return { ...from, source, files: [...from.files, path] };
}

const text = (path: string, content: string): Workspace =>
  workspace(undefined, [{ path, text: content }]);

/** For each rule the ways in which it must fail, with a part of its message. */
const SPOILT: Readonly<Record<string, readonly (readonly [Workspace, RegExp])[]>> = {
  hasTheSameFiles: [
    [
      workspace({ ...limiter, files: limiter.files.filter((file) => file !== "README.md") }),
      /lacks README/,
    ],
    [workspace({ ...limiter, tests: [] }), /no tests/],
    [workspace({ ...limiter, files: [...limiter.files, "src/main.test.ts"] }), /live in test/],
  ],
  manifestsAgree: [
    [workspace(withManifest({ license: "MIT" })), /"license" must be "Apache-2.0"/],
    [workspace(withManifest({ files: ["dist"] })), /"files" must be/],
    [workspace(withManifest({ description: "" })), /description/],
  ],
  doorsAreWhole: [
    [workspace(withManifest({ exports: { ".": "./dist/index.js" } })), /exports\["\."\] must be/],
    [
      workspace(withManifest({ exports: { ...limiter.manifest.exports, "./rate": {} } })),
      /lacks src\/rate\/index.ts/,
    ],
    [workspace({ ...limiter, buildEntries: [] }), /does not build src\/index.ts/],
    [workspace(withSource("src/rate/index.ts", "")), /is no door/],
  ],
  innerEntriesAreWhole: [
    [
      workspace(withManifest({ imports: { "#worker": "./src/worker.ts" } })),
      /needs a source condition/,
    ],
    [
      workspace(withSource("src/main.ts", `const url = import.meta.resolve("#worker");\n`)),
      /#worker is not in "imports"/,
    ],
    [
      workspace(
        withManifest({ imports: { "#worker": { "@glovebox/source": "./src/worker.ts" } } }),
      ),
      /lacks src\/worker.ts/,
    ],
  ],
  doorsOnlyReexport: [
    [
      workspace(withSource("src/index.ts", `export * from "./main.ts";\n`)),
      /only named re-exports/,
    ],
    [workspace(withSource("src/index.ts", "export const answer = 42;\n")), /only named re-exports/],
    [
      workspace(
        withSource("src/index.ts", `export { a, b, c, d, e, f, g, h, i } from "./main.ts";\n`),
      ),
      /9 values/,
    ],
  ],
  readmesReadAlike: [
    [
      workspace({ ...limiter, readme: limiter.readme.replace("## Guarantees\n", "") }),
      /headings must be/,
    ],
    [workspace({ ...limiter, readme: limiter.readme.replaceAll("```", "") }), /needs an example/],
    [workspace({ ...limiter, readme: `${limiter.readme}\n## More\n` }), /must end with/],
    [
      workspace({ ...limiter, readme: limiter.readme.replace("limiter", "limits") }),
      /must begin with/,
    ],
  ],
  tagMatchesLayer: [
    [workspace({ ...limiter, tags: ["base"] }), /tags must be \["module"\]/],
    [{ members: [member("surprise", "module")], texts: [] }, /has no layer/],
  ],
  dependenciesStayInLayer: [
    [
      workspace(withManifest({ dependencies: { "@glovebox/auditor": "0.0.0" } })),
      /module must not depend on @glovebox\/auditor/,
    ],
    [
      workspace(withManifest({ devDependencies: { "@glovebox/runtime": "0.0.0" } })),
      /module must not depend on/,
    ],
  ],
  importsStayInLayer: [
    [
      workspace(withSource("src/main.ts", `import { open } from "@glovebox/auditor";\n`)),
      /module must not import/,
    ],
    [
      workspace(withSource("src/main.ts", `import { fakeClock } from "@glovebox/testkit";\n`)),
      /only tests may/,
    ],
    [
      workspace(withSource("src/main.ts", `import { run } from "@glovebox/limiter";\n`)),
      /its own package/,
    ],
  ],
  appsUseOneModulePerCommand: [
    [
      workspace(
        withSource(
          "src/serve.ts",
          `import { open } from "@glovebox/auditor";\n`,
          member("host", "app"),
        ),
      ),
      /only files in src\/commands/,
    ],
    [
      workspace(
        withSource(
          "src/commands/inspect.ts",
          `import { open } from "@glovebox/auditor";\nimport { run } from "@glovebox/limiter";\n`,
          member("host", "app"),
        ),
      ),
      /may use one module/,
    ],
  ],
  dependenciesFormNoCycle: [
    [
      {
        members: [
          withManifest(
            { devDependencies: { "@glovebox/testkit": "0.0.0" } },
            member("core", "base"),
          ),
          withManifest({ dependencies: { "@glovebox/core": "0.0.0" } }, member("testkit", "base")),
        ],
        texts: [],
      },
      /core → testkit → core/,
    ],
  ],
  foldersFormNoCycle: [
    [
      workspace(
        withSource(
          "src/a/one.ts",
          `import "../b/two.ts";\n`,
          withSource("src/b/two.ts", `import "../a/one.ts";\n`),
        ),
      ),
      /b → a → b/,
    ],
  ],
  filesAreNamedForWhatTheyDo: [
    [text("packages/core/src/utils.ts", HEADER), /no utils/],
    [text("packages/core/src/helpers/clock.ts", HEADER), /no utils/],
    [text("packages/core/src/canonicalJson.ts", HEADER), /kebab-case/],
  ],
  filesAreShort: [[text("packages/core/src/long.ts", HEADER + "\n".repeat(400)), /has 401 lines/]],
  filesOpenWithTheirPurpose: [
    [text("packages/core/src/bare.ts", "export const x = 1;\n"), /@module/],
  ],
  errorPagesMatchTables: [
    [workspace(withSource("src/errors.ts", TABLE)), /is missing/],
    [
      workspace({ ...withSource("src/errors.ts", TABLE), errorPage: "# Errors\n" }),
      /lacks "## LIMITER_FULL"/,
    ],
    [
      workspace({
        ...withSource("src/errors.ts", TABLE),
        errorPage: "## LIMITER_FULL\n\n## LIMITER_GONE\n",
      }),
      /explains LIMITER_GONE/,
    ],
    [workspace({ ...limiter, errorPage: "## LIMITER_FULL\n" }), /no error codes/],
  ],
  noMachineNames: [
    [text("docs/notes.md", ["", "home", "alice", "glovebox"].join("/")), /names this machine/],
    [text("README.md", `see ${["", "root", "notes.md"].join("/")}`), /names this machine/],
  ],
};

test("finds nothing in a workspace that keeps the rules", () => {
  expect(problemsOf(workspace(), RULES)).toEqual([]);
});

test("has a failing case for each rule", () => {
  expect(Object.keys(SPOILT).toSorted()).toEqual(RULES.map((rule) => rule.name).toSorted());
});

describe.each(RULES)("$name", (rule) => {
  test.each(SPOILT[rule.name] ?? [])("reports what is spoilt (case %#)", (spoilt, message) => {
    const problems = problemsOf(spoilt, [rule]);
    expect(problems.map((problem) => problem.message).join("\n")).toMatch(message);
  });
});

test("reads imports but not examples in comments", () => {
  const file = sourceFile(
    "src/x.ts",
    `/**\n * import { a } from "no-example";\n */\nimport {\n  b,\n} from "yes-many-lines";\nimport "yes-bare";\nexport type { C } from "yes-export";\n  const d = await import("yes-dynamic");\n  // import("no-comment")\n`,
  );
  expect(file.imports).toEqual(["yes-many-lines", "yes-bare", "yes-export", "yes-dynamic"]);
});

test("reads this repository with its doors and build entries", async () => {
  const { members } = await readWorkspace(`${import.meta.dirname}/../..`);
  const core = members.find(({ name }) => name === "core");
  expect(core?.tags).toEqual(["base"]);
  expect(core?.buildEntries).toContain("src/json/index.ts");
  expect(core?.source.map(({ path }) => path)).toContain("src/json/index.ts");
});
