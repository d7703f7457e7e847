/**
 * Documents and heads of spaces in MongoDB made again from the facts, into collections beside those that are read. The facts come space by space, each in its
 * order: a space is folded in memory and written once, as it is in the end. One that has more documents than memory is to hold is written in parts.
 */
import { duplicates } from "../../mongo/duplicates.ts";
import { ensureIndexesOf } from "../../mongo/indexes.ts";
import { parts } from "../../mongo/parts.ts";
import {
  type DocumentRecord,
  type FactRecord,
  factIn,
  type HeadRecord,
  headIn,
  headRecord,
  keyOf,
  type SpaceCollections,
  StoredTextError,
} from "../../mongo/space-collections.ts";
import { ensureReplayIndexes, inOrder } from "../../mongo/space-indexes.ts";
import type { Document, Head } from "../../resources/document.ts";
import type { Fact } from "../../resources/fact.ts";
import { headAfter, isPersonal, personalHead, unmadeHead } from "../../resources/head.ts";
import type { Registry } from "../../resources/registry.ts";
import { mongoDocuments } from "../servers/documents.ts";
import { tombstone } from "../servers/erasures.ts";
import { afterFact, movedOn, type RebuildControl, RebuildError } from "./rebuild.ts";

export type FactsReplay = RebuildControl & {
  /** Those that are read. */
  readonly now: SpaceCollections;
  /** Empty ones. */
  readonly fresh: SpaceCollections;
  readonly registry: Registry;
  /** Documents of one space in memory at most. */
  readonly heldMax?: number;
};

const factsAtOnce = 1_000;
const writesAtOnce = 1_000;
const idsAtOnce = 1_000;
const usualHeldMax = 50_000;

/** Resolves to the number of facts. */
export async function documentsFromFacts(options: FactsReplay): Promise<number> {
  const { now, fresh, progress, signal } = options;
  await ensureIndexesOf(now.facts, [inOrder]);
  const erased = new Set(
    (await now.erased.find().project<{ _id: string }>({ _id: 1 }).toArray()).map(({ _id }) => _id),
  );
  const total = await now.facts.countDocuments();
  const replay = factsReplay(options, erased);
  let done = 0;
  let batch: FactRecord[] = [];
  const take = async () => {
    signal.throwIfAborted();
    await replay.take(batch);
    done += batch.length;
    batch = [];
    progress.update(done, total);
  };
  const all = now.facts.find(
    {},
    { sort: inOrder.key as Record<string, 1>, hint: inOrder.key as Record<string, 1>, batchSize: factsAtOnce },
  );
  try {
    for await (const record of all) {
      batch.push(record);
      if (batch.length >= factsAtOnce) await take();
    }
    await take();
    await replay.end();
    for (const some of parts([...erased], idsAtOnce)) {
      const tombstones = await now.documents.find({ space: { $in: some }, type: "" }).toArray();
      await insertMissing(fresh, tombstones);
    }
  } catch (error) {
    if (!(error instanceof StoredTextError)) throw error;
    throw new RebuildError(
      `Cannot rebuild from the facts: ${error.message}; \`tracker rebuild --from-log\` makes the facts too`,
      { cause: error },
    );
  }
  return done;
}

type Moved = Pick<Head, "position" | "at">;

/** A space as its facts up to here have made it. */
type Space = {
  readonly id: string;
  head: Head | undefined;
  readonly documents: Map<string, Document>;
  /** Those that are to be written. */
  readonly changed: Set<string>;
  /** Some of its documents were written, and are no longer in memory. */
  isPartly: boolean;
  /** Of facts without a number, which come first and backwards: positions, each with the latest instant from there on. */
  readonly unnumbered: Moved[];
};

function factsReplay({ now, fresh, registry, heldMax = usualHeldMax }: FactsReplay, erased: ReadonlySet<string>) {
  const documentsOf = mongoDocuments(fresh, registry);
  let space: Space | undefined;
  /** Of spaces that are whole and not written. */
  let documents: Document[] = [];
  let heads: Head[] = [];
  let hasIndexes = false;

  function add(to: Space, fact: Fact): void {
    const { position, at } = fact;
    if (fact.seq === undefined) {
      if (at > (to.unnumbered.at(-1)?.at ?? "")) to.unnumbered.push({ position, at });
      return;
    }
    if (erased.has(to.id)) {
      to.head = erasedHead(to.head, fact);
      for (const { id } of fact.changes) to.changed.add(id);
      return;
    }
    const after = afterFact(registry, fact, { head: to.head, find: (id) => to.documents.get(id) });
    if (after === undefined) return;
    // Those before the first change make no head.
    if (to.head === undefined)
      to.unnumbered.push(...to.unnumbered.splice(0).filter((each) => each.position > position));
    to.head = after.head;
    for (const document of after.documents) {
      to.documents.set(document.id, document);
      to.changed.add(document.id);
    }
  }

  /** Documents that were written and that these facts change. */
  async function readAgain(of: Space, facts: readonly Fact[]): Promise<void> {
    const ids = facts.flatMap(({ changes }) => changes.map(({ id }) => id)).filter((id) => !of.documents.has(id));
    for (const document of await documentsOf.find(ids.map((id) => keyOf(of.id, id))))
      of.documents.set(document.id, document);
  }

  const changedOf = (of: Space) => [...of.changed].flatMap((id) => of.documents.get(id) ?? []);

  async function writePart(of: Space): Promise<void> {
    if (!hasIndexes) await ensureReplayIndexes(fresh);
    hasIndexes = true;
    await documentsOf.write(changedOf(of));
    of.isPartly = true;
    of.documents.clear();
    of.changed.clear();
  }

  async function end(of: Space): Promise<void> {
    if (of.head !== undefined) heads.push(of.unnumbered.reduce(movedOn, of.head));
    if (erased.has(of.id))
      await insertMissing(
        fresh,
        [...of.changed].map((id) => tombstone({ _id: keyOf(of.id, id), space: of.id, id })),
      );
    else if (of.isPartly) await writePart(of);
    else for (const document of changedOf(of)) documents.push(document);
    if (documents.length + heads.length >= writesAtOnce) await writeWhole();
  }

  async function writeWhole(): Promise<void> {
    await documentsOf.write(documents, () => true);
    documents = [];
    const before = new Map<string, HeadRecord>();
    for (const ids of parts(
      heads.map(({ spaceId }) => spaceId),
      idsAtOnce,
    ))
      for (const record of await now.heads.find({ _id: { $in: ids } }).toArray()) before.set(record._id, record);
    const records = heads.map((head) => {
      const earlier = before.get(head.spaceId);
      return earlier === undefined ? headRecord(head) : headBehind(head, earlier, erased.has(head.spaceId));
    });
    for (const some of parts(records, writesAtOnce)) await fresh.heads.insertMany(some, { ordered: false });
    heads = [];
  }

  return {
    /** Of each space in their order, and behind all of another. */
    async take(records: readonly FactRecord[]): Promise<void> {
      for (const [id, some] of Map.groupBy(records, (record) => record.space)) {
        if (space?.id !== id) {
          if (space !== undefined) await end(space);
          space = { id, head: undefined, documents: new Map(), changed: new Set(), isPartly: false, unnumbered: [] };
        }
        const facts = some.map(factIn);
        if (space.isPartly) await readAgain(space, facts);
        for (const fact of facts) add(space, fact);
        if (space.documents.size > heldMax) await writePart(space);
      }
    },
    async end(): Promise<void> {
      if (space !== undefined) await end(space);
      await writeWhole();
    },
  };
}

/** Its facts are blanked, or are about to be: who was a member is all that they still tell. */
function erasedHead(head: Head | undefined, fact: Fact): Head {
  const { spaceId, actorId, changes } = fact;
  const before = head ?? (isPersonal(spaceId, actorId) ? personalHead(actorId) : unmadeHead(spaceId));
  return headAfter(before, { ...fact, changes: changes.filter(({ type }) => type === "member") });
}

/** What the store had is as far or further: more than facts that were not projected is not behind it. */
function headBehind(head: Head, record: HeadRecord, isErased: boolean): HeadRecord {
  let earlier: Head;
  try {
    earlier = headIn(record);
  } catch {
    // It may be what is damaged.
    const { position } = record;
    return headRecord(Number.isSafeInteger(position) ? movedOn(head, { position, at: "" }) : head);
  }
  if (isErased) return record;
  if (earlier.seq > head.seq)
    throw new RebuildError(
      `Cannot rebuild from the facts: space ${head.spaceId} has fact ${head.seq} at last, and had ${earlier.seq}; \`tracker rebuild --from-log\` makes the facts too`,
    );
  return headRecord(movedOn(head, earlier));
}

async function insertMissing(
  { documents }: Pick<SpaceCollections, "documents">,
  records: readonly DocumentRecord[],
): Promise<void> {
  for (const some of parts(records, writesAtOnce))
    await duplicates(() => documents.insertMany(some, { ordered: false }));
}
