import { preset } from "../../tsup.preset.ts";

export default preset(["index", "cases/index", "matchers/index", "servers/index"]);
