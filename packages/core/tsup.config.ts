import { preset } from "../../tsup.preset.ts";

export default preset([
  "decision/index",
  "errors/index",
  "ids/index",
  "json/index",
  "encode/index",
  "flow/index",
  "clock/index",
  "ports/index",
]);
