/**
 * Spaces that have lost their last member, in MongoDB: noted with the projection that shows it, before the log's place moves on, and blanked beside it. Facts keep
 * their place and number and lose what they tell; documents become tombstones, which a writer that does not know that it was replaced cannot write over.
 * The personal space is left by its user only when the account is erased: its note is for ever, and the user leaves every other space by a command of its own.
 */
import type { AnyBulkWriteOperation } from "mongodb";
import { v5 as uuidv5 } from "uuid";
import { parts } from "../../mongo/parts.ts";
import {
  type DocumentRecord,
  type FactRecord,
  factIn,
  foundAs,
  type SpaceCollections,
  StoredTextError,
} from "../../mongo/space-collections.ts";
import type { Command } from "../../resources/command.ts";
import type { Document, Head } from "../../resources/document.ts";
import type { Change, Fact } from "../../resources/fact.ts";
import { deletedBit } from "../../resources/listing.ts";
import type { FactStore } from "../write-ports.ts";

const atOnce = 250;
const spacesAtOnce = 20;
/** No version comes behind it. */
const endless = Number.MAX_SAFE_INTEGER;
const byId = { _id: 1 };
const noted = { $set: { isDone: false }, $inc: { notes: 1 } };

export type Leave = (command: Command) => Promise<void>;

export type MongoErasures = {
  /** The store that is given, with notes of what is to be erased. */
  readonly store: FactStore;
  /** Does some of what is noted; false when there is nothing more to do. May be tried again, and run beside another one. */
  work(leave: Leave): Promise<boolean>;
};

export function mongoErasures(
  store: FactStore,
  { facts, documents, erased }: Pick<SpaceCollections, "facts" | "documents" | "erased">,
  { now, onNote }: { readonly now: () => number; readonly onNote: () => void },
): MongoErasures {
  async function note(heads: readonly Head[], written: readonly Document[]): Promise<void> {
    const left = heads.filter(({ seq, members }) => seq > 0 && members.length === 0).map(({ spaceId }) => spaceId);
    // Of a user who joined behind the erasure of the account the note is there before the membership, or is made behind it.
    const joined = written.flatMap(({ type, version, fields }) =>
      type === "member" && version === 1 ? (fields.userId as string) : [],
    );
    for (const part of parts(left, atOnce))
      await erased.bulkWrite(
        part.map((_id) => ({
          updateOne: { filter: { _id }, update: noted, upsert: true, hint: byId },
        })),
        { ordered: false },
      );
    if (joined.length > 0) await erased.updateMany({ _id: { $in: joined } }, noted, { hint: byId });
    if (left.length > 0) onNote();
  }

  async function leaveAll(userId: string, leave: Leave): Promise<void> {
    const memberships = documents
      .find({ found: foundAs.member(userId) })
      .project<Pick<DocumentRecord, "space" | "id" | "state">>({ space: 1, id: 1, state: 1 });
    for await (const { space, id, state } of memberships)
      if (space !== userId && (state & deletedBit) === 0)
        await leave({
          kind: "leave",
          spaceId: space,
          userId,
          operationId: uuidv5(`leave ${space} ${id}`, userId),
          keyed: true,
          fingerprint: "",
          at: new Date(now()).toISOString(),
        });
  }

  return {
    store: {
      read: store.read,
      referrers: store.referrers,
      ranged: store.ranged,
      record: store.record,
      async project(written, heads) {
        await store.project(written, heads);
        await note(heads, written);
      },
    },
    async work(leave) {
      const due = await erased.find({ isDone: false }).limit(spacesAtOnce).toArray();
      for (const { _id: space, notes } of due) {
        await leaveAll(space, leave);
        await blankSpace({ facts, documents }, space);
        await erased.updateOne({ _id: space, notes }, { $set: { isDone: true } }, { hint: byId });
      }
      return due.length > 0;
    },
  };
}

/** Takes the content of a space away. May be repeated. */
export async function blankSpace(of: Pick<SpaceCollections, "facts" | "documents">, space: string): Promise<void> {
  await blankDocuments(of, space);
  await blankFacts(of, space);
}

async function blankDocuments({ documents }: Pick<SpaceCollections, "documents">, space: string): Promise<void> {
  for (;;) {
    const some = await documents
      .find({ space, version: { $lt: endless } })
      .project<Pick<DocumentRecord, "_id" | "id">>({ id: 1 })
      .limit(atOnce)
      .toArray();
    if (some.length === 0) return;
    await documents.bulkWrite(
      some.map(({ _id, id }) => ({
        replaceOne: { filter: { _id }, replacement: tombstone({ _id, space, id }), hint: byId },
      })),
      { ordered: false },
    );
  }
}

async function blankFacts({ facts }: Pick<SpaceCollections, "facts">, space: string): Promise<void> {
  let steps: AnyBulkWriteOperation<FactRecord>[] = [];
  const write = async () => {
    if (steps.length > 0) await facts.bulkWrite(steps, { ordered: false });
    steps = [];
  };
  for await (const record of facts.find({ space })) {
    const json = JSON.stringify(blanked(readable(record)));
    if (json === record.json) continue;
    steps.push({
      updateOne: {
        filter: { _id: record._id, space },
        update: { $set: { json }, $unset: { changed: 1 } },
        hint: byId,
      },
    });
    if (steps.length >= atOnce) await write();
  }
  await write();
}

/** Of one that is damaged, what stands beside its text: nothing of its content is to stay either. */
function readable(record: FactRecord): Fact {
  try {
    return factIn(record);
  } catch (fault) {
    if (!(fault instanceof StoredTextError)) throw fault;
    const { _id, space, seq, position } = record;
    const hasSeq = seq > 0;
    return {
      spaceId: space,
      operationId: _id.slice(space.length + 1),
      fingerprint: "",
      position,
      verdict: hasSeq ? "applied" : "rejected",
      ...(hasSeq ? { seq } : {}),
      at: "",
      actorId: space,
      keyed: true,
      changes: [],
      answers: [],
    };
  }
}

export function tombstone({ _id, space, id }: Pick<DocumentRecord, "_id" | "space" | "id">): DocumentRecord {
  return {
    _id,
    space,
    id,
    type: "",
    seq: endless,
    version: endless,
    state: deletedBit,
    createdAt: 0,
    updatedAt: 0,
    text: "",
    rest: "",
  };
}

/** Without its content; who was a member stays, since heads are made again from it. */
function blanked(fact: Fact): Fact {
  return {
    ...fact,
    fingerprint: "",
    answers: [],
    changes: fact.changes.filter(({ type }: Change) => type === "member"),
  };
}
