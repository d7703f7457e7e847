/** The writer's ports in memory, where every effect is a turn of its own: between any two, anything may come. */
import type { Document, Head } from "../resources/document.ts";
import { byRange, isInRange } from "../resources/draft.ts";
import type { Fact } from "../resources/fact.ts";
import type { Told } from "../resources/verdict.ts";
import type { FactStore, LogPlace, SpaceDelivery, VerdictTopic } from "./write-ports.ts";

/** Resolves when it is this effect's turn. */
export type Turn = () => Promise<void>;

export type World = {
  readonly log: SpaceDelivery[];
  readonly told: Told[];
  readonly heads: Map<string, Head>;
  readonly documents: Map<string, Document>;
  readonly facts: Map<string, Fact>;
  readonly bySeq: Map<string, Fact>;
  committed: number;
  readonly faults: string[];
};

/** What a test takes away, to see that the invariants notice. */
export type Mutation =
  | "documents-before-facts"
  | "a-known-fact-is-projected"
  | "decide-again"
  | "no-guard"
  | "go-on-behind-a-known-fact"
  | "commit-before-projection"
  | "no-tail"
  | "not-told-first"
  | "heads-before-documents";

export function emptyWorld(): World {
  return {
    log: [],
    told: [],
    heads: new Map(),
    documents: new Map(),
    facts: new Map(),
    bySeq: new Map(),
    committed: 0,
    faults: [],
  };
}

const keyOf = (spaceId: string, of: string | number) => `${spaceId} ${of}`;

export function storeOver(world: World, turn: Turn, without?: Mutation): FactStore {
  let late: readonly Fact[] = [];
  let known = new Set<string>();
  async function keep(facts: readonly Fact[]): Promise<Fact[]> {
    const inTheWay: Fact[] = [];
    for (const fact of facts) {
      await turn();
      const other =
        world.facts.get(keyOf(fact.spaceId, fact.operationId)) ??
        (fact.seq === undefined ? undefined : world.bySeq.get(keyOf(fact.spaceId, fact.seq)));
      if (other !== undefined) {
        inTheWay.push(other);
        continue;
      }
      world.facts.set(keyOf(fact.spaceId, fact.operationId), fact);
      if (fact.seq !== undefined) world.bySeq.set(keyOf(fact.spaceId, fact.seq), fact);
    }
    return inTheWay;
  }
  async function writeHeads(heads: readonly Head[]): Promise<void> {
    for (const head of heads) {
      await turn();
      if ((world.heads.get(head.spaceId)?.position ?? -1) < head.position || without === "no-guard")
        world.heads.set(head.spaceId, head);
    }
  }
  return {
    async read({ heads, documents, operations, seqs }) {
      const found: { heads: Head[]; documents: Document[]; facts: Fact[] } = { heads: [], documents: [], facts: [] };
      for (const spaceId of heads) {
        await turn();
        const head = world.heads.get(spaceId);
        if (head !== undefined) found.heads.push(head);
      }
      for (const { spaceId, id } of documents) {
        await turn();
        const document = world.documents.get(keyOf(spaceId, id));
        if (document !== undefined) found.documents.push(document);
      }
      await turn();
      if (without === "decide-again") return found;
      const facts = [
        ...operations.map(({ spaceId, operationId }) => world.facts.get(keyOf(spaceId, operationId))),
        ...seqs.map(({ spaceId, seq }) => world.bySeq.get(keyOf(spaceId, seq))),
      ];
      found.facts.push(...facts.flatMap((fact) => fact ?? []));
      return found;
    },
    async referrers(spaceId, references) {
      await turn();
      return [...world.documents.values()].flatMap((document) =>
        references.flatMap(({ type, field, id }) =>
          document.spaceId === spaceId && document.type === type && document.fields[field] === id
            ? { id: document.id, to: id }
            : [],
        ),
      );
    },
    async ranged(spaceId, range) {
      await turn();
      const found = [...world.documents.values()].filter((each) => each.spaceId === spaceId && isInRange(each, range));
      return found
        .sort(byRange(range))
        .slice(0, range.max)
        .map(({ id, fields }) => ({ id, value: fields[range.field] as string }));
    },
    async record(facts) {
      if (without === "documents-before-facts") {
        late = facts;
        return [];
      }
      const inTheWay = await keep(facts);
      known = new Set(inTheWay.flatMap(({ spaceId, changes }) => changes.map(({ id }) => keyOf(spaceId, id))));
      return without === "go-on-behind-a-known-fact" ? [] : inTheWay;
    },
    async project(documents, heads) {
      if (without === "heads-before-documents") await writeHeads(heads);
      for (const document of documents) {
        const key = keyOf(document.spaceId, document.id);
        if (without === "a-known-fact-is-projected" && known.has(key)) continue;
        await turn();
        if ((world.documents.get(key)?.version ?? 0) < document.version || without === "no-guard")
          world.documents.set(key, document);
      }
      if (without === "documents-before-facts") await keep(late);
      if (without !== "heads-before-documents") await writeHeads(heads);
    },
  };
}

export function topicOver(world: World, turn: Turn, without?: Mutation): VerdictTopic {
  const ownTold: Told[] = [];
  return {
    async append(all) {
      for (const told of all) {
        await turn();
        world.told.push(told);
        ownTold.push(told);
        if (without === "commit-before-projection") world.committed = Math.max(world.committed, told.position + 1);
      }
    },
    async tail(from) {
      await turn();
      return without === "no-tail" ? [] : world.told.filter(({ position }) => position >= from);
    },
    async first(from, to) {
      await turn();
      const own = without === "not-told-first" ? ownTold : [];
      const told = [...own, ...world.told].filter(({ position }) => position >= from && position <= to);
      return told.filter(({ position }, at) => told.findIndex((other) => other.position === position) === at);
    },
  };
}

export function placeOver(world: World, turn: Turn): LogPlace {
  return {
    async committed() {
      await turn();
      return world.committed;
    },
    async end() {
      await turn();
      return world.log.length;
    },
    async commit(position) {
      await turn();
      world.committed = Math.max(world.committed, position);
    },
  };
}
