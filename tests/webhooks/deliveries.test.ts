/** The courier on real files and real receivers, with a clock of its own: days pass in seconds. */
import { afterEach, describe, expect, test } from "bun:test";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { announcing } from "../../actors/consumer/announced-changes.ts";
import { openSpaceDatabase } from "../../actors/consumer/embedded/database.ts";
import { sqliteFactStore } from "../../actors/consumer/embedded/fact-store.ts";
import { mongoFactStore } from "../../actors/consumer/servers/fact-store.ts";
import { addressRules } from "../../actors/courier/addresses.ts";
import { attemptsMax, type Courier, type CourierParts, deliverer } from "../../actors/courier/deliver.ts";
import { openWebhookDatabase } from "../../actors/courier/embedded/database.ts";
import { sqliteDeliveryStore } from "../../actors/courier/embedded/delivery-store.ts";
import { sqliteFactSource } from "../../actors/courier/embedded/fact-source.ts";
import type { Action } from "../../actors/courier/messages.ts";
import { sender } from "../../actors/courier/send.ts";
import { claimPartition, mongoDeliveryStore } from "../../actors/courier/servers/delivery-store.ts";
import { type MongoFactSources, mongoFactSources } from "../../actors/courier/servers/fact-source.ts";
import { changeCounters, changeCountersBytes } from "../../actors/model/change-counters.ts";
import { connectMongo, toolBounds } from "../../actors/mongo/connect.ts";
import { spaceCollections } from "../../actors/mongo/space-collections.ts";
import { ensureSpaceIndexes } from "../../actors/mongo/space-indexes.ts";
import { ensureWebhookIndexes, webhookCollections } from "../../actors/mongo/webhook-collections.ts";
import type { Document, Head } from "../../actors/resources/document.ts";
import type { Fact } from "../../actors/resources/fact.ts";
import type { Json } from "../../actors/resources/field.ts";
import { registry } from "../../actors/resources/registry.ts";
import { commandOf, idOf, SpaceForTests } from "../../actors/resources/space-for-tests.ts";
import { webhooksMark } from "../../actors/resources/webhook.ts";
import { poll } from "../system/poll.ts";
import { describeWith, service } from "../system/services.ts";
import { type Answering, type Receiver, receiver } from "./receiver.ts";

const deadlineMs = 60_000;
const dayMs = 86_400_000;
const userId = idOf(1);
const ends: (() => unknown)[] = [];
afterEach(async () => {
  for (const end of ends.splice(0).reverse()) await end();
});

/** Where the facts of one space and its deliveries are. */
type Stores = {
  /** Facts, documents and the head, as the writer leaves them; then it announces them. */
  commit(fact: Fact, documents: readonly Document[], head: Head): Promise<void>;
  /** As a process that begins: the parts of its courier, and how they are closed. */
  open(now: () => number): Promise<Pick<CourierParts, "source" | "store"> & { close(): void }>;
};

async function inSqlite(): Promise<Stores> {
  const folder = mkdtempSync(join(tmpdir(), "webhook-deliveries-"));
  ends.push(() => rmSync(folder, { recursive: true, force: true }));
  const db = openSpaceDatabase(folder);
  ends.push(() => db.close());
  const facts = sqliteFactStore(db, registry);
  const counters = changeCounters(new SharedArrayBuffer(changeCountersBytes));
  return {
    async commit(fact, documents, head) {
      facts.commit([fact], documents, [head], fact.position);
      counters.changed(userId);
      if (documents.some(({ type }) => type === "webhook")) counters.changed(webhooksMark);
    },
    async open() {
      const source = sqliteFactSource(folder, counters);
      const deliveries = openWebhookDatabase(folder);
      return {
        source,
        store: sqliteDeliveryStore(deliveries),
        close() {
          source.close();
          deliveries.close();
        },
      };
    },
  };
}

async function inMongo(serverUrl: string): Promise<Stores> {
  const url = new URL(serverUrl);
  url.pathname = `/test_${process.pid}_${crypto.randomUUID().slice(0, 8)}`;
  const mongo = connectMongo({ url: url.href }, { bounds: toolBounds });
  ends.push(async () => {
    await mongo.db.dropDatabase();
    await mongo.close();
  });
  const spaces = spaceCollections(mongo.db);
  const collections = webhookCollections(mongo.db);
  await Promise.all([ensureSpaceIndexes(spaces), ensureWebhookIndexes(collections)]);
  const listening: MongoFactSources[] = [];
  const facts = announcing(mongoFactStore(spaces, { now: Date.now, registry }), (changed) => {
    for (const each of listening) each.changed(changed);
  });
  return {
    async commit(fact, documents, head) {
      expect(await facts.record([fact])).toEqual([]);
      await facts.project(documents, [head]);
    },
    async open(now) {
      const unreadable = (fault: Error) => {
        throw fault;
      };
      const sources = mongoFactSources(spaces, { now, unreadable });
      listening.push(sources);
      const store = mongoDeliveryStore(collections, await claimPartition(collections, 0, undefined));
      return { source: sources.of(0, 1), store, close: () => undefined };
    },
  };
}

/** For receivers that hang. The clock of a courier stands still meanwhile: an attempt that a loaded machine makes too late is not made again by itself. */
const hangs = { timeoutMs: 2_000 };

/** A personal space whose facts are kept, and a courier that can be begun again. */
async function world({ commit, open }: Stores, { timeoutMs } = { timeoutMs: deadlineMs }) {
  const space = new SpaceForTests();
  let nowMs = Date.UTC(2026, 0, 1);
  let made = 100;

  async function take(
    type: string,
    id: string,
    kind: "create" | "patch" | "delete",
    body: Record<string, Json>,
  ): Promise<number> {
    const { fact, documents } = space.take(commandOf({ spaceId: userId, userId }, [{ type, id, kind, body }]));
    if (space.head === null || fact.verdict !== "applied") throw new Error(`Cannot go on: ${JSON.stringify(fact)}`);
    await commit(fact, documents, space.head);
    return fact.seq as number;
  }
  const newTask = () => take("task", idOf(made++), "create", { title: "Told" });
  async function newWebhook(url: string, more: Record<string, Json> = {}): Promise<string> {
    const id = idOf(made++);
    await take("webhook", id, "create", { url, types: ["task"], ...more });
    return id;
  }

  async function begin(): Promise<Courier & Asking> {
    const { source, store, close } = await open(() => nowMs);
    const lost: unknown[] = [];
    const courier = deliverer({
      source,
      store,
      send: sender({ rules: addressRules(["127.0.0.1"]), timeoutMs }),
      key: "k".repeat(32),
      siteUrl: "https://tracker.example",
      now: () => nowMs,
      random: Math.random,
      log: () => undefined,
      room: { left: attemptsMax },
      countStopped: () => undefined,
      superseded: (error) => lost.push(error),
    });
    const timer = setInterval(() => void courier.tick(), 5);
    let isOver = false;
    const stop = async () => {
      if (isOver) return;
      isOver = true;
      clearInterval(timer);
      await courier.stop();
      close();
    };
    ends.push(stop);
    return {
      ...courier,
      stop,
      lost,
      ask: (id, action, key) =>
        courier.request(id, { id: key ?? crypto.randomUUID(), fingerprint: key === undefined ? "" : "f", action }),
    };
  }
  const pass = (ms: number) => {
    nowMs += ms;
  };
  return { begin, newTask, newWebhook, take, pass };
}

type Asking = {
  ask(webhookId: string, action: Action, key?: string): ReturnType<Courier["request"]>;
  /** What has told it that another one has taken over. */
  readonly lost: readonly unknown[];
};

async function newReceiver(how?: Answering): Promise<Receiver> {
  const made = await receiver();
  if (how !== undefined) made.answer(how);
  ends.push(() => made.close());
  return made;
}

const seqsOf = ({ received }: Receiver): number[] =>
  received.map(({ body }) => (JSON.parse(body) as { seq: number }).seq);

const server = await service("MONGO_URL");

describe("deliveries kept in SQLite", () => cases(inSqlite));

describeWith("deliveries kept in MongoDB", [server], ({ url }) => {
  cases(() => inMongo(url));

  test(
    "a courier whose partition another one has claimed moves nothing more, and what both have sent has one id",
    async () => {
      const { begin, newTask, newWebhook } = await world(await inMongo(url), hangs);
      const target = await newReceiver();
      const id = await newWebhook(target.url);
      const zombie = await begin();
      const first = await newTask();
      await poll("the first is told", deadlineMs, async () => (await zombie.deliveries(id))?.cursor === first);
      // The next attempt of the old one ends when the new one has taken over.
      target.answer(() => "hang");
      const second = await newTask();
      await poll("the second is under way", deadlineMs, () => target.received.length >= 2);
      const heir = await begin();
      target.answer(() => ({ status: 204 }));
      await poll("the heir has told it", deadlineMs, async () => (await heir.deliveries(id))?.cursor === second);
      await poll("the old one is told", deadlineMs, () => zombie.lost.length > 0);
      await zombie.stop();
      const third = await newTask();
      await poll("the third is told", deadlineMs, async () => (await heir.deliveries(id))?.cursor === third);
      expect(seqsOf(target)).toEqual([first, second, second, third]);
      expect(new Set(target.received.map(({ headers }) => headers["webhook-id"])).size).toBe(3);
      await expect(zombie.ask(id, { kind: "replay", from: 1 })).rejects.toThrow("another courier");
      expect(await heir.deliveries(id)).toMatchObject({ cursor: third, failures: 0 });
    },
    2 * deadlineMs,
  );
});

function cases(stores: () => Promise<Stores>): void {
  test(
    "whatever a receiver does for days, it is told all in order and its neighbours wait for nothing",
    async () => {
      const { begin, newTask, newWebhook, pass } = await world(await stores(), hangs);
      const ways: Answering[] = [
        () => ({ status: 500 }),
        () => "hang",
        () => "reset",
        () => ({ status: 302, headers: { location: "http://127.0.0.1:1/" } }),
        () => ({ status: 429, headers: { "retry-after": "3600" } }),
      ];
      const bad = await Promise.all(ways.map((how) => newReceiver(how)));
      const good = await newReceiver();
      const ids: string[] = [];
      for (const { url } of bad) ids.push(await newWebhook(url));
      await newWebhook(good.url);
      const courier = await begin();
      const seqs: number[] = [];
      for (let count = 0; count < 10; count++) seqs.push(await newTask());
      await poll("the neighbour has all", deadlineMs, () => good.received.length >= 10);
      expect(seqsOf(good)).toEqual(seqs);
      // For a day nobody takes anything but for what is tried again; what happens meanwhile waits.
      for (let hours = 0; hours < 24; hours++) {
        pass(dayMs / 24);
        seqs.push(await newTask());
        await poll("the neighbour has the next", deadlineMs, () => good.received.length >= seqs.length);
      }
      for (const [at, each] of bad.entries()) {
        expect(new Set(seqsOf(each))).toEqual(new Set([seqs[0] as number]));
        expect((await courier.deliveries(ids[at] as string))?.cursor).toBeLessThan(seqs[0] as number);
        each.answer(() => ({ status: 204 }));
      }
      for (const each of bad) {
        await poll("it has all", deadlineMs, () => {
          // What was under way when they changed their minds is tried again later still.
          pass(dayMs / 24);
          return new Set(seqsOf(each)).size >= seqs.length;
        });
        expect([...new Set(seqsOf(each))]).toEqual(seqs);
        const idsOfFirst = each.received
          .filter((_, at) => seqsOf(each)[at] === seqs[0])
          .map(({ headers }) => headers["webhook-id"]);
        expect(new Set(idsOfFirst).size).toBe(1);
      }
    },
    4 * deadlineMs,
  );

  test(
    "a fact that is always refused ends in a pause after ten attempts, which resuming ends",
    async () => {
      const { begin, newTask, newWebhook, pass } = await world(await stores());
      const target = await newReceiver(() => ({ status: 500 }));
      const id = await newWebhook(target.url);
      const courier = await begin();
      const [first] = [await newTask(), await newTask()];
      for (let attempt = 1; attempt <= 10; attempt++) {
        await poll("it is tried", deadlineMs, async () => (await courier.deliveries(id))?.failures === attempt);
        pass(2 * dayMs);
      }
      expect(await courier.deliveries(id)).toMatchObject({ status: "paused", nextAttemptAt: null });
      expect(seqsOf(target)).toEqual(Array.from({ length: 10 }, () => first as number));
      target.answer(() => ({ status: 204 }));
      expect(await courier.ask(id, { kind: "resume" })).toMatchObject({
        kind: "done",
        answer: { status: "active", failures: 0 },
        isReplayed: false,
      });
      await poll("both are told", deadlineMs, () => target.received.length >= 12);
      expect(seqsOf(target).slice(10)).toEqual([first as number, (first as number) + 1]);
    },
    2 * deadlineMs,
  );

  test(
    "a clock that is set back by a year keeps no fact waiting",
    async () => {
      const { begin, newTask, newWebhook, pass } = await world(await stores());
      const target = await newReceiver(() => ({ status: 500 }));
      const id = await newWebhook(target.url);
      const courier = await begin();
      const seq = await newTask();
      await poll("it is tried", deadlineMs, async () => (await courier.deliveries(id))?.failures === 1);
      target.answer(() => ({ status: 204 }));
      pass(-365 * dayMs);
      await poll("it is told", deadlineMs, async () => (await courier.deliveries(id))?.cursor === seq);
      expect(seqsOf(target)).toEqual([seq, seq]);
    },
    2 * deadlineMs,
  );

  test(
    "a courier that begins again goes on where the one before was, and one that is switched off where it was left",
    async () => {
      const { begin, newTask, newWebhook, take } = await world(await stores());
      const target = await newReceiver();
      const id = await newWebhook(target.url);
      const first = await begin();
      const seqs = [await newTask(), await newTask()];
      await poll("both are told", deadlineMs, async () => (await first.deliveries(id))?.cursor === seqs[1]);
      await first.stop();
      seqs.push(await newTask());
      const second = await begin();
      await poll("the third is told", deadlineMs, () => target.received.length >= 3);
      await take("webhook", id, "patch", { active: false });
      await second.deliveries(id);
      seqs.push(await newTask());
      await second.tick();
      expect(target.received).toHaveLength(3);
      await take("webhook", id, "patch", { active: true });
      await poll("what happened meanwhile is told", deadlineMs, () => target.received.length >= 4);
      expect(seqsOf(target)).toEqual(seqs);
      await take("webhook", id, "delete", {});
      expect(await second.deliveries(id)).toBeNull();
    },
    2 * deadlineMs,
  );

  test(
    "a large fact comes without its changes and with a link, and of attempts the last hundred are kept",
    async () => {
      const { begin, newWebhook, newTask, take } = await world(await stores());
      const target = await newReceiver();
      const id = await newWebhook(target.url);
      const courier = await begin();
      const task = idOf(9_000);
      await take("task", task, "create", { title: "Long", description: "ü".repeat(20_000) });
      const seq = await take("task", task, "patch", { description: "ö".repeat(20_000) });
      await poll("both are told", deadlineMs, () => target.received.length >= 2);
      const body = target.received[1]?.body ?? "";
      expect(JSON.parse(body)).toMatchObject({
        seq,
        partial: true,
        link: `https://tracker.example/v1/spaces/${userId}/facts/${seq}`,
      });
      expect(JSON.parse(body)).not.toHaveProperty("changes");
      let last = 0;
      for (let count = 0; count < 110; count++) last = await newTask();
      await poll("all are told", deadlineMs, async () => (await courier.deliveries(id))?.cursor === last);
      const log = await courier.deliveries(id);
      expect(log?.items).toHaveLength(100);
      expect(log?.items[0]).toMatchObject({ seq: last, status: 204 });
    },
    2 * deadlineMs,
  );

  test(
    "what is asked with a key takes effect once, also when it is asked of the next courier, and the key is of that request alone",
    async () => {
      const { begin, newTask, newWebhook } = await world(await stores());
      const target = await newReceiver(() => ({ status: 410 }));
      const id = await newWebhook(target.url);
      const first = await begin();
      const seqs = [await newTask(), await newTask(), await newTask()];
      const status = (courier: Courier) => async () => (await courier.deliveries(id))?.status === "disabled";
      await poll("it is disabled", deadlineMs, status(first));
      const skip = { kind: "skip", seq: null } as const;
      const answer = { status: "active", cursor: seqs[0], failures: 0, nextAttemptAt: null };
      expect(await first.ask(id, skip, "one")).toEqual({ kind: "done", answer, isReplayed: false } as never);
      await poll("it is disabled again", deadlineMs, status(first));
      expect(await first.ask(id, skip, "one")).toEqual({ kind: "done", answer, isReplayed: true } as never);
      await first.stop();
      const second = await begin();
      expect(await second.ask(id, skip, "one")).toEqual({ kind: "done", answer, isReplayed: true } as never);
      expect(await second.deliveries(id)).toMatchObject({ status: "disabled", cursor: seqs[0] as number });
      const other = { id: "one", fingerprint: "of something else", action: skip };
      expect(await second.request(id, other)).toEqual({ kind: "mismatch" });
      // Several at once are one.
      const outcomes = await Promise.all([1, 2, 3].map(() => second.ask(id, skip, "two")));
      expect(outcomes.map((each) => each?.kind === "done" && each.isReplayed)).toEqual([false, true, true]);
      await poll("it is disabled at the third", deadlineMs, async () => {
        const log = await second.deliveries(id);
        return log?.status === "disabled" && log.cursor === seqs[1];
      });
      target.answer(() => ({ status: 204 }));
      await second.ask(id, { kind: "replay", from: seqs[0] as number });
      await poll("all are told", deadlineMs, () => target.received.length >= 6);
      expect(seqsOf(target)).toEqual([...seqs, ...seqs]);
    },
    2 * deadlineMs,
  );

  test(
    "a cursor that is moved by hand while an attempt is under way stays where it was put",
    async () => {
      const { begin, newTask, newWebhook } = await world(await stores(), hangs);
      const target = await newReceiver(() => "hang");
      const id = await newWebhook(target.url);
      const courier = await begin();
      const seqs = [await newTask(), await newTask(), await newTask()];
      await poll("the first is under way", deadlineMs, () => target.received.length >= 1);
      expect(await courier.ask(id, { kind: "skip", seq: seqs[0] as number })).toMatchObject({
        answer: { cursor: seqs[0] },
      });
      target.answer(() => ({ status: 204 }));
      await poll("the others are told", deadlineMs, async () => (await courier.deliveries(id))?.cursor === seqs[2]);
      expect(seqsOf(target)).toEqual(seqs);
    },
    2 * deadlineMs,
  );

  test(
    "what moves nothing leaves the attempt under way as it is",
    async () => {
      const { begin, newTask, newWebhook } = await world(await stores(), hangs);
      const target = await newReceiver(() => "hang");
      const id = await newWebhook(target.url);
      const courier = await begin();
      const seq = await newTask();
      await poll("it is under way", deadlineMs, () => target.received.length >= 1);
      await courier.ask(id, { kind: "skip", seq: seq + 100 });
      await poll("its failure counts", deadlineMs, async () => (await courier.deliveries(id))?.failures === 1);
      expect(target.received).toHaveLength(1);
    },
    deadlineMs,
  );
}
