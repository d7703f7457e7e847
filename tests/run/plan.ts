/** Which tests a run takes, which of them side by side, and in which order. Pure. */

export type Job = {
  readonly name: string;
  readonly files: readonly string[];
  readonly env: Readonly<Record<string, string>>;
};

/** Plays simulations for longer; not the name of a file. */
export const simulations = "simulations";

/**
 * What takes half a minute or more is not in `npm test`, so that who changes something knows in ten minutes: faults at random, outages, restarts by the dozen,
 * benchmarks. `npm run test:long` plays these, in CI each time. In this order, so that none of the longest is left to run alone at the end.
 */
export const long: readonly string[] = [
  "tests/outages/outages.test.ts",
  "tests/runtime/threads.test.ts",
  "tests/faults.test.ts",
  "tests/stack/stops.test.ts",
  "tests/stack/bench-seed.test.ts",
  "tests/outages/kills.test.ts",
  "tests/page/safety.test.ts",
  "tests/page/trouble.test.ts",
  "tests/outages/team.test.ts",
  simulations,
  "tests/tracker.test.ts",
  "tests/page/disturbed.test.ts",
  "tests/moving.test.ts",
  "tests/flow.test.ts",
  "tests/stack/rebalances.test.ts",
  "tests/page/together.test.ts",
  "tests/stack/rebuild.test.ts",
  "tests/stack/late-imports.test.ts",
  "tests/contract/space-reads.test.ts",
  "tests/stack/refused-writes.test.ts",
  "tests/webhooks/consumers.test.ts",
  "tests/outages/kafka-line.test.ts",
  "tests/stack/parked.test.ts",
  "tests/runtime/package.test.ts",
  "tests/page/random.test.ts",
  "tests/page/leaving.test.ts",
  "tests/webhooks/webhooks.test.ts",
  "tests/runtime/starved.test.ts",
  "tests/stack/bench.test.ts",
  "tests/stack/backup-servers.test.ts",
  "tests/bench-runtime.test.ts",
  "tests/stack/redis-forgets.test.ts",
  "tests/stack/own-writes.test.ts",
  "tests/team.test.ts",
  "tests/services.test.ts",
  "tests/page/views.test.ts",
  "tests/stack/auth-postgres.test.ts",
];

/** The long ones in their order, or all others as they come. */
export function chosen(jobs: readonly Job[], { isLong }: { isLong: boolean }): Job[] {
  const place = ({ name }: Job): number => long.indexOf(name);
  if (!isLong) return jobs.filter((job) => place(job) === -1);
  return jobs.filter((job) => place(job) !== -1).toSorted((a, b) => place(a) - place(b));
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
