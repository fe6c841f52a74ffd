import { allow } from "@glovebox/core/decision";
import { callScope, memoryHostServices } from "@glovebox/testkit";
import "@glovebox/testkit/matchers";
import { expect, test } from "vitest";

const NOT_GRANTED = "TESTKIT_NOT_GRANTED";

test("refuses every function of every port that the test did not set up", async () => {
  const { http, files, variables, functions, config } = memoryHostServices();
  const scope = callScope();
  await expect(
    http.begin(scope, { method: "GET", url: "https://a.example/", headers: [] }),
  ).toRefuse(NOT_GRANTED);
  await expect(files.open(scope, "/a", new Set(["read"]))).toRefuse(NOT_GRANTED);
  await expect(files.stat(scope, "/a")).toRefuse(NOT_GRANTED);
  await expect(files.list(scope, "/a", undefined, 10)).toRefuse(NOT_GRANTED);
  await expect(files.rename(scope, "/a", "/b")).toRefuse(NOT_GRANTED);
  await expect(files.remove(scope, "/a")).toRefuse(NOT_GRANTED);
  await expect(files.mkdir(scope, "/a")).toRefuse(NOT_GRANTED);
  await expect(files.setTimes(scope, "/a", {})).toRefuse(NOT_GRANTED);
  await expect(files.symlink(scope, "/a", "/b")).toRefuse(NOT_GRANTED);
  await expect(files.readLink(scope, "/a")).toRefuse(NOT_GRANTED);
  await expect(files.link(scope, "/a", "/b")).toRefuse(NOT_GRANTED);
  expect(files.folders).toEqual([]);
  await expect(variables.get(scope, "k")).toRefuse(NOT_GRANTED);
  await expect(variables.set(scope, "k", Uint8Array.of(1))).toRefuse(NOT_GRANTED);
  expect([functions.size, config.size]).toEqual([0, 0]);
});

test("records what was asked, in order, with scope and arguments", async () => {
  const services = memoryHostServices();
  const scope = callScope();
  await services.files.rename(scope, "/a", "/b");
  services.log(scope, "warn", "hello");
  expect(services.calls).toEqual([
    { name: "files.rename", scope, args: ["/a", "/b"] },
    { name: "log", scope, args: ["warn", "hello"] },
  ]);
});

test("answers through an override and records it too", async () => {
  const lines: string[] = [];
  const services = memoryHostServices({
    variables: { get: async (_scope, key) => allow("test", Buffer.from(key)) },
    functions: new Map([
      [
        "double",
        {
          parameters: ["i32"],
          result: "i32",
          call: async (_scope, [value]) => allow("test", Number(value) * 2),
        },
      ],
    ]),
    config: new Map([["mode", "test"]]),
    log: (_scope, level, message) => void lines.push(`${level} ${message}`),
  });
  const scope = callScope();
  expect(await services.variables.get(scope, "k")).toEqual(allow("test", Buffer.from("k")));
  await expect(services.variables.set(scope, "k", undefined)).toRefuse(NOT_GRANTED);
  expect(await services.functions.get("double")?.call(scope, [21])).toEqual(allow("test", 42));
  expect(services.functions.get("double")?.parameters).toEqual(["i32"]);
  services.log(scope, "info", "hi");
  expect(lines).toEqual(["info hi"]);
  expect(services.config.get("mode")).toBe("test");
  expect(services.calls.map(({ name }) => name)).toEqual([
    "variables.get",
    "variables.set",
    "functions.double",
    "log",
  ]);
});
