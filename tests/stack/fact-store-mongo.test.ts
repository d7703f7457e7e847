/** The store of facts in MongoDB: what a writer of spaces may rely on, whoever writes at the same time and whatever it finds damaged. */
import { afterAll, beforeAll, beforeEach, expect, test } from "bun:test";
import { PartitionWriter } from "../../actors/consumer/partition-writer.ts";
import { mongoErasures } from "../../actors/consumer/servers/erasures.ts";
import { mongoFactStore } from "../../actors/consumer/servers/fact-store.ts";
import { emptyWorld, placeOver, storeOver, topicOver, type World } from "../../actors/consumer/spaces-for-tests.ts";
import type { FactStore } from "../../actors/consumer/write-ports.ts";
import { connectMongo, type Mongo } from "../../actors/mongo/connect.ts";
import {
  type DocumentRecord,
  documentRecord,
  type SpaceCollections,
  StoredTextError,
  spaceCollections,
} from "../../actors/mongo/space-collections.ts";
import { ensureSpaceIndexes } from "../../actors/mongo/space-indexes.ts";
import type { Command } from "../../actors/resources/command.ts";
import type { Document, Head } from "../../actors/resources/document.ts";
import type { Fact } from "../../actors/resources/fact.ts";
import { registry } from "../../actors/resources/registry.ts";
import { commandOf, idOf } from "../../actors/resources/space-for-tests.ts";
import { task } from "../../actors/resources/task.ts";
import { describeWith, service } from "../system/services.ts";

const server = await service("MONGO_URL");
const [home, work, ann] = [idOf(1), idOf(2), idOf(11)];
const nowMs = Date.UTC(2100, 0, 1);
const nothing = { heads: [], documents: [], operations: [], seqs: [] };

function factOf(seq: number | undefined, more: Partial<Fact> = {}): Fact {
  return {
    spaceId: home,
    operationId: idOf(1_000 + (more.position ?? seq ?? 0)),
    fingerprint: "",
    position: seq ?? 0,
    verdict: seq === undefined ? "rejected" : "applied",
    ...(seq === undefined ? {} : { seq }),
    at: "2026-01-01T00:00:00.000Z",
    actorId: ann,
    keyed: false,
    changes: [],
    answers: [],
    ...more,
  };
}

function documentOf(seq: number, version = seq, more: Partial<Document> = {}): Document {
  const at = "2026-01-01T00:00:00.000Z";
  // Every field of its type, as all documents have them.
  const fields = fieldsOf({ title: `${seq} ${version}` });
  const common = { creatorId: ann, createdAt: at, updatedAt: at, undoable: 0 };
  return { spaceId: home, id: idOf(31), type: "task", version, seq, fields, ...common, ...more };
}

function fieldsOf(given: Document["fields"]): Document["fields"] {
  return { ...Object.fromEntries(Object.keys(task.fields).map((name) => [name, null])), ...given };
}

function headOf(position: number, more: Partial<Head> = {}): Head {
  const at = "2026-01-01T00:00:00.000Z";
  return { spaceId: home, seq: position, position, at, isDeleted: false, members: [], projects: 0, ...more };
}

describeWith("the store of facts in MongoDB", [server], ({ url }) => {
  let mongo: Mongo;
  let kept: SpaceCollections;
  let store: FactStore;

  beforeAll(() => {
    const own = new URL(url);
    own.pathname = `/test_${process.pid}_${crypto.randomUUID().slice(0, 8)}`;
    mongo = connectMongo({ url: own.href });
    kept = spaceCollections(mongo.db);
    store = mongoFactStore(kept, { now: () => nowMs, registry });
  });
  beforeEach(async () => {
    await mongo.db.dropDatabase();
    await ensureSpaceIndexes(kept);
  });
  afterAll(async () => {
    await mongo.db.dropDatabase();
    await mongo.close();
  });

  async function seqsOf(spaceId: string): Promise<(number | undefined)[]> {
    return (
      await kept.facts
        .find({ space: spaceId, seq: { $gt: 0 } })
        .sort({ seq: 1 })
        .toArray()
    ).map(({ seq }) => seq);
  }

  test("what was written is read as it was, and what does not exist is left out", async () => {
    const fact = factOf(1, { keyed: true, refusal: { code: "conflict", change: 0 }, answers: [idOf(31)] });
    const document = documentOf(1, 1, { fields: fieldsOf({ title: "Çay 😀", due: { date: "2026-01-01" } }) });
    await store.record([fact]);
    await store.project([document], [headOf(1)]);
    const found = await store.read({
      heads: [home, work],
      documents: [
        { spaceId: home, id: idOf(31) },
        { spaceId: work, id: idOf(31) },
      ],
      operations: [
        { spaceId: home, operationId: fact.operationId },
        { spaceId: work, operationId: fact.operationId },
      ],
      seqs: [
        { spaceId: home, seq: 1 },
        { spaceId: home, seq: 2 },
      ],
    });
    expect(found).toEqual({ heads: [headOf(1)], documents: [document], facts: [fact] });
  });

  test("facts that are there already are answered and left, and those between and behind them are written", async () => {
    await store.record([factOf(1), factOf(2)]);
    const refusal = factOf(undefined, { position: 50 });
    await store.record([refusal]);
    expect(await store.record([factOf(1), factOf(2), factOf(3), refusal, factOf(4)])).toEqual([
      factOf(1),
      factOf(2),
      refusal,
    ]);
    expect(await seqsOf(home)).toEqual([1, 2, 3, 4]);
    expect(await store.record([factOf(5)])).toEqual([]);
  });

  test("a space without members is blanked, what is damaged in it too, and stays so", async () => {
    const erasures = mongoErasures(store, kept, { now: () => nowMs, onNote: () => undefined });
    await store.record([factOf(1), factOf(2)]);
    await erasures.store.project([documentOf(1, 1, { fields: fieldsOf({ title: "secret" }) })], [headOf(2)]);
    await kept.facts.updateOne({ space: home, seq: 1 }, { $set: { json: '{"secret' } });
    while (await erasures.work(async () => undefined));
    const left = JSON.stringify([await kept.facts.find().toArray(), await kept.documents.find().toArray()]);
    expect(left).not.toContain("secret");
    expect(await seqsOf(home)).toEqual([1, 2]);
    // A writer that does not know of it comes too late.
    await store.project([documentOf(1, 3, { fields: fieldsOf({ title: "secret" }) })], [headOf(2)]);
    expect(JSON.stringify(await kept.documents.find().toArray())).not.toContain("secret");
    expect(await erasures.work(async () => undefined)).toBe(false);
  });

  test("what is written is not answered as if it stood in the way", async () => {
    await store.record([factOf(2)]);
    expect(await store.record([factOf(1), factOf(2), factOf(3), factOf(1, { spaceId: work })])).toEqual([factOf(2)]);
    expect(await seqsOf(home)).toEqual([1, 2, 3]);
    expect(await store.record([factOf(4), factOf(4)])).toEqual([factOf(4)]);
  });

  test("behind a fact whose seq nobody has nothing of its space is written, and other spaces are whole", async () => {
    const other = factOf(undefined, { position: 2, operationId: factOf(2).operationId });
    await store.record([factOf(1), other]);
    const inWork = [1, 2, 3].map((seq) => factOf(seq, { spaceId: work }));
    const unnumbered = factOf(undefined, { position: 9_000 });
    expect(await store.record([factOf(2), ...inWork, factOf(3), unnumbered, factOf(4)])).toEqual([other]);
    expect(await seqsOf(home)).toEqual([1]);
    expect(await seqsOf(work)).toEqual([1, 2, 3]);
    const many = Array.from({ length: 600 }, (_, index) => factOf(index + 2));
    expect(await store.record(many)).toEqual([other]);
    expect(await seqsOf(home)).toEqual([1]);
    const another = factOf(2, { position: 9_001 });
    expect(await store.record([factOf(2), another, factOf(3)])).toEqual([other]);
    expect(await seqsOf(home)).toEqual([1, 2, 3]);
  });

  test("two writers of the same facts never show a gap and end with each fact once", async () => {
    const facts = Array.from({ length: 120 }, (_, index) => factOf(index + 1));
    let isOver = false;
    const write = async (size: number) => {
      const writer = mongoFactStore(kept, { now: () => nowMs, registry });
      for (let from = 0; from < facts.length; from += size) await writer.record(facts.slice(from, from + size));
    };
    const look = async () => {
      let looks = 0;
      while (!isOver || looks === 0) {
        const latest = (await kept.facts.find({ space: home }).sort({ seq: -1 }).limit(1).toArray())[0]?.seq ?? 0;
        // Those up to the latest one that was seen have to be there by now.
        expect(await kept.facts.countDocuments({ space: home, seq: { $gte: 1, $lte: latest } })).toBe(latest);
        looks += 1;
      }
    };
    const looking = look();
    await Promise.all([write(7), write(11)]);
    isOver = true;
    await looking;
    expect(await seqsOf(home)).toEqual(facts.map(({ seq }) => seq));
  }, 60_000);

  test("a document is replaced by a higher version, and by nothing else", async () => {
    const seen: unknown[] = [];
    for (const document of [documentOf(3, 2), documentOf(9, 1), documentOf(9, 2), documentOf(3, 3)]) {
      await store.project([document], []);
      const { documents } = await store.read({ ...nothing, documents: [{ spaceId: home, id: idOf(31) }] });
      seen.push(documents[0]?.fields.title);
    }
    expect(seen).toEqual(["3 2", "3 2", "3 2", "3 3"]);
  });

  test("a head is replaced by one of a later position only", async () => {
    const positions: unknown[] = [];
    for (const position of [5, 4, 5, 6]) {
      await store.project([], [headOf(position, { seq: position === 5 ? 2 : 3 })]);
      const [head] = (await store.read({ ...nothing, heads: [home] })).heads;
      positions.push([head?.position, head?.seq]);
    }
    expect(positions).toEqual([
      [5, 2],
      [5, 2],
      [5, 2],
      [6, 3],
    ]);
  });

  test("of many who make the same new document at once the newest stays", async () => {
    const ids = Array.from({ length: 12 }, (_, index) => idOf(100 + index));
    const versions = [1, 2, 3, 4, 5, 6];
    await Promise.all(
      versions.map((seq) =>
        mongoFactStore(kept, { now: () => nowMs, registry }).project(
          ids.map((id) => documentOf(seq, seq, { id })),
          [headOf(seq)],
        ),
      ),
    );
    const found = await store.read({ ...nothing, heads: [home], documents: ids.map((id) => ({ spaceId: home, id })) });
    expect(found.documents.map(({ version }) => version)).toEqual(ids.map(() => 6));
    expect(found.heads[0]?.position).toBe(6);
  });

  test("who loses the race to make a document replaces what the winner made, where that is older", async () => {
    // As the server answers an upsert that found nothing and then met a document that had just been made.
    const losing = {
      find: kept.documents.find.bind(kept.documents),
      async bulkWrite(steps: { replaceOne?: { replacement: DocumentRecord; upsert: boolean } }[], options: object) {
        if (steps[0]?.replaceOne?.upsert !== true) return kept.documents.bulkWrite(steps as never, options);
        await kept.documents.insertOne(documentRecord(task, documentOf(1), { state: 0, shown: {} }));
        const inserts = steps.flatMap(({ replaceOne }) =>
          replaceOne === undefined ? [] : { insertOne: { document: replaceOne.replacement } },
        );
        return kept.documents.bulkWrite(inserts, options);
      },
    } as unknown as SpaceCollections["documents"];
    await mongoFactStore({ ...kept, documents: losing }, { now: () => nowMs, registry }).project([documentOf(2)], []);
    const { documents } = await store.read({ ...nothing, documents: [{ spaceId: home, id: idOf(31) }] });
    expect(documents).toEqual([documentOf(2)]);
  });

  test("tasks of a project that was archived are hidden by the next writer where the one before died, whatever the project became", async () => {
    const of = (version: number, more: Document["fields"]): Document => ({
      ...documentOf(version, version, { id: idOf(21), type: "project" }),
      fields: { name: "House", description: "", color: null, columns: [], archived: false, ...more },
    });
    const child = documentOf(2, 1, {
      id: idOf(32),
      fields: fieldsOf({ title: "Roof", projectId: idOf(21), status: "todo" }),
    });
    await store.project([of(1, {}), child], []);
    const dying = new Proxy(kept.documents, {
      get(documents, name) {
        if (name === "updateMany") return () => Promise.reject(new Error("It died"));
        const value = Reflect.get(documents, name) as unknown;
        return typeof value === "function" ? value.bind(documents) : value;
      },
    });
    const first = mongoFactStore({ ...kept, documents: dying }, { now: () => nowMs, registry });
    await expect(first.project([of(3, { archived: true })], [])).rejects.toThrow("It died");
    const stateOf = async () => (await kept.documents.findOne({ id: idOf(32) }))?.state;
    expect(await stateOf()).toBe(0);
    await store.project([of(4, { archived: true, name: "Home" })], [headOf(4)]);
    expect(await stateOf()).toBe(2);
    expect((await kept.documents.findOne({ id: idOf(21) }))?.isUnsettled).toBeUndefined();
    await store.project([of(5, { name: "Home" })], [headOf(5)]);
    expect(await stateOf()).toBe(0);
  });

  test("only the record of an unkeyed operation that changed nothing ends, after a day", async () => {
    const position = (at: number) => ({ position: at });
    await store.record([
      factOf(1),
      factOf(undefined, position(2)),
      factOf(undefined, { ...position(3), verdict: "unchanged" }),
      factOf(undefined, { ...position(4), keyed: true }),
    ]);
    const ends = (await kept.facts.find().sort({ position: 1 }).toArray()).map(({ expireAt }) => expireAt?.getTime());
    expect(ends).toEqual([undefined, nowMs + 86_400_000, nowMs + 86_400_000, undefined]);
    const index = (await kept.facts.indexes()).find(({ key }) => key.expireAt === 1);
    expect(index?.expireAfterSeconds).toBe(0);
  });

  test.each(["{bad", "null", '{"spaceId":"another"}', 7])(
    "a stored text %p is an error that names collection, space and id, and nothing of the text",
    async (json) => {
      await store.record([factOf(1)]);
      await store.project([documentOf(1)], [headOf(1)]);
      for (const collection of ["facts", "documents", "heads"] as const)
        await mongo.db.collection(collection).updateMany({}, { $set: { json, text: json } });
      const readings = [
        [{ ...nothing, heads: [home] }, "heads", home],
        [{ ...nothing, documents: [{ spaceId: home, id: idOf(31) }] }, "documents", idOf(31)],
        [{ ...nothing, seqs: [{ spaceId: home, seq: 1 }] }, "facts", idOf(1_001)],
      ] as const;
      for (const [reading, collection, id] of readings) {
        const failure = await store.read(reading).catch((error: unknown) => error);
        expect(failure).toBeInstanceOf(StoredTextError);
        expect(failure).toMatchObject({ collection, spaceId: home, id });
        const { message } = failure as StoredTextError;
        expect(message).toContain(`Cannot use ${collection}, space ${home}, id ${id}: `);
        expect(message).not.toContain("bad");
      }
      // What is new takes the place of what is damaged.
      await store.project([documentOf(2)], [headOf(2)]);
      expect((await store.read({ ...nothing, heads: [home] })).heads).toEqual([headOf(2)]);
    },
  );

  test("a text that is too large is refused by name before anything is written", async () => {
    const large = documentOf(2, 2, { fields: fieldsOf({ title: "語".repeat(3_000_000) }) });
    const writing = store.project([documentOf(1, 1, { id: idOf(32) }), large], [headOf(2)]);
    expect(await writing.catch((error: unknown) => error)).toMatchObject({
      name: "StoredTextError",
      collection: "documents",
      id: idOf(31),
    });
    expect(await kept.documents.countDocuments()).toBe(0);
  });

  test("a writer that dies at any of its writes leaves what its successor makes whole, as in memory", async () => {
    const log = commands().map((command, position) => ({ position, command, isResent: false }));
    const reference = await inMemory(log);
    for (const diesAt of [1, 2, 3, 4, 5, 6]) {
      await mongo.db.dropDatabase();
      await ensureSpaceIndexes(kept);
      const world = emptyWorld();
      world.log.push(...log);
      let writes = 0;
      const dying: FactStore = {
        read: store.read,
        referrers: store.referrers,
        ranged: store.ranged,
        async record(facts) {
          const known = await store.record(facts);
          if (++writes >= diesAt) throw new Error("It died");
          return known;
        },
        async project(documents, heads) {
          await store.project(documents, []);
          if (++writes >= diesAt) throw new Error("It died");
          await store.project([], heads);
        },
      };
      await expect(takeAll(world, dying)).rejects.toThrow("It died");
      await takeAll(world, store);
      expect(world.committed).toBe(log.length);
      const found = await store.read({
        heads: [...reference.heads.keys()],
        documents: [...reference.documents.values()].map(({ spaceId, id }) => ({ spaceId, id })),
        operations: log.map(({ command: { spaceId, operationId } }) => ({ spaceId, operationId })),
        seqs: [],
      });
      const plain = (of: Iterable<unknown>) => [...of].map((each) => JSON.stringify(each)).sort();
      expect(plain(found.facts)).toEqual(plain(reference.facts.values()));
      expect(plain(found.documents)).toEqual(plain(reference.documents.values()));
      expect(plain(found.heads)).toEqual(plain(reference.heads.values()));
    }
  }, 60_000);
});

function commands(): Command[] {
  const own = { spaceId: home, userId: ann };
  const task = (title: string) => ({
    type: "task",
    kind: "create" as const,
    id: idOf(title.length + 40),
    body: { title },
  });
  return [
    commandOf(own, [{ type: "space", kind: "create", id: home, body: { name: "Home" } }]),
    commandOf(own, [task("a")]),
    commandOf({ ...own, keyed: true }, [task("ab"), task("abc")]),
    commandOf(own, [{ type: "task", kind: "patch", id: idOf(41), body: { title: "b" } }]),
    commandOf(own, [{ type: "task", kind: "patch", id: idOf(99), body: { title: "no such task" } }]),
    commandOf({ spaceId: ann, userId: ann }, [task("a")]),
    commandOf(own, [{ type: "task", kind: "delete", id: idOf(42), body: {} }]),
  ];
}

async function takeAll(world: World, store: FactStore): Promise<void> {
  const turn = async () => {};
  const writer = await PartitionWriter.takeOver({
    store,
    topic: topicOver(world, turn),
    place: placeOver(world, turn),
    registry,
  });
  while (writer.next < world.log.length) {
    await writer.take(world.log.slice(writer.next, writer.next + 2));
    await writer.project();
  }
  while (await writer.project());
}

async function inMemory(log: World["log"]): Promise<World> {
  const world = emptyWorld();
  world.log.push(...log);
  await takeAll(
    world,
    storeOver(world, async () => {}),
  );
  return world;
}
