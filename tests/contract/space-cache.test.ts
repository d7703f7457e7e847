/** The cache of resources of spaces in Redis: what workers read, write through and fill, and what the keeper brings into it from what is told. */
import { afterAll, beforeAll, expect, test } from "bun:test";
import { keptSpacesInRedis, ofSpaces } from "../../actors/keeper/cache-redis.ts";
import { keeping } from "../../actors/keeper/keep.ts";
import { connectRedis, type RedisConnection } from "../../actors/redis/connect.ts";
import { instances } from "../../actors/redis/instances.ts";
import { type SpaceEntry, spaceKeys } from "../../actors/redis/space-cache.ts";
import { memoryCache } from "../../actors/redis/space-cache-for-tests.ts";
import { commandOf, idOf, SpaceForTests } from "../../actors/resources/space-for-tests.ts";
import type { Told } from "../../actors/resources/verdict.ts";
import { redisSpaceCache, type SpaceCache } from "../../actors/task/servers/cache.ts";
import { forgetKeys } from "../../deploy/services/place.ts";
import { faultProxy } from "../system/fault-proxy.ts";
import { poll } from "../system/poll.ts";
import { random } from "../system/random.ts";
import { describeWith, service } from "../system/services.ts";

const ann = idOf(11);
const partition = 2;

describeWith("the cache of spaces in Redis", [await service("REDIS_URL")], ({ url }) => {
  const namespace = `space-cache-${crypto.randomUUID().slice(0, 8)}:`;
  let connection: RedisConnection;
  let cache: SpaceCache;
  beforeAll(async () => {
    connection = connectRedis({ url, namespace });
    await poll("Redis is there", 60_000, () =>
      connection.ping().then(
        () => true,
        () => false,
      ),
    );
    cache = redisSpaceCache(connection.redis, Date.now);
  }, 120_000);
  afterAll(async () => {
    connection?.close();
    await forgetKeys(url, `${namespace}*`);
  }, 120_000);

  const entry = (version: number, asOf: number, text = `{"version":${version},"title":"ü 😀 \\n"}`): SpaceEntry => ({
    version,
    asOf,
    isDeleted: false,
    type: "task",
    text,
  });
  const of = (id: string = crypto.randomUUID()) => ({ spaceId: ann, id, partition });
  const wrote = (at: ReturnType<typeof of>, its: SpaceEntry, offset = its.asOf) =>
    cache.wrote({
      userId: ann,
      spaceId: ann,
      operationId: crypto.randomUUID(),
      position: { partition, offset },
      resource: { id: at.id, entry: its },
      isPending: false,
    });

  test("a miss gives one of those who ask the right to fill it, which every newer write ends", async () => {
    const at = of();
    const [one, other] = [await cache.read(ann, at), await cache.read(ann, at)];
    expect([one.entry, other.lease]).toEqual([undefined, undefined]);
    await cache.fill(at, entry(3, 10), one.lease as string);
    expect((await cache.read(ann, at)).entry).toEqual(entry(3, 10));
    await cache.fill(at, entry(4, 11), one.lease as string);
    expect((await cache.read(ann, at)).entry).toEqual(entry(3, 10));
    const late = of();
    const { lease } = await cache.read(ann, late);
    await wrote(late, entry(2, 20));
    await cache.fill(late, entry(1, 19), lease as string);
    expect((await cache.read(ann, late)).entry).toEqual(entry(2, 20));
  });

  test("a write is noted for its author, and replaces what is older only", async () => {
    const at = of();
    await wrote(at, entry(2, 31));
    await wrote(at, entry(1, 30));
    const { own, entry: found } = await cache.read(ann, at);
    expect([own.get(partition), found]).toEqual([31, entry(2, 31)]);
    expect(await cache.own(ann)).toEqual(own);
    const operationId = crypto.randomUUID();
    const pending = { userId: ann, spaceId: ann, operationId, position: { partition: 1, offset: 4 }, isPending: true };
    await cache.wrote({ ...pending, resource: undefined });
    expect(await cache.pending(ann, operationId)).toBe(ann);
    expect(await cache.pending(idOf(12), operationId)).toBeUndefined();
    expect((await cache.own(ann)).get(1)).toBe(4);
  });

  test("a write of which Redis tells nothing in time is noted once more", async () => {
    const proxy = await faultProxy(Number(new URL(url).port));
    const through = connectRedis({ url: `redis://127.0.0.1:${proxy.port}`, namespace }, { commandMs: 800 });
    try {
      const late = redisSpaceCache(through.redis, Date.now);
      await poll("Redis is there", 60_000, () =>
        late.own(ann).then(
          () => true,
          () => false,
        ),
      );
      await proxy.mode("stall");
      const [at, operationId] = [of(), crypto.randomUUID()];
      const resource = { id: at.id, entry: entry(1, 9_000) };
      const noting = late.wrote({
        userId: at.id,
        spaceId: ann,
        operationId,
        position: { partition, offset: 9_000 },
        resource,
        isPending: false,
      });
      await expect(late.own(ann)).rejects.toThrow();
      await proxy.mode("pass");
      through.redis.disconnect(true);
      await noting;
      expect((await cache.own(at.id)).get(partition)).toBe(9_000);
    } finally {
      through.close();
      await proxy.close();
    }
  }, 60_000);

  test("the keeper brings each change that is told into it, in order, and remembers how far it has come", async () => {
    const space = new SpaceForTests();
    const kept = keptSpacesInRedis(connection.redis);
    let nowMs = Date.now();
    const keeps = keeping({ cache: kept, ...ofSpaces, now: () => nowMs, emptied: () => undefined });
    keeps.assigned(new Map([[partition, undefined]]));
    const [task, placed, project] = [idOf(31), idOf(32), idOf(33)];
    const tell = (kind: "create" | "patch" | "delete", type: string, id: string, body: object): Told => {
      const command = commandOf({ spaceId: ann, userId: ann }, [{ type, kind, id, body: body as never }]);
      const { fact, documents } = space.take(command);
      const { operationId } = command;
      return { kind: "decided", position: fact.position, spaceId: ann, operationId, fact, documents };
    };
    const columns = [{ id: idOf(71), name: "To do", status: "todo" }];
    const said = [
      tell("create", "task", task, { title: "first" }),
      tell("create", "project", project, { name: "P", columns }),
      tell("create", "task", placed, { title: "placed", projectId: project }),
      tell("patch", "task", task, { title: "second" }),
    ];
    await keeps.take(partition, said);
    // Nothing is marked before what was under way when it was emptied has ended.
    nowMs += kept.cooldownMs;
    await keeps.tick();
    const read = (id: string) => cache.read(ann, { spaceId: ann, id, partition });
    const first = await read(task);
    expect([first.entry?.version, first.entry?.asOf, JSON.parse(first.entry?.text ?? "").title]).toEqual([
      2,
      3,
      "second",
    ]);
    // Its column is its project's to say.
    expect((await read(placed)).entry).toMatchObject({ version: 1, asOf: 2, text: "" });
    expect((await read(project)).entry).toMatchObject({ version: 1, type: "project" });
    await keeps.take(partition, [...said, { kind: "projected", position: 4 }]);
    expect((await read(task)).entry?.version).toBe(2);
    const withoutTexts = tell("patch", "task", task, { title: "third" });
    await keeps.take(partition, [{ ...withoutTexts, documents: [] } as Told, tell("delete", "project", project, {})]);
    expect((await read(task)).entry).toMatchObject({ version: 3, asOf: 4, text: "" });
    expect((await read(project)).entry).toMatchObject({ version: 2, isDeleted: true });
    expect((await read(task)).kept).toBe(5);
    // What the keeper has passed may have been there and gone.
    await wrote(of(idOf(34)), entry(1, 2));
    expect((await read(idOf(34))).entry).toBeUndefined();
    await kept.empty([partition]);
    expect((await read(task)).entry).toBeUndefined();
  });

  test("a thousand random steps are answered as by the cache in memory that simulations use", async () => {
    await forgetKeys(url, `${namespace}*`);
    const choose = random(11);
    const memory = memoryCache(() => 0);
    const turn = () => Promise.resolve();
    const sides = [
      { cache, kept: keptSpacesInRedis(connection.redis) },
      { cache: memory.cache(turn), kept: memory.keptCache(turn) },
    ] as const;
    const each = async <T>(run: (side: (typeof sides)[number], index: number) => Promise<T>): Promise<T> => {
      const [redis, model] = [await run(sides[0], 0), await run(sides[1], 1)];
      expect(redis).toEqual(model as never);
      return redis;
    };
    const all = Array.from({ length: 4 }, () => of());
    const versions = new Map(all.map(({ id }) => [id, 1]));
    const versionOf = ({ id }: { id: string }, late: number) => Math.max(1, (versions.get(id) ?? 0) - late);
    let position = 0;
    let marked: number | undefined;
    let leases: { at: ReturnType<typeof of>; tokens: (string | undefined)[] }[] = [];
    for (let step = 0; step < 1_000; step++) {
      const at = choose.pick(all);
      const what = choose.int(10);
      // Late ones are of a version and position that are past.
      const late = choose.int(4);
      const asOf = Math.max(0, position - late);
      if (what < 2) {
        position += 1;
        versions.set(at.id, versionOf(at, 0) + 1);
      } else if (what < 4) {
        const resource = choose.chance(0.8) ? { id: at.id, entry: entry(versionOf(at, late), asOf) } : undefined;
        const write = { userId: ann, spaceId: ann, operationId: crypto.randomUUID(), isPending: choose.chance(0.2) };
        await each((side) => side.cache.wrote({ ...write, resource, position: { partition, offset: asOf } }));
        expect(await each((side) => side.cache.pending(ann, write.operationId))).toBe(
          write.isPending ? ann : undefined,
        );
      } else if (what < 6) {
        const told = choose.some(all, 0.6).map((one) => ({ ...one, entry: entry(versionOf(one, late), asOf) }));
        const isMarking = choose.chance(0.5);
        const mark = isMarking ? { offset: position, before: choose.chance(0.8) ? marked : choose.int(20) } : undefined;
        const isDone = await each((side) => side.kept.keep(partition, told, mark));
        if (isDone && mark !== undefined) marked = Math.max(position, marked ?? -1);
      } else if (what < 9) {
        const tokens: (string | undefined)[] = [];
        const now = await each(async (side, index) => {
          const { lease, ...rest } = await side.cache.read(ann, at);
          tokens[index] = lease;
          return { ...rest, hasLease: lease !== undefined };
        });
        if (now.hasLease) leases.push({ at, tokens });
      } else if (leases.length > 0 && choose.chance(0.8)) {
        const lease = choose.pick(leases);
        leases = leases.filter((other) => other !== lease);
        const filled = entry(versionOf(lease.at, 0), position);
        await each((side, index) => side.cache.fill(lease.at, filled, lease.tokens[index] ?? ""));
      } else if (choose.chance(0.1)) {
        await each((side) => side.kept.empty([partition]));
        marked = undefined;
      } else if (choose.chance(0.3)) {
        memory.evict(at);
        await connection.redis.del(spaceKeys.resource(at.spaceId, at.id));
      }
    }
  }, 120_000);

  test("an instance knows that it is alone after a while, and not any more when another has entered", async () => {
    const now = () => Date.now();
    const one = instances(connection.redis, { id: "one", now });
    expect(one.isAlone()).toBe(false);
    await poll("it is known to be alone", 60_000, one.isAlone);
    const other = instances(connection.redis, { id: "other", now });
    await other.entered();
    expect([one.isAlone(), other.isAlone()]).toEqual([false, false]);
    await other.close();
    await poll("it is alone again", 60_000, one.isAlone);
    // What is lost may have had another in it.
    await connection.redis.del("tt:instances");
    await poll("it does not trust the list any more", 60_000, () => !one.isAlone());
    await poll("it is alone once more", 60_000, one.isAlone);
    await one.close();
    expect(await connection.redis.zcard("tt:instances")).toBe(0);
  }, 120_000);
});
