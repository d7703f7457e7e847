/** The stores of deliveries, all by the same cases. */
import { describe, expect, test } from "bun:test";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { openWebhookDatabase } from "../../actors/courier/embedded/database.ts";
import { sqliteDeliveryStore } from "../../actors/courier/embedded/delivery-store.ts";
import type { Answered, Attempt, Progress } from "../../actors/courier/messages.ts";
import {
  attemptsKept,
  type DeliveryStore,
  SupersededCourierError,
  type WebhookKey,
} from "../../actors/courier/ports.ts";
import { claimPartition, mongoDeliveryStore } from "../../actors/courier/servers/delivery-store.ts";
import { connectMongo, toolBounds } from "../../actors/mongo/connect.ts";
import { ensureWebhookIndexes, webhookCollections } from "../../actors/mongo/webhook-collections.ts";
import { describeWith, service } from "../system/services.ts";

type Opened = {
  readonly store: DeliveryStore;
  /** The store of a courier that begins after this one. */
  again(): Promise<DeliveryStore>;
  close(): Promise<void>;
};

const server = await service("MONGO_URL");
const webhook = (): WebhookKey => ({ spaceId: crypto.randomUUID(), id: crypto.randomUUID() });
const progress = (cursor: number, more: Partial<Progress> = {}): Progress => ({
  cursor,
  failures: 0,
  dueMs: 0,
  status: "active",
  ...more,
});
const attempt = (seq: number | null): Attempt => ({
  seq,
  at: "2026-01-01T00:00:00.000Z",
  status: 204,
  durationMs: 3,
  error: null,
});
const byId = (found: Awaited<ReturnType<DeliveryStore["all"]>>) => new Map(found.map(({ id, ...rest }) => [id, rest]));

function cases(open: () => Promise<Opened>): void {
  const opened = (title: string, steps: (opened: Opened) => Promise<void>) =>
    test(title, async () => {
      const its = await open();
      try {
        await steps(its);
      } finally {
        await its.close();
      }
    });

  opened("what was saved last is found, also by who begins later", async ({ store, again }) => {
    const [one, other] = [webhook(), webhook()];
    expect(await store.all()).toEqual([]);
    await store.save(one, progress(3));
    await store.save(other, progress(1));
    await store.save(one, progress(4, { failures: 2, dueMs: 17, status: "paused" }));
    const wanted = new Map([
      [one.id, { spaceId: one.spaceId, progress: progress(4, { failures: 2, dueMs: 17, status: "paused" }) }],
      [other.id, { spaceId: other.spaceId, progress: progress(1) }],
    ]);
    expect(byId(await store.all())).toEqual(wanted);
    expect(byId(await (await again()).all())).toEqual(wanted);
  });

  opened("of the attempts of each webhook the latest are kept, newest first", async ({ store }) => {
    const [one, other] = [webhook(), webhook()];
    await store.save(other, progress(1), { attempt: attempt(null) });
    for (let seq = 1; seq <= attemptsKept + 5; seq++) await store.save(one, progress(seq), { attempt: attempt(seq) });
    await store.save(one, progress(1_000));
    const found = await store.attempts(one);
    expect(found).toHaveLength(attemptsKept);
    expect([found[0], found.at(-1)]).toEqual([attempt(attemptsKept + 5), attempt(6)]);
    expect(await store.attempts(other)).toEqual([attempt(null)]);
    expect(await store.attempts(webhook())).toEqual([]);
  });

  opened("an answer is found by its request, with what it left, also by who begins later", async ({ store, again }) => {
    const one = webhook();
    const answered = (id: string): Answered => ({ id, fingerprint: `of ${id}`, answer: attempt(null) });
    const [first, second] = [crypto.randomUUID(), crypto.randomUUID()];
    await store.save(one, progress(3), { answered: answered(first) });
    await store.save(one, progress(5), { attempt: attempt(5), answered: answered(second) });
    await store.save(one, progress(6));
    for (const each of [store, await again()]) {
      expect(await each.answered(one, first)).toEqual(answered(first));
      expect(await each.answered(one, second)).toEqual(answered(second));
      expect(await each.answered(one, crypto.randomUUID())).toBeUndefined();
    }
  });

  opened("what was removed is not there any more, and may begin anew", async ({ store }) => {
    const [one, other] = [webhook(), webhook()];
    const id = crypto.randomUUID();
    for (const each of [one, other])
      await store.save(each, progress(3), {
        attempt: attempt(3),
        answered: { id: `${id} ${each.id}`, fingerprint: "f", answer: attempt(3) },
      });
    await store.remove(one);
    await store.remove(one);
    expect((await store.all()).map((each) => each.id)).toEqual([other.id]);
    expect(await store.attempts(one)).toEqual([]);
    expect(await store.answered(one, `${id} ${one.id}`)).toBeUndefined();
    expect(await store.answered(other, `${id} ${other.id}`)).toBeDefined();
    await store.save(one, progress(7));
    expect(byId(await store.all()).get(one.id)).toEqual({ spaceId: one.spaceId, progress: progress(7) });
  });
}

describe("deliveries in SQLite", () =>
  cases(async () => {
    const folder = mkdtempSync(join(tmpdir(), "delivery-store-"));
    const db = openWebhookDatabase(folder);
    return {
      store: sqliteDeliveryStore(db),
      again: async () => sqliteDeliveryStore(db),
      async close() {
        db.close();
        rmSync(folder, { recursive: true, force: true });
      },
    };
  }));

describeWith("deliveries in MongoDB", [server], ({ url: serverUrl }) => {
  async function inMongo(partition = 0) {
    const url = new URL(serverUrl);
    url.pathname = `/test_${process.pid}_${crypto.randomUUID().slice(0, 8)}`;
    const mongo = connectMongo({ url: url.href }, { bounds: toolBounds });
    const collections = webhookCollections(mongo.db);
    await ensureWebhookIndexes(collections);
    const claimed = async (held?: number) => claimPartition(collections, partition, held);
    return {
      collections,
      claimed,
      store: mongoDeliveryStore(collections, await claimed()),
      again: async () => mongoDeliveryStore(collections, await claimed()),
      async close() {
        await mongo.db.dropDatabase();
        await mongo.close();
      },
    };
  }

  cases(inMongo);

  test("who was replaced writes nothing, neither over what is there nor anew, and removes nothing", async () => {
    const { store, again, close } = await inMongo();
    const [one, late] = [webhook(), webhook()];
    await store.save(one, progress(3));
    const heir = await again();
    await expect(Promise.resolve(store.save(one, progress(4)))).rejects.toThrow(SupersededCourierError);
    await expect(Promise.resolve(store.remove(one))).rejects.toThrow(SupersededCourierError);
    await heir.save(late, progress(1));
    await expect(Promise.resolve(store.save(late, progress(9)))).rejects.toThrow(SupersededCourierError);
    expect(byId(await heir.all())).toEqual(
      new Map([
        [one.id, { spaceId: one.spaceId, progress: progress(3) }],
        [late.id, { spaceId: late.spaceId, progress: progress(1) }],
      ]),
    );
    await close();
  });

  test("a claim is kept while nobody else has claimed the partition, and partitions are apart", async () => {
    const { collections, claimed, store, close } = await inMongo(1);
    const one = webhook();
    await store.save(one, progress(3));
    expect(await claimed(1)).toEqual({ partition: 1, epoch: 1 });
    const other = mongoDeliveryStore(collections, await claimPartition(collections, 2, undefined));
    expect(await other.all()).toEqual([]);
    await store.save(one, progress(4));
    expect(await claimed()).toEqual({ partition: 1, epoch: 2 });
    expect(await claimed(1)).toEqual({ partition: 1, epoch: 3 });
    await close();
  });
});
