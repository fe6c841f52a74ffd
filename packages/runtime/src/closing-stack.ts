/**
 * @module What has to be closed, in the reverse order of opening: the part that is needed here of
 * `AsyncDisposableStack` (ECMAScript explicit resource management), which Node.js 22 does not have.
 */

/** Closes what was opened; everything, also when closing one thing fails. */
export class ClosingStack implements AsyncDisposable {
  #closers: (() => unknown)[] = [];

  /** Closes a resource at the end, and answers it. */
  use<T extends Disposable | AsyncDisposable>(resource: T): T {
    this.#closers.push(() =>
      Symbol.asyncDispose in resource
        ? resource[Symbol.asyncDispose]()
        : resource[Symbol.dispose](),
    );
    return resource;
  }

  /** Calls a function at the end. */
  defer(close: () => unknown): void {
    this.#closers.push(close);
  }

  /** Hands everything to a new stack: this one closes nothing any more. */
  move(): ClosingStack {
    const moved = new ClosingStack();
    moved.#closers = this.#closers;
    this.#closers = [];
    return moved;
  }

  /** Closes everything once. @throws the first failure, when everything else is closed too. */
  async close(): Promise<void> {
    const failures: unknown[] = [];
    for (let closer = this.#closers.pop(); closer !== undefined; closer = this.#closers.pop()) {
      try {
        await closer();
      } catch (error) {
        failures.push(error);
      }
    }
    if (failures.length > 0) throw failures[0];
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }
}
