// @boundaries-ignore the build configuration is shared
import { preset } from "../../tsup.preset.ts";

// The matchers extend the vitest that runs the test, and no bundled copy of it.
export default preset(["index", "cases/index", "files/index", "matchers/index", "servers/index"], {
  external: ["vitest"],
});
