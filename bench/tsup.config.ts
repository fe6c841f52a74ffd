// @boundaries-ignore the build configuration is shared
import { preset } from "../tsup.preset.ts";

export default preset(["bench", "worker-peer"], {
  entry: { bench: "src/bench.ts", "worker-peer": "src/calls/worker-peer.ts" },
});
