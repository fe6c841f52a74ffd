import type { PluginId } from "@glovebox/core/ids";
import { type DependentManifest, resolveDependencies } from "@glovebox/manifest-validator";
import fc from "fast-check";
import { describe, expect, it } from "vitest";

function plugin(
  id: string,
  dependencies: Record<string, string> = {},
  version = "1.0.0",
): DependentManifest {
  return { id: id as PluginId, version, dependencies };
}

describe("resolveDependencies", () => {
  it("orders dependencies first, whatever the order of the array", () => {
    const manifests = [
      plugin("report", { rates: "^1.0.0", auth: "*" }),
      plugin("auth"),
      plugin("rates", { auth: "1.x" }, "1.4.2"),
    ];
    const expected = { ok: true, order: ["auth", "rates", "report"] };
    expect(resolveDependencies(manifests)).toEqual(expected);
    expect(resolveDependencies(manifests.toReversed())).toEqual(expected);
  });

  it("names missing plugins and versions outside their range, all at once", () => {
    const result = resolveDependencies([
      plugin("a", { b: "^2.0.0", gone: "^1.0.0" }),
      plugin("b", { lost: "*" }, "1.9.9"),
      plugin("b"),
    ]);
    expect(result).toMatchObject({
      ok: false,
      problems: [
        { code: "MANIFEST_PLUGIN_DUPLICATE", pluginId: "b" },
        {
          code: "MANIFEST_DEPENDENCY_VERSION",
          pluginId: "a",
          path: "/dependencies/b",
          received: '"1.9.9"',
        },
        { code: "MANIFEST_DEPENDENCY_MISSING", pluginId: "a", path: "/dependencies/gone" },
        { code: "MANIFEST_DEPENDENCY_MISSING", pluginId: "b", path: "/dependencies/lost" },
      ],
    });
  });

  it("names a circle in full, beginning with its smallest id", () => {
    const result = resolveDependencies([
      plugin("c", { a: "*" }),
      plugin("a", { b: "*" }),
      plugin("b", { c: "*" }),
      plugin("outside", { a: "*" }),
    ]);
    expect(result).toMatchObject({
      ok: false,
      problems: [
        {
          code: "MANIFEST_CYCLE",
          pluginId: "a",
          path: "/dependencies/b",
          cycle: ["a", "b", "c"],
          message: expect.stringContaining("a → b → c → a"),
        },
      ],
    });
  });

  it("finds a plugin that depends on itself, and two circles that share a plugin", () => {
    expect(resolveDependencies([plugin("a", { a: "*" })])).toMatchObject({
      problems: [
        { code: "MANIFEST_CYCLE", cycle: ["a"], message: expect.stringContaining("a → a") },
      ],
    });
    const shared = resolveDependencies([
      plugin("hub", { x: "*", y: "*" }),
      plugin("x", { hub: "*" }),
      plugin("y", { hub: "*" }),
    ]);
    expect(shared).toMatchObject({ problems: [{ cycle: ["hub", "x"] }, { cycle: ["hub", "y"] }] });
  });

  it("walks a chain of ten thousand plugins without exhausting the stack", () => {
    const chain = Array.from({ length: 10_000 }, (_, index) =>
      plugin(`p${index}`, index === 9_999 ? {} : { [`p${index + 1}`]: "*" }),
    );
    const result = resolveDependencies(chain);
    expect(result.ok && result.order[0]).toBe("p9999");
    expect(() => resolveDependencies([...chain, plugin("more")])).toThrow(
      expect.objectContaining({ code: "MANIFEST_USAGE" }),
    );
  });

  it("either orders every plugin after what it depends on, or names a circle that is one", () => {
    const ids = ["a", "b", "c", "d", "e", "f"];
    const graph = fc.record(Object.fromEntries(ids.map((id) => [id, fc.subarray(ids)])));
    fc.assert(
      fc.property(graph, (edges) => {
        const dependsOn = edges as Record<string, string[]>;
        const result = resolveDependencies(
          ids.map((id) =>
            plugin(id, Object.fromEntries((dependsOn[id] ?? []).map((to) => [to, "*"]))),
          ),
        );
        const order: readonly string[] = result.ok ? result.order : [];
        for (const [index, id] of order.entries()) {
          expect(order.slice(0, index)).toEqual(expect.arrayContaining(dependsOn[id] ?? []));
        }
        for (const { cycle = [] } of result.ok ? [] : result.problems) {
          expect(cycle.length).toBeGreaterThan(0);
          for (const [index, id] of cycle.entries()) {
            expect(dependsOn[id]).toContain(cycle[(index + 1) % cycle.length]);
          }
        }
      }),
    );
  });
});
