import { expect, test } from "vitest";
import { PluginRuntime } from "@glovebox/runtime";
test("x", async () => { expect(PluginRuntime).toBeDefined(); });
