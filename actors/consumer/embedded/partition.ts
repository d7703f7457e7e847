/** The writer's ports where the log is a mailbox: what is decided is told by the answers, which follow the commit of one transaction. */
import type { Document, Head } from "../../resources/document.ts";
import type { Fact } from "../../resources/fact.ts";
import type { Told } from "../../resources/verdict.ts";
import type { WriterPorts } from "../partition-writer.ts";
import type { SqliteFactStore } from "./fact-store.ts";

export type LocalPartition = {
  readonly ports: Omit<WriterPorts, "registry">;
  /** What was decided and is not committed never happened. */
  forget(): void;
};

export function localPartition(store: SqliteFactStore): LocalPartition {
  let told: Told[] = [];
  let facts: readonly Fact[] = [];
  let documents: readonly Document[] = [];
  let heads: readonly Head[] = [];
  const next = () => store.position() + 1;

  return {
    forget() {
      [told, facts, documents, heads] = [[], [], [], []];
    },
    ports: {
      store: {
        read: store.read,
        referrers: store.referrers,
        ranged: store.ranged,
        async record(given) {
          facts = given;
          return [];
        },
        async project(givenDocuments, givenHeads) {
          documents = givenDocuments;
          heads = givenHeads;
        },
      },
      topic: {
        append: async (verdicts) => void told.push(...verdicts),
        tail: async () => [],
        first: async (from, to) => told.filter(({ position }) => position >= from && position <= to),
      },
      place: {
        committed: async () => next(),
        end: async () => next(),
        async commit(position) {
          const inTheWay = store.commit(facts, documents, heads, position - 1);
          if (inTheWay.length > 0)
            throw new Error("Cannot commit: the file has facts that this writer has not written");
          told = told.filter((verdict) => verdict.position >= position);
          [facts, documents, heads] = [[], [], []];
        },
      },
    },
  };
}
