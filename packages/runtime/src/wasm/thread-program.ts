/**
 * @module The module thread: reads, judges and meters one module at a time, so that a large or hostile
 * one stops this thread and no call of others. What it takes is a copy of its own, which every step
 * sees. The engine is asked through the host, in the process that will hold the module (I1).
 */
import { createHash } from "node:crypto";
import { parentPort, workerData } from "node:worker_threads";

import { allow, type Decision, failClosed, failClosedAsync } from "@glovebox/core/decision";
import type { Sha256 } from "@glovebox/core/ids";
import type { Engine, EngineVerdict } from "@glovebox/core/ports";
import {
  COST_TABLE,
  type MeteredModule,
  METERING_VERSION,
  meterModule,
  type ValidatedBytes,
} from "@glovebox/wasm-metering";
import { createWasmValidator } from "@glovebox/wasm-validator";

import type { FromThread, Job, MeteredBytes, ThreadSetup, ToThread } from "./messages.ts";

const VERSIONS = `${METERING_VERSION}.${COST_TABLE.version}`;

/** Takes jobs until the thread is ended. */
function serve({ policy }: ThreadSetup): void {
  const validator = policy === undefined ? undefined : createWasmValidator(policy);
  let arriving: (Job & { bytesHere: number }) | undefined;
  let answered: ((message: ToThread) => void) | undefined;

  const ask = (question: FromThread): Promise<ToThread> => {
    parentPort?.postMessage(question);
    return new Promise((resolve) => {
      answered = resolve;
    });
  };
  const engine: Engine = {
    async validate() {
      const answer = await ask({ kind: "judge" });
      if (answer.kind !== "verdict") throw new TypeError("the host did not answer with a verdict");
      return answer.decision;
    },
  };

  async function validate({ bytes, requirements }: Job): Promise<Decision<ValidatedBytes>> {
    if (validator !== undefined) return validator.validate(bytes, engine, requirements);
    const judged: Decision<EngineVerdict> = await engine.validate(bytes);
    if (!judged.allowed) return judged;
    const sha256 = createHash("sha256").update(bytes).digest("hex") as Sha256;
    return allow("wasm.engine", { bytes, sha256, verdict: judged.value });
  }

  async function carryOut(job: Job): Promise<Decision<MeteredBytes | undefined>> {
    const validated = await validate(job);
    if (!validated.allowed) return validated;
    const { sha256 } = validated.value;
    const answer = await ask({ kind: "validated", sha256, versions: VERSIONS });
    if (answer.kind !== "meter" || !answer.isNeeded) return allow("wasm.metering", undefined);
    const { maxMemoryPages, maxTableElements } = job;
    const metered = meterModule(validated.value, { maxMemoryPages, maxTableElements });
    return metered.allowed ? allow(metered.rule, described(metered.value)) : metered;
  }

  /** Metering is deterministic: what is metered again is what was loaded. */
  function locate({ bytes, maxMemoryPages, maxTableElements }: Job, offsets: readonly number[]) {
    const sha256 = createHash("sha256").update(bytes).digest("hex") as Sha256;
    const module = { bytes, sha256, verdict: {} };
    const metered = meterModule(module, { maxMemoryPages, maxTableElements });
    if (!metered.allowed) return metered;
    const { map } = metered.value;
    return allow(
      metered.rule,
      offsets.map((offset) => map.lookUp(offset)),
    );
  }

  parentPort?.on("message", (message: ToThread) => {
    switch (message.kind) {
      case "job":
        arriving = { ...message, bytes: new Uint8Array(message.byteLength), bytesHere: 0 };
        if (message.byteLength > 0) return;
        break;
      case "piece":
        if (arriving === undefined) return;
        arriving.bytes.set(message.bytes, arriving.bytesHere);
        arriving.bytesHere += message.bytes.length;
        if (arriving.bytesHere < arriving.bytes.length) return;
        break;
      case "verdict":
      case "meter":
        answered?.(message);
        return;
    }
    const job = arriving;
    arriving = undefined;
    if (job.locate !== undefined) {
      const { locate: offsets } = job;
      const decision = failClosed("wasm.thread", () => locate(job, offsets));
      parentPort?.postMessage({ kind: "located", decision } satisfies FromThread);
      return;
    }
    void failClosedAsync("wasm.thread", () => carryOut(job)).then((decision) => {
      const bytes = decision.allowed ? decision.value?.bytes : undefined;
      const end: FromThread = { kind: "done", decision };
      parentPort?.postMessage(end, bytes === undefined ? [] : [bytes.buffer]);
    });
  });
}

function described(module: MeteredModule): MeteredBytes {
  const { bytes, fuelExport, startExport, fallbacks, droppedSections } = module;
  const [first] = fallbacks;
  return {
    // Of its own length: what is handed over takes its whole buffer along.
    bytes: bytes.length === bytes.buffer.byteLength ? bytes : bytes.slice(),
    fuel:
      startExport === undefined
        ? { global: fuelExport }
        : { global: fuelExport, start: startExport },
    warnings: [
      ...(first === undefined
        ? []
        : [
            `metered block by block, and so slower, in ${fallbacks.length} places: ${first.reason}`,
          ]),
      ...(droppedSections.length === 0
        ? []
        : [`left out ${droppedSections.length} custom sections whose offsets went stale`]),
    ],
  };
}

serve(workerData as ThreadSetup);
