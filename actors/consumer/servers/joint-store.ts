/**
 * The store of facts for all partitions of a writer: what they ask for while a request is under way goes to the server as one. Spaces belong to one partition
 * each, so that answers are told apart. Where a joint request fails, each is made by itself: what is wrong with one partition's is its own.
 */
import type { Document, Head } from "../../resources/document.ts";
import type { Fact } from "../../resources/fact.ts";
import type { FactStore, Found, Reading } from "../write-ports.ts";

type Projection = { readonly documents: readonly Document[]; readonly heads: readonly Head[] };

/** What is joined has no more parts than this: a server is done with it in time. */
const sizeMax = 1_000;

export function jointStore(store: FactStore): FactStore {
  const read = joined<Reading, Found>({
    ask: store.read,
    sizeOf: ({ heads, documents, operations, seqs }) =>
      heads.length + documents.length + operations.length + seqs.length,
    join: (all) => ({
      heads: all.flatMap(({ heads }) => heads),
      documents: all.flatMap(({ documents }) => documents),
      operations: all.flatMap(({ operations }) => operations),
      seqs: all.flatMap(({ seqs }) => seqs),
    }),
    // Each asker looks only for what it asked for.
    partOf: (found) => found,
  });
  const record = joined<readonly Fact[], readonly Fact[]>({
    ask: store.record,
    sizeOf: (facts) => facts.length,
    join: (all) => all.flat(),
    partOf(inTheWay, facts) {
      const spaces = new Set(facts.map(({ spaceId }) => spaceId));
      return inTheWay.filter(({ spaceId }) => spaces.has(spaceId));
    },
  });
  const project = joined<Projection, void>({
    ask: ({ documents, heads }) => store.project(documents, heads),
    sizeOf: ({ documents, heads }) => documents.length + heads.length,
    join: (all) => ({
      documents: all.flatMap(({ documents }) => documents),
      heads: all.flatMap(({ heads }) => heads),
    }),
    partOf: () => undefined,
  });
  return {
    read,
    // Asked for seldom, and for one decision.
    referrers: store.referrers,
    ranged: store.ranged,
    record,
    project: (documents, heads) => project({ documents, heads }),
  };
}

type Joining<Question, Answer> = {
  readonly ask: (question: Question) => Promise<Answer>;
  readonly sizeOf: (question: Question) => number;
  readonly join: (questions: readonly Question[]) => Question;
  readonly partOf: (answer: Answer, question: Question) => Answer;
};

type Waiting<Question, Answer> = { readonly question: Question } & PromiseWithResolvers<Answer>;

/** One request at a time; what comes meanwhile is the next. */
function joined<Question, Answer>({ ask, sizeOf, join, partOf }: Joining<Question, Answer>) {
  let waiting: Waiting<Question, Answer>[] = [];
  let isBusy = false;

  function next(): Waiting<Question, Answer>[] {
    let size = 0;
    const count = waiting.findIndex(({ question }, at) => (size += sizeOf(question)) > sizeMax && at > 0);
    const some = count < 0 ? waiting : waiting.slice(0, count);
    waiting = waiting.slice(some.length);
    return some;
  }

  async function alone({ question, resolve, reject }: Waiting<Question, Answer>): Promise<void> {
    await ask(question).then(resolve, reject);
  }

  async function together(some: readonly Waiting<Question, Answer>[]): Promise<void> {
    try {
      const answer = await ask(join(some.map(({ question }) => question)));
      for (const { question, resolve } of some) resolve(partOf(answer, question));
    } catch {
      for (const each of some) await alone(each);
    }
  }

  async function work(): Promise<void> {
    while (waiting.length > 0) {
      const some = next();
      const [only] = some;
      await (some.length === 1 && only !== undefined ? alone(only) : together(some));
    }
    isBusy = false;
  }

  return (question: Question): Promise<Answer> => {
    const asked = { question, ...Promise.withResolvers<Answer>() };
    waiting.push(asked);
    if (!isBusy) {
      isBusy = true;
      void work();
    }
    return asked.promise;
  };
}
