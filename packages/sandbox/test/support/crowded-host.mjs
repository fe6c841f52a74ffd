/**
 * @module A host that has one descriptor left while a runner is to be started, and then all of them
 * again: prints what its reservations came to. Its argument is the runners' outer layer. Plain
 * JavaScript over the built packages, because a test runner must not be left without descriptors.
 */
import { closeSync, openSync } from "node:fs";

import { createSandbox } from "@glovebox/sandbox";

const sandbox = await createSandbox({ poolSize: 0, outerLayer: process.argv[2] });
const reserve = async () => {
  const reserved = await sandbox.reserve({ pluginId: "crowded" });
  if (!reserved.allowed) return reserved.reason;
  await reserved.value[Symbol.asyncDispose]();
  return "started";
};
const taken = [];
try {
  for (;;) taken.push(openSync("/dev/null", "r"));
} catch {
  closeSync(taken.pop()); // for the connection, and none for its other end
}
const crowded = reserve();
const dropped = await Promise.race([crowded, new Promise((done) => setTimeout(done, 1_000))]);
for (const descriptor of taken) closeSync(descriptor);
const after = await Promise.all([reserve(), reserve()]);
await sandbox.close();
process.stdout.write(JSON.stringify({ dropped: dropped ?? (await crowded), after }));
