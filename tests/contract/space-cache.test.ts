/** The cache of resources of spaces in Redis: what workers read, write through and fill, and what the keeper brings into it from what is told. */
import { afterAll, beforeAll, expect, test } from "bun:test";
import { keeping } from "../../actors/keeper/keep.ts";
import { keptSpacesInRedis, ofSpaces } from "../../actors/keeper/space-cache-redis.ts";
import { connectRedis, type RedisConnection } from "../../actors/redis/connect.ts";
import { instances } from "../../actors/redis/instances.ts";
import type { SpaceEntry } from "../../actors/redis/space-cache.ts";
import { commandOf, idOf, SpaceForTests } from "../../actors/resources/space-for-tests.ts";
import type { Told } from "../../actors/resources/verdict.ts";
import { redisSpaceCache, type SpaceCache } from "../../actors/task/space-cache-redis.ts";
import { forgetKeys } from "../../deploy/services/place.ts";
import { poll } from "../system/poll.ts";
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
    await forgetKeys(url, namespace);
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
    nowMs += kept.restMs;
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
