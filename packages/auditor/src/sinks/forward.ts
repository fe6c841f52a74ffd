/**
 * @module Forwarding a log to a sink. The log is the queue: a sink has a position in it, kept in a
 * file, and is sent what lies behind it, so that a slow or absent receiver holds nothing back, takes
 * no memory, and misses nothing that the log still has. What it does miss (pruned before it was
 * sent, or refused for good) is counted and said, in the log.
 */
import { constants } from "node:fs";
import { open, readFile, rename } from "node:fs/promises";

import type { Clock } from "@glovebox/core/clock";

import { AuditorError } from "../errors.ts";
import type { RetentionClass } from "../event/event-kinds.ts";
import { readEvent } from "../event/read-event.ts";
import {
  SINK_BATCH_ENTRIES,
  SINK_LOSS_REPORT_MS,
  SINK_RETRY_MAX_MS,
  SINK_RETRY_MIN_MS,
  SINK_TIMEOUT_MS,
} from "../limits.ts";
import type { AuditLog } from "../log/log.ts";
import { orAborted } from "../or-aborted.ts";
import type { Sink, SinkEvent } from "./sink.ts";

/** Where a sink is. */
export interface ForwardingState {
  /** Index of the next entry that is to be sent. */
  readonly position: number;
  /** Events that the sink will never get. */
  readonly lost: number;
  /** Why the last try failed; `undefined` when it did not. */
  readonly error: string | undefined;
}

/** A running delivery. */
export interface Forwarding extends AsyncDisposable {
  state(): ForwardingState;
  /** Resolves when the sink has had all that is durable now. */
  drained(): Promise<void>;
}

/** What a delivery needs. */
export interface ForwardingParts {
  readonly class: RetentionClass;
  readonly log: Pick<AuditLog, "origin" | "state" | "read" | "whenGrown">;
  readonly sink: Sink;
  /** File that keeps the position; `undefined`: begin with what comes. */
  readonly positionFile: string | undefined;
  readonly clock: Clock;
  /** A number in [0, 1), for the jitter of retries. */
  readonly random: () => number;
  /** Says in the log that events were lost. */
  readonly onLoss: (sink: string, origin: string, count: number, reason: string) => void;
}

/** Delivers one log to one sink until it is disposed of. */
export async function startForwarding(parts: ForwardingParts): Promise<Forwarding> {
  const { log, positionFile } = parts;
  const start =
    positionFile === undefined ? log.state().durableSize : await readPosition(positionFile, log);
  return new Delivery(parts, start);
}

class Delivery implements Forwarding {
  readonly #parts: ForwardingParts;
  readonly #stop = new AbortController();
  readonly #running: Promise<void>;
  #position: number;
  /** What the sink has had, and its file says so. */
  #settled = 0;
  #lost = 0;
  /** Lost, and not yet said in the log. */
  #unsaid = 0;
  #silentUntilMs = Number.NEGATIVE_INFINITY;
  #error: string | undefined;
  #waiting: { readonly size: number; readonly resolve: () => void }[] = [];

  constructor(parts: ForwardingParts, position: number) {
    this.#parts = parts;
    this.#position = position;
    this.#running = this.#run();
  }

  state(): ForwardingState {
    return { position: this.#position, lost: this.#lost, error: this.#error };
  }

  async drained(): Promise<void> {
    const size = this.#parts.log.state().durableSize;
    if (this.#settled >= size || this.#stop.signal.aborted) return;
    await new Promise<void>((resolve) => this.#waiting.push({ size, resolve }));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stop.abort();
    await this.#running;
  }

  async #run(): Promise<void> {
    const { log } = this.#parts;
    const { signal } = this.#stop;
    let failures = 0;
    while (!signal.aborted) {
      const { durableSize, minimumIndex } = log.state();
      if (this.#position < minimumIndex) {
        this.#lose(minimumIndex - this.#position, "pruned before they were sent");
        this.#position = minimumIndex;
      }
      if (this.#position >= durableSize) {
        this.#settle();
        await orAborted(log.whenGrown(durableSize), signal);
        if (log.state().durableSize <= durableSize) break;
        continue;
      }
      try {
        await this.#sendOne(Math.min(durableSize, this.#position + SINK_BATCH_ENTRIES));
        this.#error = undefined;
        failures = 0;
      } catch (error) {
        // A receiver's words are anyone's text; they are shown escaped where they are shown.
        this.#error = String(error);
        failures += 1;
        await orAborted(this.#pause(failures), signal);
      }
    }
    this.#waiting.forEach(({ resolve }) => resolve());
  }

  async #sendOne(to: number): Promise<void> {
    const { log, sink, positionFile, class: kept } = this.#parts;
    const batch: SinkEvent[] = [];
    for await (const { index, bytes } of log.read(this.#position, to)) {
      const event = readEvent(bytes);
      // An entry that is no event (`log.append`) is not for sinks.
      if (!event.allowed) continue;
      const json = Buffer.from(bytes).toString();
      batch.push({ origin: log.origin, class: kept, index, event: event.value, json });
    }
    if (batch.length > 0) {
      const signal = AbortSignal.any([this.#stop.signal, AbortSignal.timeout(SINK_TIMEOUT_MS)]);
      // Raced, for a sink may not heed its signal.
      const { rejected } = await Promise.race([sink.send(batch, signal), abortOf(signal)]);
      if (rejected > 0) this.#lose(rejected, "refused by the receiver");
    }
    this.#position = to;
    if (positionFile !== undefined) await writePosition(positionFile, log.origin, to);
    this.#settle();
  }

  #lose(count: number, reason: string): void {
    this.#lost += count;
    this.#unsaid += count;
    const { clock, sink, log, onLoss } = this.#parts;
    // Said at most so often: to say it is an event, which the receiver may refuse as well.
    if (clock.monotonicMs() < this.#silentUntilMs) return;
    this.#silentUntilMs = clock.monotonicMs() + SINK_LOSS_REPORT_MS;
    onLoss(sink.name, log.origin, this.#unsaid, reason);
    this.#unsaid = 0;
  }

  #settle(): void {
    this.#settled = this.#position;
    const settled = this.#waiting.filter(({ size }) => size <= this.#position);
    this.#waiting = this.#waiting.filter(({ size }) => size > this.#position);
    for (const { resolve } of settled) resolve();
  }

  #pause(failures: number): Promise<void> {
    const { clock, random } = this.#parts;
    const longest = Math.min(SINK_RETRY_MIN_MS * 2 ** (failures - 1), SINK_RETRY_MAX_MS);
    return new Promise((resolve) => {
      clock.setTimer(longest * (0.5 + random() / 2), resolve);
    });
  }
}

function abortOf(signal: AbortSignal): Promise<never> {
  return new Promise((_, reject) => {
    signal.addEventListener("abort", () => reject(signal.reason as Error), { once: true });
  });
}

async function readPosition(
  path: string,
  log: Pick<AuditLog, "origin" | "state">,
): Promise<number> {
  try {
    await using handle = await open(path, constants.O_RDONLY | constants.O_NOFOLLOW);
    const [position, origin] = (await readFile(handle, "utf8")).split("\n");
    // The position of another log, or beyond this one, is none; the receiver tells twice from once.
    const at = Number(position);
    const isOurs = origin === log.origin && Number.isSafeInteger(at) && at >= 0;
    return isOurs && at <= log.state().durableSize ? at : log.state().minimumIndex;
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === "ENOENT") return log.state().minimumIndex;
    const message = `the position of a sink, ${path}, cannot be read`;
    throw new AuditorError("AUDITOR_DIRECTORY", { message, cause });
  }
}

/** Not synced: after a power cut a sink is sent some events twice. */
async function writePosition(path: string, origin: string, position: number): Promise<void> {
  const { O_WRONLY, O_CREAT, O_TRUNC, O_NOFOLLOW } = constants;
  const aside = `${path}.new`;
  {
    await using handle = await open(aside, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW, 0o600);
    await handle.writeFile(`${position}\n${origin}\n`);
  }
  await rename(aside, path);
}
