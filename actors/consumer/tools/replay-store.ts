/**
 * The store of facts in MongoDB for a replay into empty collections that no other process reads: nothing needs its order before it is whole, so facts are written
 * together, and documents and heads are held and written once for many changes.
 */
import { duplicates } from "../../mongo/duplicates.ts";
import { parts } from "../../mongo/parts.ts";
import { factRecord, keyOf, type SpaceCollections } from "../../mongo/space-collections.ts";
import type { Document, Head } from "../../resources/document.ts";
import { isInRange } from "../../resources/draft.ts";
import type { Registry } from "../../resources/registry.ts";
import { mongoDocuments } from "../servers/documents.ts";
import { mongoFactStore } from "../servers/fact-store.ts";
import type { FactStore } from "../write-ports.ts";

const heldMax = 5_000;
const writesAtOnce = 1_000;

export type ReplayStore = FactStore & {
  /** Writes all that is held. */
  flush(): Promise<void>;
};

/** For one partition: its spaces are in no other. */
export function replayStore(fresh: SpaceCollections, registry: Registry): ReplayStore {
  const store = mongoFactStore(fresh, { now: Date.now, registry });
  const documentsOf = mongoDocuments(fresh, registry);
  const documents = new Map<string, Document>();
  /** Those of which the collection has nothing. */
  const isNew = new Set<string>();
  const heads = new Map<string, Head>();
  const keyIn = ({ spaceId, id }: Pick<Document, "spaceId" | "id">) => keyOf(spaceId, id);

  async function flush(): Promise<void> {
    await documentsOf.write([...documents.values()], (document) => isNew.has(keyIn(document)));
    await store.project([], [...heads.values()]);
    for (const held of [documents, isNew, heads]) held.clear();
  }

  return {
    flush,

    async read(reading) {
      const found = await store.read({
        ...reading,
        heads: reading.heads.filter((spaceId) => !heads.has(spaceId)),
        documents: reading.documents.filter((key) => !documents.has(keyIn(key))),
      });
      return {
        facts: found.facts,
        heads: [...found.heads, ...reading.heads.flatMap((spaceId) => heads.get(spaceId) ?? [])],
        documents: [...found.documents, ...reading.documents.flatMap((key) => documents.get(keyIn(key)) ?? [])],
      };
    },

    async referrers(spaceId, references) {
      const [{ type, field } = { type: "", field: "" }] = references;
      const asked = new Set(references.map(({ id }) => id));
      const written = await store.referrers(spaceId, references);
      const own = [...documents.values()].flatMap((document) => {
        const to = document.fields[field];
        const isOne = document.spaceId === spaceId && document.type === type && typeof to === "string" && asked.has(to);
        return isOne ? { id: document.id, to } : [];
      });
      return [...written.filter(({ id }) => !documents.has(keyOf(spaceId, id))), ...own];
    },

    async ranged(spaceId, range) {
      const written = await store.ranged(spaceId, { ...range, max: range.max + documents.size });
      const own = [...documents.values()].filter((each) => each.spaceId === spaceId && isInRange(each, range));
      const held = own.map(({ id, fields }) => ({ id, value: fields[range.field] as string }));
      const all = [...written.filter(({ id }) => !documents.has(keyOf(spaceId, id))), ...held];
      const sign = range.isDescending ? -1 : 1;
      return all.sort((one, other) => (one.value < other.value ? -sign : sign)).slice(0, range.max);
    },

    async record(facts) {
      for (const [at, some] of parts(facts, writesAtOnce).entries()) {
        // Records without a key end a day after their commands, whenever they are made.
        const records = some.map((fact) => factRecord(fact, Date.parse(fact.at)));
        const known = await duplicates(() => fresh.facts.insertMany(records, { ordered: false }));
        if (known.length > 0)
          return store.record([
            ...known.flatMap((index) => some[index] ?? []),
            ...facts.slice((at + 1) * writesAtOnce),
          ]);
      }
      return [];
    },

    async project(changed, moved) {
      for (const document of changed) {
        const key = keyIn(document);
        if (document.version === 1) isNew.add(key);
        documents.set(key, document);
      }
      for (const head of moved) heads.set(head.spaceId, head);
      if (documents.size + heads.size > heldMax) await flush();
    },
  };
}
