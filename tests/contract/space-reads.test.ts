/** The reads of spaces over each adapter, by the same cases. */
import { expect, test } from "bun:test";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { openSpaceDatabase } from "../../actors/consumer/embedded/database.ts";
import { sqliteFactStore } from "../../actors/consumer/embedded/fact-store.ts";
import { mongoFactStore } from "../../actors/consumer/servers/fact-store.ts";
import { connectMongo, toolBounds } from "../../actors/mongo/connect.ts";
import { spaceCollections } from "../../actors/mongo/space-collections.ts";
import { ensureSortIndexes, ensureSpaceIndexes } from "../../actors/mongo/space-indexes.ts";
import { comment } from "../../actors/resources/comment.ts";
import type { Fact } from "../../actors/resources/fact.ts";
import { unmadeHead } from "../../actors/resources/head.ts";
import { registry } from "../../actors/resources/registry.ts";
import type { ResourceType } from "../../actors/resources/resource-type.ts";
import { task } from "../../actors/resources/task.ts";
import type { ListBounds } from "../../actors/task/embedded/lists.ts";
import { sqliteSpaceReads } from "../../actors/task/embedded/reads.ts";
import { type FollowedReplica, isListedByReplica, spaceReplica } from "../../actors/task/memory/space-replica.ts";
import { resourceQuery } from "../../actors/task/resource-query.ts";
import { listReads } from "../../actors/task/servers/lists.ts";
import { mongoSpaceReads } from "../../actors/task/servers/reads.ts";
import { replicaRecords } from "../../actors/task/servers/replica-source.ts";
import { describeWith, service } from "../system/services.ts";
import { spaceListCases } from "./space-list-cases.ts";
import { spaceReadsCases } from "./space-reads-cases.ts";
import type { OpenedSpaceReads } from "./space-reads-opened.ts";
import { ann, shared } from "./space-reads-world.ts";

const server = await service("MONGO_URL");

function inSqlite(bounds?: ListBounds) {
  return async () => {
    const folder = mkdtempSync(join(tmpdir(), "space-reads-"));
    const db = openSpaceDatabase(folder);
    db.exec("PRAGMA synchronous = OFF");
    const reads = sqliteSpaceReads(folder, registry, bounds === undefined ? {} : { bounds });
    return {
      store: sqliteFactStore(db, registry),
      reads,
      async close() {
        reads.close();
        db.close();
        rmSync(folder, { recursive: true, force: true });
      },
    };
  };
}

spaceReadsCases("SQLite", inSqlite());
spaceListCases("SQLite", inSqlite());
// As in a space of very many tasks: nothing is looked up, and the index of the sort is walked in many parts.
const inManyParts = { fewRows: 1, manyRows: 1, numbersAtOnce: 3, rowsAtOnce: 7, rowsAtOnceMax: 20, textsAtOnce: 3 };
spaceListCases("SQLite, walking,", inSqlite(inManyParts));
// As for a word that many have: those are gathered in many parts.
spaceListCases("SQLite, by words,", inSqlite({ ...inManyParts, manyRows: 1_000_000 }));

/** Replicas that follow each space by its facts alone; what they are not asked for is read from SQLite. */
async function inReplicas(): Promise<OpenedSpaceReads> {
  const { store, reads, close } = await inSqlite()();
  const spaces = new Map<string, FollowedReplica>();
  const facts: Fact[] = [];
  const followed = (spaceId: string): FollowedReplica => {
    const known = spaces.get(spaceId) ?? spaceReplica(registry, { head: unmadeHead(spaceId), documents: [] });
    spaces.set(spaceId, known);
    return known;
  };
  const told: Pick<typeof store, "record" | "project"> = {
    async record(all) {
      facts.push(...all);
      return await store.record(all);
    },
    async project(documents, heads) {
      await store.project(documents, heads);
      for (const fact of facts.splice(0)) {
        const its = documents.filter(({ spaceId }) => spaceId === fact.spaceId);
        expect(followed(fact.spaceId).take(fact, its)).toBe(true);
      }
    },
  };
  const list: typeof reads.list = (query) => {
    const [spaceId = ""] = query.spaceIds;
    return isListedByReplica({ ...query, after: undefined }) ? followed(spaceId).list(query) : reads.list(query);
  };
  return { store: { ...store, ...told }, reads: { ...reads, list }, close: async () => close() };
}
spaceListCases("Replicas of spaces", inReplicas);

describeWith("in MongoDB", [server], ({ url: serverUrl }) => {
  const open = async () => {
    const url = new URL(serverUrl);
    url.pathname = `/test_${process.pid}_${crypto.randomUUID().slice(0, 8)}`;
    const mongo = connectMongo({ url: url.href }, { bounds: toolBounds });
    const collections = spaceCollections(mongo.db);
    await ensureSpaceIndexes(collections);
    return {
      collections,
      store: mongoFactStore(collections, { now: Date.now, registry }),
      reads: mongoSpaceReads(collections, registry),
      async close() {
        await mongo.db.dropDatabase();
        await mongo.close();
      },
    };
  };
  spaceReadsCases("MongoDB", open);
  spaceListCases("MongoDB", open, { few: true });

  test("of 100 lists at once a few are read at a time, and all are answered", async () => {
    const opened = await open();
    const { documents } = opened.collections;
    let running = 0;
    let most = 0;
    const counted: typeof documents = Object.create(documents, {
      aggregate: {
        value(steps: Parameters<typeof documents.aggregate>[0]) {
          const cursor = documents.aggregate(steps);
          const read = cursor.toArray.bind(cursor);
          cursor.toArray = async () => {
            running += 1;
            most = Math.max(most, running);
            return await read().finally(() => {
              running -= 1;
            });
          };
          return cursor;
        },
      },
    });
    const reads = mongoSpaceReads({ ...opened.collections, documents: counted }, registry);
    const lists = Array.from({ length: 100 }, (_, each) =>
      reads.list(
        resourceQuery(task, { userId: ann, spaceIds: [shared] }, new URLSearchParams(`limit=${(each % 100) + 1}`)),
      ),
    );
    expect(await Promise.all(lists)).toEqual(lists.map(() => []));
    expect(most).toBe(8);
    await opened.close();
  }, 120_000);

  test("every list is found by an index", async () => {
    const opened = await open();
    const { documents } = opened.collections;
    expect(await ensureSortIndexes(opened.collections, registry, -1)).toBe(true);
    const queries = [
      ...["createdAt", "updatedAt", "title", "priority", "dueAt", "rank"].flatMap((sort) => [
        `sort=${sort}`,
        `sort=-${sort}`,
      ]),
      ...[
        `project=${ann}`,
        "project=none",
        `column=${ann}`,
        `parent=${ann}`,
        "parent=none",
        `id=${ann}`,
        "deleted=true",
      ],
      ...[
        "assignee=me",
        "assignee=none&assignee=me",
        "status=todo&status=done",
        "priority=low",
        "label=a&label=b",
        "q=a+bc",
      ],
      ...[
        "dueBefore=2026-01-01&timeZone=Europe/Berlin",
        "dueAfter=2026-01-01T00:00:00Z",
        "updatedAfter=2026-01-01T00:00:00Z",
      ],
      ...["completedAfter=2026-01-01T00:00:00Z", `project=${ann}&status=todo&q=x&label=a&sort=rank&assignee=me`],
    ];
    const read = (type: ResourceType, query: string) =>
      resourceQuery(type, { userId: ann, spaceIds: [shared] }, new URLSearchParams(query));
    const all = [
      ...queries.map((query) => read(task, query)),
      ...[...registry.values()].map((type) => read(type, "")),
      read(comment, `task=${ann}`),
    ];
    // Behind a page's end the stretches are others.
    const after = { key: 1, id: ann, spaceId: shared };
    for (const query of [...all, ...all.map((each) => ({ ...each, after }))])
      for (const reading of listReads(documents, registry, query)) {
        const plan = JSON.stringify(await reading.explain());
        expect(plan, JSON.stringify(query)).toContain("IXSCAN");
        expect(plan, JSON.stringify(query)).not.toContain("COLLSCAN");
      }
    const whole = JSON.stringify(await replicaRecords(documents, registry, shared).explain());
    expect(whole).toContain('"space_1_id_1"');
    expect(whole).not.toContain("state_1");
    await opened.close();
  }, 120_000);
});
