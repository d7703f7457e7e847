/** Which tests `npm test` runs side by side, and in which order. Pure. */

export type Job = {
  readonly name: string;
  readonly files: readonly string[];
  readonly env: Readonly<Record<string, string>>;
};

/** Plays simulations for longer; not the name of a file. */
export const simulations = "simulations";

/**
 * The longest jobs, in the order in which they begin, so that none of them is left to run alone at the end. A wrong place costs seconds, never a result:
 * what is not listed comes after them.
 */
export const longest: readonly string[] = [
  "tests/outages/outages.test.ts",
  "tests/stack/stops.test.ts",
  "tests/faults.test.ts",
  "tests/outages/kills.test.ts",
  "tests/runtime/threads.test.ts",
  "tests/page/disturbed.test.ts",
  "tests/contract/space-reads.test.ts",
  "tests/stack/rebalances.test.ts",
  "tests/outages/kafka-line.test.ts",
  "tests/flow.test.ts",
  "tests/stack/bench.test.ts",
  simulations,
  "tests/stack/rebuild.test.ts",
  "tests/tracker.test.ts",
  "tests/bench-runtime.test.ts",
  "tests/tracing.test.ts",
  "tests/page/views.test.ts",
  "tests/page/random.test.ts",
  "tests/runtime/starved.test.ts",
  "tests/stack/refused-writes.test.ts",
  "tests/page/together.test.ts",
  "tests/spaces.test.ts",
];

/** The longest first, the others as they come. */
export function inOrder(jobs: readonly Job[]): Job[] {
  const place = ({ name }: Job): number => {
    const found = longest.indexOf(name);
    return found === -1 ? longest.length : found;
  };
  return jobs.toSorted((a, b) => place(a) - place(b));
}

/**
 * Two jobs run at once, since tests wait a good part of their time, and one of them at most uses the shared servers: a stand-in of MongoDB that two tests
 * keep busy is too slow for the deadlines of either. The first lane goes on with the others when those are done.
 */
export function lanesOf(jobs: readonly Job[]): Job[][][] {
  const onServers = /^tests\/(contract|stack|outages|webhooks|(flow|moving|team)\.test)/;
  const shared = jobs.filter(({ name }) => onServers.test(name));
  const others = jobs.filter(({ name }) => !onServers.test(name));
  return [[shared, others], [others]];
}
