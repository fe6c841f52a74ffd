/**
 * @module Standard input, output and error of one call: the call's input, its output and its log.
 * What a program writes is bounded: an output above the limit ends the call, and of what it logs the
 * first lines are kept.
 */
import { HOST_CALL, LOG_LEVELS } from "../../protocol/frame-table.ts";
import { encodeParts } from "../../protocol/parts.ts";
import { type HostBridge, PluginFailure } from "../abi.ts";

/** Log lines that one call may write, and the length of one, bytes: each is a host call. */
const MAX_LINES = 256;
const MAX_LINE_BYTES = 4_096;
const FIRST_OUTPUT_BYTES = 4_096;
const LINE_FEED = 10;
const LEVEL = LOG_LEVELS.indexOf("info");
const NOTHING = new Uint8Array(0);

/** The streams of one call. */
export class Streams {
  readonly #host: HostBridge;
  readonly #maxOutputBytes: number;
  readonly #logsOutput: boolean;
  #input: Uint8Array = NOTHING;
  #inputAt = 0;
  #output = NOTHING;
  #outputBytes = 0;
  #line: number[] = [];
  #lines = 0;

  /** With `logsOutput`, standard output is a second log, for ABIs that carry their output elsewhere. */
  constructor(host: HostBridge, maxOutputBytes: number, logsOutput: boolean) {
    this.#host = host;
    this.#maxOutputBytes = maxOutputBytes;
    this.#logsOutput = logsOutput;
  }

  /** Begins a call. */
  reset(input: Uint8Array): void {
    this.#input = input;
    this.#inputAt = 0;
    this.#output = NOTHING;
    this.#outputBytes = 0;
    this.#line = [];
    this.#lines = 0;
  }

  /** Bytes of input that were not read yet. */
  get available(): number {
    return this.#input.length - this.#inputAt;
  }

  /** The next bytes of input, at most `max`. */
  read(max: number): Uint8Array {
    const bytes = this.#input.subarray(this.#inputAt, this.#inputAt + max);
    this.#inputAt += bytes.length;
    return bytes;
  }

  /** Writes to standard output. */
  write(bytes: Uint8Array): void {
    if (this.#logsOutput) {
      this.log(bytes);
      return;
    }
    const end = this.#outputBytes + bytes.length;
    if (end > this.#maxOutputBytes) {
      throw new PluginFailure(
        "SANDBOX_OUTPUT_SIZE",
        `${end} bytes of output or more, at most ${this.#maxOutputBytes}`,
      );
    }
    if (end > this.#output.length) {
      const larger = new Uint8Array(Math.max(FIRST_OUTPUT_BYTES, 2 * end));
      larger.set(this.#output);
      this.#output = larger;
    }
    this.#output.set(bytes, this.#outputBytes);
    this.#outputBytes = end;
  }

  /** Writes to standard error; each line becomes an entry of the log. */
  log(bytes: Uint8Array): void {
    for (const byte of bytes) {
      if (this.#lines >= MAX_LINES) return;
      if (byte === LINE_FEED) this.flush();
      else if (this.#line.length < MAX_LINE_BYTES) this.#line.push(byte);
    }
  }

  /** Logs what has no line feed yet. */
  flush(): void {
    if (this.#line.length === 0) return;
    const text = Uint8Array.from(this.#line);
    this.#line = [];
    this.#lines += 1;
    this.#host(HOST_CALL.LOG, encodeParts([Uint8Array.of(LEVEL), text]));
  }

  /** Everything that was written to standard output, as a view. */
  output(): Uint8Array {
    return this.#output.subarray(0, this.#outputBytes);
  }
}
