/**
 * @module The blocks that are open at an operator, for one question: can a loop be left? A loop is
 * left where its end is reached, or where a branch, return or trap inside it goes past it. What is
 * kept for a block is handed to the block around it when it ends, so each operator costs constant time
 * however deep the nesting.
 */
const LOOP = 1;
const PLAIN = 0;
/** Past the outermost block: out of the function. */
const OUT = -1;

/** The open blocks of one function. */
export class BlockStack {
  /** Blocks open now, the function's own counted. */
  depth = 0;
  deepest = 0;
  loops = 0;
  /** Loops that nothing ends: no branch leads out, and their end is never reached. */
  endlessLoops = 0;
  #kind = new Uint8Array(64);
  /** The outermost block that something inside goes to. */
  #goesTo = new Int32Array(64);
  /** Whether something branches to the block's end. */
  #isTarget = new Uint8Array(64);
  /** Whether an arm that ended before (`if`, `try`) reaches the block's end. */
  #armEnds = new Uint8Array(64);
  #isDead = new Uint8Array(64);

  /** Begins a function. */
  begin(): void {
    this.depth = 0;
    this.deepest = 0;
    this.loops = 0;
    this.endlessLoops = 0;
    this.open(false);
  }

  open(isLoop: boolean): void {
    const at = this.depth++;
    if (at >= this.#kind.length) this.#grow();
    this.#kind[at] = isLoop ? LOOP : PLAIN;
    this.#goesTo[at] = at;
    this.#isTarget[at] = 0;
    this.#armEnds[at] = 0;
    this.#isDead[at] = at > 0 ? (this.#isDead[at - 1] as number) : 0;
    if (isLoop) this.loops += 1;
    if (this.depth > this.deepest) this.deepest = this.depth;
  }

  /** An `if` whose condition may not hold reaches its end without its arm. */
  openIf(): void {
    this.open(false);
    this.#armEnds[this.depth - 1] = 1;
  }

  /** `else`: from here the end is reached only by an arm or a branch. */
  beginElse(): void {
    const at = this.depth - 1;
    this.#armEnds[at] = this.#isDead[at] === 0 ? 1 : 0;
    this.#revive(at);
  }

  /** A handler: it may run. */
  beginArm(): void {
    const at = this.depth - 1;
    if (this.#isDead[at] === 0) this.#armEnds[at] = 1;
    this.#revive(at);
  }

  /** A branch to the block `label` levels out; `isConditional` where control may go on. */
  branch(label: number, isConditional: boolean): void {
    const at = this.depth - 1;
    if (this.#isDead[at] === 1) return;
    const target = at - label;
    if (target < (this.#goesTo[at] as number)) this.#goesTo[at] = target;
    if (target >= 0) this.#isTarget[target] = 1;
    if (!isConditional) this.#isDead[at] = 1;
  }

  /** A return, a trap or an exception. */
  leave(): void {
    const at = this.depth - 1;
    if (this.#isDead[at] === 1) return;
    this.#goesTo[at] = OUT;
    this.#isDead[at] = 1;
  }

  /** Whether the operators here can run. */
  get isLive(): boolean {
    return this.#isDead[this.depth - 1] === 0;
  }

  end(): void {
    const at = --this.depth;
    const goesTo = this.#goesTo[at] as number;
    const fallsThrough = this.#isDead[at] === 0 || this.#armEnds[at] === 1;
    const isLoop = this.#kind[at] === LOOP;
    const wasReached = at === 0 || this.#isDead[at - 1] === 0;
    if (isLoop && wasReached && !fallsThrough && goesTo >= at) this.endlessLoops += 1;
    if (at === 0) return;
    if (goesTo < (this.#goesTo[at - 1] as number)) this.#goesTo[at - 1] = goesTo;
    // A branch to a loop goes to its beginning, one to a block to its end.
    if (!fallsThrough && (isLoop || this.#isTarget[at] === 0)) this.#isDead[at - 1] = 1;
  }

  #revive(at: number): void {
    this.#isDead[at] = at > 0 ? (this.#isDead[at - 1] as number) : 0;
  }

  /** Doubles: each block took two bytes of the module at least. */
  #grow(): void {
    const length = 2 * this.#kind.length;
    this.#kind = widened(new Uint8Array(length), this.#kind);
    this.#goesTo = widened(new Int32Array(length), this.#goesTo);
    this.#isTarget = widened(new Uint8Array(length), this.#isTarget);
    this.#armEnds = widened(new Uint8Array(length), this.#armEnds);
    this.#isDead = widened(new Uint8Array(length), this.#isDead);
  }
}

function widened<Values extends Uint8Array | Int32Array>(wider: Values, values: Values): Values {
  wider.set(values);
  return wider;
}
