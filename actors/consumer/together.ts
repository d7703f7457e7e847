/** What several partitions have at the same moment is taken as one: a write, a journal's flush and an answer cost more than what is in them. */
import type { Work } from "./source-kafka.ts";

export type TogetherOptions = {
  readonly take: (works: readonly Work[]) => Promise<void>;
  /** Whether a failure may be one partition's alone: then each is taken by itself, and only those fail that do. */
  readonly isOfOne: (error: unknown) => boolean;
  /** Commands of one take at most, unless a single partition's are more. */
  readonly commandsMax: number;
  readonly takesAtOnce: number;
};

type Waiting = { readonly work: Work; readonly done: () => void; readonly failed: (error: unknown) => void };

/** One partition's work is given after the other: whoever gave it waits. Rejects with what `take` throws. */
export function together({ take, isOfOne, commandsMax, takesAtOnce }: TogetherOptions): (work: Work) => Promise<void> {
  const waiting: Waiting[] = [];
  let underWay = 0;
  let looking = false;

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

  function look(): void {
    looking = false;
    while (underWay < takesAtOnce && waiting.length > 0) {
      underWay += 1;
      void run(next()).finally(() => {
        underWay -= 1;
        soon();
      });
    }
  }

  /** Not at once: a fetch has something of many partitions, one after the other. */
  function soon(): void {
    if (looking || waiting.length === 0) return;
    looking = true;
    setImmediate(look);
  }

  return (work) =>
    new Promise((done, failed) => {
      waiting.push({ work, done, failed });
      soon();
    });
}
