/** @module One after the other: for files that several asynchronous steps share. */

/** Runs a step when all that were given before have ended, however they did. */
export type Mutex = <T>(step: () => Promise<T>) => Promise<T>;

/** Makes a free one. */
export function createMutex(): Mutex {
  let last: Promise<unknown> = Promise.resolve();
  return (step) => {
    const result = last.then(step, step);
    last = result.catch(() => undefined);
    return result;
  };
}
