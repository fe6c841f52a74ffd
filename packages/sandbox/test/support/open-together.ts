/** @module Resources of a judge or fuzzer that end with it: as AsyncDisposableStack, which Node 22 lacks. */

/** Takes a resource into what is disposed of, the last one first. */
export type Use = <T extends AsyncDisposable>(resource: T) => T;

/** What `open` makes of the resources that it uses, with their disposal; a failure disposes of them at once. */
export async function openTogether<T extends object>(
  open: (use: Use) => Promise<T>,
): Promise<T & AsyncDisposable> {
  const opened: AsyncDisposable[] = [];
  const dispose = async (): Promise<void> => {
    for (const resource of opened.splice(0).toReversed()) await resource[Symbol.asyncDispose]();
  };
  try {
    const made = await open((resource) => {
      opened.push(resource);
      return resource;
    });
    return { ...made, [Symbol.asyncDispose]: dispose };
  } catch (error) {
    await dispose();
    throw error;
  }
}
