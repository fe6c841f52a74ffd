/**
 * @module One runner as the host sees it: its process, its socket, and the commands that wait for
 * it. Commands are answered in order, so the first in the queue is the one that runs; nothing that
 * a runner sends can name another (invariant I3). Hot path: see bench `calls`.
 */
import { SandboxError } from "../errors.ts";
import { BOOT_DEADLINE_MS, MAX_CONTROL_BYTES } from "../limits.ts";
import type { FrameReceiver } from "../protocol/frame-reader.ts";
import { FRAME, type FrameHeader, HOST_RESULT } from "../protocol/frame-table.ts";
import type { Hello } from "../protocol/hello.ts";
import type { RunnerRole } from "../protocol/runner-arguments.ts";
import type { ProcessEnd, SpawnedProcess } from "../spawner/spawn-point.ts";
import { AbortWatch } from "./abort-watch.ts";
import { NOT_RUN } from "./call-outcome.ts";
import { CallQueue, type Queued } from "./call-queue.ts";
import { CallWatch } from "./call-watch.ts";
import { Channel } from "./channel.ts";
import type { Exchange, ExchangeUsage } from "./exchange.ts";
import { acceptedBytes } from "./expected-frames.ts";
import { answerHostCall } from "./host-calls.ts";
import { HostSide } from "./host-side.ts";
import { endSpin, ShortWait } from "./idle-spin.ts";
import type { Launcher } from "./launcher.ts";
import type { RunnerUse } from "./recycle-policy.ts";
import { limitError, parseFailure, refusalError, residentError } from "./runner-errors.ts";
import { RunnerMeters } from "./runner-meters.ts";
import { describeEnd } from "./runner-process.ts";
import { nextState, type RunnerEvent, type RunnerState } from "./runner-state.ts";

const decoder = new TextDecoder();
const encoder = new TextEncoder();

/** A running process with its queue. */
export class Runner {
  #state: RunnerState = "booting";
  readonly #queue = new CallQueue();
  readonly #aborts = new AbortWatch(this.#queue, (exchange) => this.abort(exchange));
  #progress = 0;
  #hostCallPending = false;
  readonly #channel: Channel;
  readonly #watch: CallWatch;
  #process: SpawnedProcess | undefined;
  #pid = 0;
  readonly #meters = new RunnerMeters();
  #idleSinceMs = performance.now();
  #retiring: "no" | "after-all" | "after-this" = "no";
  readonly #untilReply = new ShortWait();
  readonly #untilNextHostCall = new ShortWait();
  #killedFor: SandboxError | undefined;
  readonly #hello = Promise.withResolvers<Hello>();
  readonly #ended = Promise.withResolvers<ProcessEnd>();
  readonly #socketEnded = Promise.withResolvers<void>();

  private constructor() {
    this.#channel = new Channel(this.#receiver(), this.#socketEnded.resolve, () =>
      this.#sendWaiting(),
    );
    this.#watch = new CallWatch({
      // Also a command whose caller has gone is watched: it must not spin for ever.
      current: () => {
        const running = this.#killedFor === undefined ? this.#queue.running : undefined;
        return running === undefined ? undefined : { ...running, limits: running.exchange.limits };
      },
      progress: () => this.#progress,
      readCpuMs: () => this.#meters.readCpuMs(),
      process: this.#meters,
      exceeded: (limit, usedMs) => this.kill(limitError(limit, usedMs)),
    });
  }

  /**
   * Starts a process and waits for its HELLO.
   *
   * @throws {@link SandboxError} (`SANDBOX_BOOT_FAILED`)
   */
  static async boot(
    launcher: Launcher,
    role: RunnerRole,
  ): Promise<{ runner: Runner; hello: Hello }> {
    const runner = new Runner();
    runner.#hello.promise.catch(() => undefined); // it may fail before anybody waits for it
    const timer = setTimeout(
      () => runner.kill(new SandboxError("SANDBOX_BOOT_FAILED", { message: "no HELLO in time" })),
      BOOT_DEADLINE_MS,
    );
    try {
      const child = await launcher.start(role, runner.#channel.onread, (hostEnd) =>
        runner.#channel.attach(hostEnd),
      );
      runner.#process = child;
      if (runner.#killedFor !== undefined) child.kill();
      void Promise.all([child.ended, runner.#socketEnded.promise]).then(([end]) =>
        runner.#finish(end),
      );
      void runner.#socketEnded.promise.then(() => child.kill());
      const hello = await runner.#hello.promise;
      runner.#pid = launcher.runnerPid(child);
      runner.#meters.open(runner.#pid);
      return { runner, hello };
    } catch (cause) {
      runner.kill(new SandboxError("SANDBOX_BOOT_FAILED", { cause }));
      runner.#channel.destroy();
      throw new SandboxError("SANDBOX_BOOT_FAILED", {
        message: `a runner did not start: ${cause instanceof Error ? cause.message : String(cause)}`,
        cause,
      });
    } finally {
      clearTimeout(timer);
    }
  }

  get state(): RunnerState {
    return this.#state;
  }

  /** Whether it takes commands. */
  get usable(): boolean {
    return this.#killedFor === undefined && this.#state !== "ended" && this.#retiring === "no";
  }

  /** Whether it ends for a successor: what it has not started then is the successor's. */
  get isRetiring(): boolean {
    return this.#retiring !== "no";
  }

  /** Since when it has nothing to do; `undefined` = it is busy. */
  get idleSinceMs(): number | undefined {
    return this.#queue.size === 0 ? this.#idleSinceMs : undefined;
  }

  /** Private data that its process has mapped now, bytes; `undefined` where that cannot be known. */
  get mappedDataBytes(): number | undefined {
    return this.#meters.mappedDataBytes;
  }

  /** What it has used in its life. */
  get use(): RunnerUse {
    return this.#meters;
  }

  get pid(): number {
    return this.#pid;
  }

  /** Commands that wait or run. */
  get pending(): number {
    return this.#queue.size;
  }

  /** Resolves when the process is gone and every waiting command was answered. */
  get ended(): Promise<ProcessEnd> {
    return this.#ended.promise;
  }

  /** Moves the runner on; programmer errors throw. */
  advance(event: RunnerEvent): void {
    const next = nextState(this.#state, event);
    if (next === undefined) throw new Error(`a runner that is ${this.#state} cannot ${event}`);
    this.#state = next;
  }

  /** Ends the process when more than this is resident, also between commands. */
  limitResident(bytes: number): void {
    this.#meters.watchMemory(bytes, {
      isBusy: () => this.#queue.size > 0,
      exceeded: (used) => this.kill(residentError(used)),
    });
  }

  /** Puts a command into the queue; its answer comes through the exchange. */
  submit(exchange: Exchange): void {
    if (!this.usable) {
      exchange.fail(new SandboxError("SANDBOX_NOT_STARTED"), NOT_RUN);
      return;
    }
    const full = this.#queue.refusalFor(exchange);
    if (full !== undefined) {
      exchange.fail(full, NOT_RUN);
      return;
    }
    const queued = this.#queue.push(exchange);
    if (this.#queue.size === 1) this.#begin(queued, performance.now());
    if (!this.#channel.congested) this.#send(queued);
    if (exchange.host !== undefined) this.#aborts.start();
  }

  /**
   * Takes no more commands and ends the process in good order: after all that it has, or after the
   * one that runs, and then those behind it fail with `SANDBOX_NOT_STARTED`.
   */
  retire(after: "after-all" | "after-this"): void {
    if (this.#retiring !== "after-this") this.#retiring = after;
    if (this.#queue.size === 0) this.kill(new SandboxError("SANDBOX_CLOSED"));
  }

  /** Ends the process; the running command fails with `error`, those behind it were not started. */
  kill(error: SandboxError): void {
    if (this.#killedFor !== undefined || this.#state === "ended") return;
    this.#killedFor = error;
    this.#watch.stop();
    this.#process?.kill();
    this.#hello.reject(error);
    // The caller is answered now; it takes milliseconds until the process is gone.
    const running = this.#queue.running;
    if (running !== undefined) this.#fail(running, error);
  }

  /** Ends one command: the running one with its process, a waiting one by taking it out of the queue. */
  abort(exchange: Exchange): void {
    const queued = this.#queue.find(exchange);
    if (queued === undefined || queued.settled) return;
    const aborted = new SandboxError("SANDBOX_ABORTED");
    if (queued === this.#queue.running) {
      this.kill(aborted);
      return;
    }
    // What was sent will be done; nobody waits for it, and its host calls find an aborted scope.
    if (!queued.sent) this.#queue.remove(queued);
    this.#fail(queued, aborted);
  }

  /** What may come from the runner now, and what happens then. Everything in it is attacker-controlled. */
  #receiver(): FrameReceiver {
    return {
      acceptsBytes: (type) => this.#acceptsBytes(type),
      onMessage: (header, payload) => this.#onMessage(header, payload),
      onViolation: ({ problem }) => this.#violated(problem),
    };
  }

  #acceptsBytes(type: number): number | undefined {
    if (this.#state === "booting") return type === FRAME.HELLO ? MAX_CONTROL_BYTES : undefined;
    const running = this.#queue.running?.exchange;
    if (running === undefined || this.#hostCallPending) return undefined;
    return acceptedBytes(type, running);
  }

  #onMessage(header: FrameHeader, payload: Uint8Array): boolean {
    if (this.#state === "booting") return this.#onHello(payload);
    const running = this.#queue.running;
    if (running === undefined || header.callId !== running.callId) {
      this.#violated(`an answer to call ${header.callId}, expected ${running?.callId ?? "none"}`);
      return false;
    }
    if (header.type === FRAME.HOST_CALL) {
      this.#onHostCall(running, header.argument, payload);
      return true;
    }
    const failure = header.type === FRAME.FAILURE ? parseFailure(payload) : null;
    // Judged while the call still runs: the one behind it is not to blame.
    if (failure === undefined) {
      this.#violated("a failure without a code that it may report");
      return false;
    }
    const nowMs = performance.now();
    const cpuMs = this.#meters.noteAnswer(this.#channel.batch);
    const usage: ExchangeUsage = {
      wallMs: nowMs - running.startedMs,
      cpuMs: this.#meters.hasCpuClock ? cpuMs - running.startedCpuMs : null,
      instructions: header.instructions,
    };
    this.#progress += 1;
    this.#queue.shift();
    running.hostSide?.end();
    const next = this.#queue.running;
    this.#untilReply.end(nowMs);
    if (next === undefined) {
      this.#idleSinceMs = nowMs;
      endSpin();
    } else this.#begin(next, nowMs);
    if (failure !== null) {
      const isRefusal = failure.code === "SANDBOX_HOST_CALL_REFUSED";
      this.#fail(running, (isRefusal ? running.refusal : undefined) ?? failure, usage);
    } else if (!running.settled) {
      running.settled = true;
      this.#aborts.settle(running);
      running.exchange.succeed(header.argument, payload, usage);
    }
    if (this.#retiring !== "no") this.#endIfDone();
    return true;
  }

  /** A retiring process ends between two answers: the host has let nothing out that it did since the last. */
  #endIfDone(): void {
    if (this.#queue.size === 0) this.kill(new SandboxError("SANDBOX_CLOSED"));
    else if (this.#retiring === "after-this") this.kill(new SandboxError("SANDBOX_NOT_STARTED"));
  }

  #onHello(payload: Uint8Array): boolean {
    try {
      // Sent before any plugin byte was read: our own program's words.
      this.#hello.resolve(JSON.parse(decoder.decode(payload)) as Hello);
      this.advance("hello");
      return true;
    } catch (cause) {
      this.#hello.reject(cause);
      return false;
    }
  }

  #onHostCall(running: Queued, kind: number, payload: Uint8Array): void {
    this.#hostCallPending = true;
    if (running.hostCalls > 0) this.#untilNextHostCall.end(performance.now());
    if (this.#killedFor !== undefined) return; // what a dying process still asks for has no effect
    const { host, limits } = running.exchange;
    running.hostCalls += 1;
    if (host === undefined || running.hostCalls > limits.hostCalls) {
      const message = `more than ${limits.hostCalls} host calls in one call`;
      this.kill(new SandboxError("SANDBOX_HOST_CALL_LIMIT", { message }));
      return;
    }
    if (!host.rate.tryTake().ok) {
      this.kill(new SandboxError("SANDBOX_HOST_CALL_RATE"));
      return;
    }
    const { scope, openFiles } = (running.hostSide ??= new HostSide(host.scope));
    host.scope.meter.add("hostCalls", 1);
    const context = { services: host.services, scope };
    void answerHostCall(kind, payload, context, openFiles).then(
      (decision) => {
        // An answer that arrives after a kill goes nowhere: this process gets no other call's memory.
        if (this.#killedFor !== undefined || this.#queue.running !== running) return;
        this.#hostCallPending = false;
        this.#untilNextHostCall.begin(performance.now());
        if (decision.allowed) {
          this.#channel.send(FRAME.HOST_RESULT, HOST_RESULT.OK, running.callId, decision.value);
          return;
        }
        running.refusal = refusalError(decision);
        this.#channel.send(
          FRAME.HOST_RESULT,
          HOST_RESULT.REFUSED,
          running.callId,
          encoder.encode(decision.code),
        );
      },
      (error: unknown) => this.#violated(error instanceof Error ? error.message : String(error)),
    );
  }

  #begin(queued: Queued, nowMs: number): void {
    queued.startedMs = nowMs;
    queued.startedCpuMs = this.#meters.cpuMs;
    if (this.#killedFor !== undefined) return;
    this.#watch.start(queued.exchange.limits, nowMs);
    this.#meters.lookSoon(nowMs);
    this.#untilReply.begin(nowMs);
  }

  #send(queued: Queued): void {
    const { type, argument, payload } = queued.exchange;
    queued.sent = true;
    this.#channel.send(type, argument, queued.callId, payload);
  }

  #sendWaiting(): void {
    for (const queued of this.#queue.unsent()) {
      if (this.#channel.congested) return;
      this.#send(queued);
    }
  }

  #violated(problem: string): void {
    this.kill(
      new SandboxError("SANDBOX_PROTOCOL", {
        message: `the plugin's process sent ${problem}`,
        details: { problem },
      }),
    );
    this.#channel.destroy();
  }

  /** The process is gone and every message was read: nothing can arrive any more. */
  #finish(end: ProcessEnd): void {
    this.#watch.stop();
    this.#state = "ended";
    const cause = this.#killedFor ?? describeEnd(end, this.#process?.lastWords() ?? "");
    this.#hello.reject(cause);
    const [running, ...waiting] = this.#queue.takeAll();
    // Settled means that it was failed at the kill; if its answer had come, it would be out of the queue.
    if (running !== undefined)
      this.#fail(
        running,
        this.#killedFor === undefined ? cause : new SandboxError("SANDBOX_RUNNER_LOST"),
      );
    for (const queued of waiting) this.#fail(queued, new SandboxError("SANDBOX_NOT_STARTED"));
    this.#meters[Symbol.dispose]();
    this.#ended.resolve(end);
  }

  #fail(queued: Queued, error: SandboxError, usage?: ExchangeUsage): void {
    queued.hostSide?.end(error);
    if (queued.settled) return;
    queued.settled = true;
    this.#aborts.settle(queued);
    queued.exchange.fail(error, usage ?? this.#meters.usageSince(queued));
  }
}
