/**
 * What several partitions have at the same moment is taken as one, and what comes meanwhile as the next: a write, a journal's flush and an answer
 * cost more than what is in them, so that two takes at once are slower than both as one.
 */
import type { Work } from "./source-kafka.ts";

export type TogetherOptions = {
  readonly take: (works: readonly Work[]) => Promise<void>;
  /** Whether a failure may be one partition's alone: then each is taken by itself, and only those fail that do. */
  readonly isOfOne: (error: unknown) => boolean;
  /** Commands of one take at most, unless a single partition's are more. */
  readonly commandsMax: number;
};

type Waiting = { readonly work: Work; readonly done: () => void; readonly failed: (error: unknown) => void };

/** One partition's work is given after the other: whoever gave it waits. Rejects with what `take` throws. */
export function together({ take, isOfOne, commandsMax }: TogetherOptions): (work: Work) => Promise<void> {
  const waiting: Waiting[] = [];
  /** A take is under way, or will be in this turn. */
  let busy = false;

  async function run(some: readonly Waiting[]): Promise<void> {
    try {
      await take(some.map(({ work }) => work));
      for (const each of some) each.done();
    } catch (error) {
      if (some.length > 1 && isOfOne(error)) await Promise.all(some.map((each) => run([each])));
      else for (const each of some) each.failed(error);
    }
  }

  function next(): Waiting[] {
    let commands = 0;
    const end = waiting.findIndex(({ work }, index) => {
      commands += work.deliveries.length;
      return index > 0 && commands > commandsMax;
    });
    return waiting.splice(0, end < 0 ? waiting.length : end);
  }

  async function all(): Promise<void> {
    busy = true;
    while (waiting.length > 0) {
      // A fetch has something of many partitions, one after the other.
      await new Promise((resolve) => setImmediate(resolve));
      await run(next());
    }
    busy = false;
  }

  return (work) =>
    new Promise((done, failed) => {
      waiting.push({ work, done, failed });
      if (!busy) void all();
    });
}
