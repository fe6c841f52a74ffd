// @boundaries-ignore the build configuration is shared
import { preset } from "../tsup.preset.ts";

export default preset(
  [
    "bench",
    "worker-peer",
    "file-peer",
    "helper-thread-child",
    "helper-thread",
    "fuel-thread",
    "real-contest",
    "kernel-contest",
  ],
  {
    entry: {
      bench: "src/bench.ts",
      "worker-peer": "src/calls/worker-peer.ts",
      "file-peer": "src/broker/file-peer.ts",
      "helper-thread-child": "src/sandbox/helper-thread-child.ts",
      "helper-thread": "src/sandbox/helper-thread.ts",
      "fuel-thread": "src/wasm/fuel/fuel-thread.ts",
      "real-contest": "src/wasm/fuel/real-contest.ts",
      "kernel-contest": "src/wasm/fuel/kernel-contest.ts",
    },
  },
);
