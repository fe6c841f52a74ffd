/** A writer in a process of its own: tells each place that was acknowledged, until it is killed. */
import { writeSync } from "node:fs";

import { openAuditor } from "@glovebox/auditor";

const auditor = await openAuditor({
  directory: process.argv[2] ?? "",
  classes: ["security"],
});

async function produce(producer: number): Promise<void> {
  for (let n = 0; ; n += 1) {
    const details = { producer, n };
    const decision = auditor.record({}, { kind: "load", success: true, details });
    if (!decision.allowed) throw new Error(decision.code);
    const { index } = await decision.value.durable;
    writeSync(1, `${index} ${producer} ${n}\n`);
  }
}

await Promise.all([0, 1, 2, 3].map(produce));
