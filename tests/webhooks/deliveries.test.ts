/** The courier on real files and real receivers, with a clock of its own: days pass in seconds. */
import { afterEach, expect, test } from "bun:test";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { sqliteFactStore } from "../../actors/consumer/fact-store-sqlite.ts";
import { openSpaceDatabase } from "../../actors/consumer/space-database.ts";
import { addressRules } from "../../actors/courier/addresses.ts";
import { type Courier, deliverer } from "../../actors/courier/deliver.ts";
import { sqliteDeliveryStore } from "../../actors/courier/delivery-store-sqlite.ts";
import { sqliteFactSource } from "../../actors/courier/fact-source-sqlite.ts";
import { sender } from "../../actors/courier/send.ts";
import { openWebhookDatabase } from "../../actors/courier/webhook-database.ts";
import { generations, generationsBytes } from "../../actors/model/generations.ts";
import type { Json } from "../../actors/resources/field.ts";
import { registry } from "../../actors/resources/registry.ts";
import { commandOf, idOf, SpaceForTests } from "../../actors/resources/space-for-tests.ts";
import { webhooksMark } from "../../actors/resources/webhook.ts";
import { poll } from "../system/poll.ts";
import { type Answering, type Receiver, receiver } from "./receiver.ts";

const deadlineMs = 60_000;
const dayMs = 86_400_000;
const userId = idOf(1);
const ends: (() => unknown)[] = [];
afterEach(async () => {
  for (const end of ends.splice(0).reverse()) await end();
});

/** A personal space whose facts are in a file, and a courier that can be begun again. */
async function world() {
  const folder = mkdtempSync(join(tmpdir(), "webhook-deliveries-"));
  ends.push(() => rmSync(folder, { recursive: true, force: true }));
  const db = openSpaceDatabase(folder);
  ends.push(() => db.close());
  const facts = sqliteFactStore(db, registry);
  const counters = generations(new SharedArrayBuffer(generationsBytes));
  const space = new SpaceForTests();
  let nowMs = Date.UTC(2026, 0, 1);
  let made = 100;

  function take(type: string, id: string, kind: "create" | "patch" | "delete", body: Record<string, Json>): number {
    const { fact, documents } = space.take(commandOf({ spaceId: userId, userId }, [{ type, id, kind, body }]));
    if (space.head === null || fact.verdict !== "applied") throw new Error(`Cannot go on: ${JSON.stringify(fact)}`);
    facts.commit([fact], documents, [space.head], fact.position);
    counters.changed(userId);
    if (type === "webhook") counters.changed(webhooksMark);
    return fact.seq as number;
  }
  const newTask = () => take("task", idOf(made++), "create", { title: "Told" });
  function newWebhook(url: string, more: Record<string, Json> = {}): string {
    const id = idOf(made++);
    take("webhook", id, "create", { url, types: ["task"], ...more });
    return id;
  }

  function begin(): Courier {
    const source = sqliteFactSource(folder, counters);
    const deliveries = openWebhookDatabase(folder);
    const courier = deliverer({
      source,
      store: sqliteDeliveryStore(deliveries),
      send: sender({ rules: addressRules(["127.0.0.1"]), timeoutMs: 300 }),
      key: "k".repeat(32),
      siteUrl: "https://tracker.example",
      now: () => nowMs,
      random: Math.random,
      log: () => undefined,
    });
    const timer = setInterval(() => void courier.tick(), 5);
    let isOver = false;
    const stop = async () => {
      if (isOver) return;
      isOver = true;
      clearInterval(timer);
      await courier.stop();
      source.close();
      deliveries.close();
    };
    ends.push(stop);
    return { ...courier, stop };
  }
  const pass = (ms: number) => {
    nowMs += ms;
  };
  return { begin, newTask, newWebhook, take, pass };
}

async function newReceiver(how?: Answering): Promise<Receiver> {
  const made = await receiver();
  if (how !== undefined) made.answer(how);
  ends.push(() => made.close());
  return made;
}

const seqsOf = ({ received }: Receiver): number[] =>
  received.map(({ body }) => (JSON.parse(body) as { seq: number }).seq);

test(
  "whatever a receiver does for days, it is told all in order and its neighbours wait for nothing",
  async () => {
    const { begin, newTask, newWebhook, pass } = await world();
    const ways: Answering[] = [
      () => ({ status: 500 }),
      () => "hang",
      () => "reset",
      () => ({ status: 302, headers: { location: "http://127.0.0.1:1/" } }),
      () => ({ status: 429, headers: { "retry-after": "3600" } }),
    ];
    const bad = await Promise.all(ways.map((how) => newReceiver(how)));
    const good = await newReceiver();
    const ids = bad.map(({ url }) => newWebhook(url));
    newWebhook(good.url);
    const courier = begin();
    const seqs = Array.from({ length: 10 }, () => newTask());
    await poll("the neighbour has all", deadlineMs, () => good.received.length >= 10);
    expect(seqsOf(good)).toEqual(seqs);
    // For a day nobody takes anything but for what is tried again; what happens meanwhile waits.
    for (let hours = 0; hours < 24; hours++) {
      pass(dayMs / 24);
      seqs.push(newTask());
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
    const { begin, newTask, newWebhook, pass } = await world();
    const target = await newReceiver(() => ({ status: 500 }));
    const id = newWebhook(target.url);
    const courier = begin();
    const [first] = [newTask(), newTask()];
    for (let attempt = 1; attempt <= 10; attempt++) {
      await poll("it is tried", deadlineMs, async () => (await courier.deliveries(id))?.failures === attempt);
      pass(2 * dayMs);
    }
    expect(await courier.deliveries(id)).toMatchObject({ status: "paused", nextAttemptAt: null });
    expect(seqsOf(target)).toEqual(Array.from({ length: 10 }, () => first as number));
    target.answer(() => ({ status: 204 }));
    expect(await courier.move(id, { kind: "resume" })).toMatchObject({ status: "active", failures: 0 });
    await poll("both are told", deadlineMs, () => target.received.length >= 12);
    expect(seqsOf(target).slice(10)).toEqual([first as number, (first as number) + 1]);
  },
  2 * deadlineMs,
);

test(
  "a courier that begins again goes on where the one before was, and one that is switched off where it was left",
  async () => {
    const { begin, newTask, newWebhook, take } = await world();
    const target = await newReceiver();
    const id = newWebhook(target.url);
    const first = begin();
    const seqs = [newTask(), newTask()];
    await poll("both are told", deadlineMs, async () => (await first.deliveries(id))?.cursor === seqs[1]);
    await first.stop();
    seqs.push(newTask());
    const second = begin();
    await poll("the third is told", deadlineMs, () => target.received.length >= 3);
    take("webhook", id, "patch", { active: false });
    await second.deliveries(id);
    seqs.push(newTask());
    await second.tick();
    expect(target.received).toHaveLength(3);
    take("webhook", id, "patch", { active: true });
    await poll("what happened meanwhile is told", deadlineMs, () => target.received.length >= 4);
    expect(seqsOf(target)).toEqual(seqs);
    take("webhook", id, "delete", {});
    expect(await second.deliveries(id)).toBeNull();
  },
  2 * deadlineMs,
);

test(
  "a large fact comes without its changes and with a link, and of attempts the last hundred are kept",
  async () => {
    const { begin, newWebhook, newTask, take } = await world();
    const target = await newReceiver();
    const id = newWebhook(target.url);
    const courier = begin();
    const task = idOf(9_000);
    take("task", task, "create", { title: "Long", description: "ü".repeat(20_000) });
    const seq = take("task", task, "patch", { description: "ö".repeat(20_000) });
    await poll("both are told", deadlineMs, () => target.received.length >= 2);
    const body = target.received[1]?.body ?? "";
    expect(JSON.parse(body)).toMatchObject({
      seq,
      partial: true,
      link: `https://tracker.example/v1/spaces/${userId}/facts/${seq}`,
    });
    expect(JSON.parse(body)).not.toHaveProperty("changes");
    let last = 0;
    for (let count = 0; count < 110; count++) last = newTask();
    await poll("all are told", deadlineMs, async () => (await courier.deliveries(id))?.cursor === last);
    const log = await courier.deliveries(id);
    expect(log?.items).toHaveLength(100);
    expect(log?.items[0]).toMatchObject({ seq: last, status: 204 });
  },
  2 * deadlineMs,
);
