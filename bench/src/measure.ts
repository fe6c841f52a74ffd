/**
 * @module Fair measuring on a noisy machine: contestants take turns in rounds, each round gives one
 * figure per contestant, and what is reported is the median of the rounds' ratios.
 */

/** One contestant: carries out `count` operations and answers one figure for them. */
export interface Contestant<Name extends string = string> {
  readonly name: Name;
  measure(): Promise<number>;
}

/** The median; the mean of the middle two where there are two. */
export function median(values: readonly number[]): number {
  const sorted = [...values].toSorted((a, b) => a - b);
  const middle = sorted.length >> 1;
  const upper = sorted[middle] ?? Number.NaN;
  return sorted.length % 2 === 1 ? upper : ((sorted[middle - 1] ?? upper) + upper) / 2;
}

/** Figures of each contestant, round by round; the order within a round alternates. */
export async function interleave<Name extends string>(
  rounds: number,
  contestants: readonly Contestant<Name>[],
): Promise<Readonly<Record<Name, readonly number[]>>> {
  const figures = Object.fromEntries(
    contestants.map(({ name }) => [name, [] as number[]]),
  ) as Record<Name, number[]>;
  for (let round = 0; round < rounds; round++) {
    const order = round % 2 === 0 ? contestants : contestants.toReversed();
    for (const contestant of order) figures[contestant.name].push(await contestant.measure());
  }
  return figures;
}

/** Median of the ratios `ours / theirs`, round by round. */
export function ratio(ours: readonly number[], theirs: readonly number[]): number {
  return median(ours.map((figure, round) => figure / (theirs[round] ?? Number.NaN)));
}

/** Median latency of `count` calls in sequence, milliseconds. */
export async function medianLatency(count: number, call: () => Promise<unknown>): Promise<number> {
  const samples: number[] = [];
  for (let at = 0; at < count; at++) {
    const start = performance.now();
    await call();
    samples.push(performance.now() - start);
  }
  return median(samples);
}

/** Calls per second with `depth` of them under way at any time. */
export async function pipelinedThroughput(
  count: number,
  depth: number,
  call: () => Promise<unknown>,
): Promise<number> {
  const start = performance.now();
  let left = count;
  const lane = async (): Promise<void> => {
    while (left-- > 0) await call();
  };
  await Promise.all(Array.from({ length: depth }, lane));
  return count / ((performance.now() - start) / 1_000);
}
