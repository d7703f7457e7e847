/**
 * The ports of the cache, the workers' `Cache` and the keeper's `KeptCache`, in Redis and in the memory that the simulations use: the same cases,
 * and the same answers to the same thousand random steps, so that what holds for the one holds for the other.
 */
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { type KeptCache, keptCacheInRedis } from "../../actors/keeper/cache-redis.ts";
import type { Outcome } from "../../actors/model/command.ts";
import { connectRedis, type RedisConnection } from "../../actors/redis/connect.ts";
import { type Entry, keys, leaseMs, unmarkedMs } from "../../actors/redis/task-cache.ts";
import { memoryCache } from "../../actors/redis/task-cache-for-tests.ts";
import { redisCache } from "../../actors/task/cache-redis.ts";
import type { Cache } from "../../actors/task/ports.ts";
import { forgetKeys } from "../../deploy/services/place.ts";
import { type FaultProxy, faultProxy } from "../system/fault-proxy.ts";
import { poll } from "../system/poll.ts";
import { random } from "../system/random.ts";
import { describeWith, service } from "../system/services.ts";

const server = await service("REDIS_URL");
const ownerId = "00000000-0000-4000-8000-00000000000a";
const partition = 3;

/** Both sides of one cache, which nobody else uses. */
type Both = { readonly cache: Cache; readonly kept: KeptCache; flush(): Promise<void> };

const id = (): string => crypto.randomUUID();
function entry(version: number, asOf: number, more: Partial<Entry> = {}): Entry {
  return { version, asOf, deleted: false, ownerId, json: `{"version":${version},"title":"ü 😀 \\n"}`, ...more };
}
function outcome(taskId: string, version: number, offset: number, more: Partial<Outcome> = {}): Outcome {
  const { json: task } = entry(version, offset);
  return {
    operationId: id(),
    taskId,
    userId: ownerId,
    position: { partition, offset },
    verdict: "applied",
    version,
    task,
    ...more,
  };
}

function cases(both: () => Both): void {
  const write = (
    taskId: string,
    of: Entry | undefined,
    offset = of?.asOf ?? 0,
    more: { pending?: boolean; operationId?: string; userId?: string } = {},
  ) =>
    both().cache.wrote({
      userId: ownerId,
      taskId,
      operationId: id(),
      position: { partition, offset },
      entry: of,
      pending: false,
      ...more,
    });
  const read = (taskId: string, userId = ownerId) => both().cache.read(userId, taskId, partition);
  const found = async (taskId: string) => (await read(taskId)).entry;
  /** The keeper's first mark, after which entries live long. */
  const mark = async (offset: number) => {
    await both().kept.empty([partition]);
    expect(await both().kept.keep(partition, [], { offset, before: undefined })).toBe(true);
  };

  test("an entry is read as it was written, and a newer one takes its place, whoever writes it and however late", async () => {
    const task = id();
    await write(task, entry(2, 20));
    expect(await found(task)).toEqual(entry(2, 20));
    await write(task, entry(1, 10));
    expect(await found(task)).toEqual(entry(2, 20));
    await both().kept.keep(partition, [outcome(task, 1, 10), outcome(task, 3, 30)], undefined);
    expect(await found(task)).toEqual(entry(3, 30));
    await both().kept.keep(partition, [outcome(task, 2, 20)], undefined);
    expect(await found(task)).toEqual(entry(3, 30));
  });

  test("the same version known to be right for longer takes the place of the one known for less", async () => {
    const task = id();
    await write(task, entry(2, 20));
    await write(task, entry(2, 25));
    expect(await found(task)).toEqual(entry(2, 25));
    await write(task, entry(2, 22));
    expect(await found(task)).toEqual(entry(2, 25));
  });

  test("an entry says up to where it is right, which need not be the write that brought it", async () => {
    const task = id();
    await write(task, entry(4, 40), 47);
    const { entry: there, own } = await read(task);
    expect(there).toEqual(entry(4, 40));
    expect(own.get(partition)).toBeGreaterThanOrEqual(47);
  });

  test("a deleted task leaves its tombstone, over which nothing older comes", async () => {
    const task = id();
    await both().kept.keep(partition, [outcome(task, 5, 50, { deleted: true })], undefined);
    expect(await found(task)).toEqual(entry(5, 50, { deleted: true, json: "" }));
    await write(task, entry(4, 40));
    expect((await found(task))?.deleted).toBe(true);
  });

  test("refusals, repeats and what was parked tell the cache nothing", async () => {
    const task = id();
    const { version: _version, task: _task, ...refused } = outcome(task, 1, 10);
    await both().kept.keep(
      partition,
      [{ ...refused, verdict: "rejected", code: "not-found" }, outcome(task, 1, 11, { verdict: "replayed" })],
      undefined,
    );
    expect(await found(task)).toBeUndefined();
  });

  test("of those who miss at once one may fill", async () => {
    const task = id();
    const leases = (await Promise.all(Array.from({ length: 10 }, () => read(task)))).flatMap(
      ({ lease }) => lease ?? [],
    );
    expect(leases).toHaveLength(1);
    await both().cache.fill(task, partition, entry(1, 10), "another lease");
    expect(await found(task)).toBeUndefined();
    await both().cache.fill(task, partition, entry(1, 10), leases[0] ?? "");
    expect(await found(task)).toEqual(entry(1, 10));
    expect((await read(task)).lease).toBeUndefined();
  });

  test("a fill that comes after a newer write does nothing, though that is gone again", async () => {
    for (const newer of [
      (task: string) => write(task, entry(2, 20)),
      (task: string) => both().kept.keep(partition, [outcome(task, 2, 20)], undefined),
    ]) {
      const task = id();
      const { lease = "" } = await read(task);
      await newer(task);
      await both().flush();
      await both().cache.fill(task, partition, entry(1, 10), lease);
      expect(await found(task)).toBeUndefined();
    }
  });

  test("a fill under its lease counts though the keeper has passed what it is known to be right for", async () => {
    const task = id();
    await mark(100);
    const { lease = "" } = await read(task);
    await both().cache.fill(task, partition, entry(1, 10), lease);
    expect(await read(task)).toMatchObject({ entry: entry(1, 10), kept: 100 });
  });

  test("where there is nothing, what the keeper has passed is left out; over something older it is written", async () => {
    const [gone, there] = [id(), id()];
    await mark(30);
    await write(gone, entry(2, 20));
    await both().kept.keep(partition, [outcome(gone, 2, 20), outcome(gone, 3, 30)], undefined);
    expect(await found(gone)).toBeUndefined();
    const { lease = "" } = await read(there);
    await both().cache.fill(there, partition, entry(1, 5), lease);
    await both().kept.keep(partition, [outcome(there, 2, 20)], undefined);
    expect(await found(there)).toEqual(entry(2, 20));
    await write(gone, entry(4, 31));
    expect(await found(gone)).toEqual(entry(4, 31));
  });

  test("a user's own positions are remembered by partition and never go back", async () => {
    const [userId, task] = [id(), id()];
    expect(await both().cache.own(userId)).toEqual(new Map());
    await write(task, undefined, 0, { userId });
    await write(task, undefined, 12, { userId });
    await write(task, undefined, 9, { userId });
    await both().cache.wrote({
      userId,
      taskId: task,
      operationId: id(),
      position: { partition: 0, offset: 7 },
      entry: undefined,
      pending: false,
    });
    const own = new Map([
      [partition, 12],
      [0, 7],
    ]);
    expect(await both().cache.own(userId)).toEqual(own);
    expect((await read(task, userId)).own).toEqual(own);
    expect((await read(task, id())).own).toEqual(new Map());
  });

  test("an operation that was answered before it was decided is known by its user, and no other is", async () => {
    const [operationId, other, userId] = [id(), id(), id()];
    await write(id(), undefined, 1, { operationId, userId, pending: true });
    await write(id(), undefined, 2, { operationId: other, userId });
    expect(await both().cache.pending(operationId)).toBe(userId);
    expect(await both().cache.pending(other)).toBeUndefined();
  });

  test("a mark moves on only from where it was left, and with a mark that is not as it was nothing is written", async () => {
    const { kept } = both();
    const task = id();
    const move = (offset: number, before: number | undefined) =>
      kept.keep(partition, [outcome(task, offset, offset)], { offset, before });
    await mark(10);
    expect(await move(20, 10)).toBe(true);
    expect(await read(task)).toMatchObject({ kept: 20, entry: entry(20, 20) });
    // Another keeper has gone further.
    expect(await move(18, 10)).toBe(true);
    expect((await read(task)).kept).toBe(20);
    // It has gone back.
    expect(await move(40, 30)).toBe(false);
    // There is one already.
    expect(await move(40, undefined)).toBe(false);
    expect(await read(task)).toMatchObject({ kept: 20, entry: entry(20, 20) });
    await both().flush();
    expect(await move(40, 20)).toBe(false);
    expect(await found(task)).toBeUndefined();
  });

  test("to be emptied is to lose all tasks and the marks of those partitions alone", async () => {
    const { kept, cache } = both();
    const tasks = Array.from({ length: 1_200 }, id);
    await mark(1);
    await kept.empty([partition + 1]);
    expect(await kept.keep(partition + 1, [], { offset: 5, before: undefined })).toBe(true);
    await kept.keep(
      partition,
      tasks.map((task, index) => outcome(task, 1, 2 + index)),
      undefined,
    );
    await kept.empty([partition]);
    for (const task of [tasks[0], tasks[600], tasks[1_199]] as string[])
      expect(await read(task)).toMatchObject({ entry: undefined, kept: -1 });
    expect((await cache.read(ownerId, id(), partition + 1)).kept).toBe(5);
    await kept.empty([]);
    await kept.empty([partition + 1]);
  });

  test("a flush in the middle of everything loses what was there and nothing else", async () => {
    const task = id();
    await mark(10);
    await write(task, entry(1, 11));
    const { lease } = await read(id());
    expect(lease).toBeDefined();
    await both().flush();
    expect(await read(task)).toMatchObject({ entry: undefined, kept: -1, own: new Map() });
    await write(task, entry(2, 12));
    expect(await found(task)).toEqual(entry(2, 12));
  });
}

describe("the cache in memory", () => {
  const memory = memoryCache(() => 0);
  const turn = () => Promise.resolve();
  cases(() => ({ cache: memory.cache(turn), kept: memory.keptCache(turn), flush: async () => memory.flush() }));
});

describeWith("the cache in Redis", [server], ({ url }) => {
  const namespace = `cache-contract-${id().slice(0, 8)}.`;
  let connection: RedisConnection;
  const both = (): Both => ({
    cache: redisCache(connection.redis, Date.now),
    kept: keptCacheInRedis(connection.redis),
    flush: () => forgetKeys(url, `${namespace}*`),
  });
  beforeAll(async () => {
    connection = connectRedis({ url, namespace });
    await poll("it is connected", 60_000, () =>
      connection.ping().then(
        () => true,
        () => false,
      ),
    );
  });
  afterAll(async () => {
    await forgetKeys(url, `${namespace}*`);
    connection?.close();
  });

  cases(both);

  test("a thousand random steps are answered as in memory, and an older version never follows a newer one", async () => {
    await forgetKeys(url, `${namespace}*`);
    const choose = random(11);
    const memory = memoryCache(() => 0);
    const turn = () => Promise.resolve();
    const sides = [both(), { cache: memory.cache(turn), kept: memory.keptCache(turn) }] as const;
    const each = async <T>(run: (side: Pick<Both, "cache" | "kept">, index: number) => Promise<T>): Promise<T> => {
      const [redis, model] = [await run(sides[0], 0), await run(sides[1], 1)];
      expect(redis).toEqual(model as never);
      return redis;
    };
    const tasks = Array.from({ length: 4 }, id);
    const versions = new Map(tasks.map((task) => [task, 1]));
    let position = 0;
    let marked: number | undefined;
    let leases: { task: string; tokens: (string | undefined)[] }[] = [];
    for (let step = 0; step < 1_000; step += 1) {
      const task = choose.pick(tasks);
      const what = choose.int(10);
      // Late ones are of a version and position that are past.
      const lateness = choose.int(4);
      const version = Math.max(1, (versions.get(task) ?? 0) - lateness);
      const asOf = Math.max(0, position - lateness);
      if (what < 2) {
        position += 1;
        versions.set(task, (versions.get(task) ?? 0) + 1);
      } else if (what < 4) {
        const given = {
          userId: ownerId,
          taskId: task,
          operationId: id(),
          position: { partition, offset: asOf },
          pending: choose.chance(0.2),
        };
        const of = choose.chance(0.8) ? entry(version, asOf) : undefined;
        await each(({ cache }) => cache.wrote({ ...given, entry: of }));
      } else if (what < 6) {
        const outcomes = choose
          .some(tasks, 0.6)
          .map((one) => outcome(one, Math.max(1, (versions.get(one) ?? 0) - lateness), asOf));
        const of = choose.chance(0.5)
          ? { offset: position, before: choose.chance(0.8) ? marked : choose.int(20) }
          : undefined;
        if ((await each(({ kept }) => kept.keep(partition, outcomes, of))) && of !== undefined)
          marked = Math.max(position, marked ?? -1);
      } else if (what < 9) {
        const tokens: (string | undefined)[] = [];
        const now = await each(async ({ cache }, index) => {
          const { lease, ...rest } = await cache.read(ownerId, task, partition);
          tokens[index] = lease;
          return { ...rest, hasLease: lease !== undefined };
        });
        if (now.hasLease) leases.push({ task, tokens });
        expect(now.entry?.version ?? 0).toBeLessThanOrEqual(versions.get(task) ?? 0);
      } else if (leases.length > 0 && choose.chance(0.8)) {
        const lease = choose.pick(leases);
        leases = leases.filter((other) => other !== lease);
        const of = entry(Math.max(1, versions.get(lease.task) ?? 0), position);
        await each(({ cache }, index) => cache.fill(lease.task, partition, of, lease.tokens[index] ?? ""));
      } else if (choose.chance(0.1)) {
        await each(({ kept }) => kept.empty([partition]));
        marked = undefined;
      } else if (choose.chance(0.3)) {
        memory.evict(task);
        await connection.redis.del(keys.task(task));
      }
    }
  }, 120_000);

  test("without the keeper's mark an entry lives for a moment, with it for an hour or so, and a lease for a moment", async () => {
    const { cache, kept, flush } = both();
    await flush();
    const [short, long, missed] = [id(), id(), id()];
    const write = (taskId: string) =>
      cache.wrote({
        userId: ownerId,
        taskId,
        operationId: id(),
        position: { partition, offset: 90 },
        entry: entry(1, 90),
        pending: false,
      });
    const lifeOf = (key: string) => connection.redis.pttl(key);
    await write(short);
    expect(await lifeOf(keys.task(short))).toBeWithin(1, unmarkedMs + 1);
    await kept.keep(partition, [], { offset: 80, before: undefined });
    await write(long);
    expect(await lifeOf(keys.task(long))).toBeWithin(3_000_000, 4_000_000);
    await cache.read(ownerId, missed, partition);
    expect(await lifeOf(keys.lease(missed))).toBeWithin(1, leaseMs + 1);
    // The mark was made behind the one without it, and is no word on it.
    expect((await cache.read(ownerId, short, partition)).kept).toBe(-1);
    expect((await cache.read(ownerId, long, partition)).kept).toBe(80);
    expect(await lifeOf(keys.own(ownerId))).toBeWithin(1, 900_001);
  });

  test("what is in Redis and none of ours is a miss, and is written over", async () => {
    const { cache, flush } = both();
    await flush();
    for (const text of ["", "x", "1 2", "1 -1 0 x {}"]) {
      const task = id();
      await connection.redis.set(keys.task(task), text);
      expect((await cache.read(ownerId, task, partition)).entry).toBeUndefined();
      await cache.wrote({
        userId: ownerId,
        taskId: task,
        operationId: id(),
        position: { partition, offset: 1 },
        entry: entry(1, 1),
        pending: false,
      });
      expect((await cache.read(ownerId, task, partition)).entry).toEqual(entry(1, 1));
    }
  });

  test("scripts that Redis has forgotten are sent again, in the middle of many calls too", async () => {
    const { cache, kept } = both();
    const direct = connectRedis({ url });
    await poll("it is connected", 60_000, () =>
      direct.ping().then(
        () => true,
        () => false,
      ),
    );
    for (let round = 0; round < 5; round += 1) {
      const task = id();
      const under = Array.from({ length: 50 }, async (_, index) => {
        await cache.read(ownerId, id(), partition);
        await kept.keep(partition, [outcome(task, index + 1, 1_000 * (round + 1) + index)], undefined);
      });
      await direct.redis.script("FLUSH");
      await Promise.all(under);
      expect((await cache.read(ownerId, task, partition)).entry?.version).toBe(50);
    }
    direct.close();
  });

  describe("on a bad line", () => {
    let proxy: FaultProxy;
    let behind: RedisConnection;
    let cache: Cache;
    beforeAll(async () => {
      proxy = await faultProxy(Number(new URL(url).port));
      const there = new URL(url);
      there.port = String(proxy.port);
      behind = connectRedis({ url: there.href, namespace });
      cache = redisCache(behind.redis, Date.now);
      await works();
    });
    afterAll(async () => {
      behind?.close();
      await proxy?.close();
    });
    const calls: ((task: string) => Promise<unknown>)[] = [
      (task) => cache.read(ownerId, task, partition),
      () => cache.own(ownerId),
      (task) =>
        cache.wrote({
          userId: ownerId,
          taskId: task,
          operationId: id(),
          position: { partition, offset: 1 },
          entry: entry(1, 1),
          pending: false,
        }),
      (task) => cache.fill(task, partition, entry(1, 1), "none"),
      () => cache.pending(id()),
      () => keptCacheInRedis(behind.redis).keep(partition, [outcome(id(), 1, 1)], undefined),
    ];
    const works = () =>
      poll("it works again", 5_000, () =>
        Promise.all(calls.map((call) => call(id()))).then(
          () => true,
          () => false,
        ),
      );
    const settled = async (call: (task: string) => Promise<unknown>): Promise<"done" | "failed"> => {
      const began = performance.now();
      const how = await call(id()).then(
        () => "done" as const,
        () => "failed" as const,
      );
      expect(performance.now() - began).toBeLessThan(600);
      return how;
    };
    const expected = {
      slow: "done",
      refuse: "failed",
      cut: "failed",
      stall: "failed",
      "drop-replies": "failed",
    } as const;
    for (const [mode, how] of Object.entries(expected) as [keyof typeof expected, "done" | "failed"][])
      test(`${mode}: every call is ${how} in time, most at once, and all is well when it is over`, async () => {
        await proxy.mode(mode, { delayMs: 50 });
        const outcomes = await Promise.all(Array.from({ length: 4 }, () => calls.map(settled)).flat());
        expect(new Set(outcomes)).toEqual(new Set([how]));
        if (how === "failed") {
          // Known to be away, it is left alone.
          const began = performance.now();
          for (const call of calls.slice(0, 5)) await settled(call);
          expect(performance.now() - began).toBeLessThan(700);
        }
        await proxy.mode("pass");
        await works();
      }, 120_000);
  });
});
