import { preset } from "../../tsup.preset.ts";

export default preset(["index", "network/index", "filesystem/index"]);
