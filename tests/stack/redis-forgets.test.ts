/**
 * A Redis that forgets during load (flushed, its scripts flushed, killed and started again, halted): nothing is read old, nothing is wrong.
 * FORGETS=60 instead of 8.
 */
import { afterAll, beforeAll, expect, test } from "bun:test";
import { person } from "../system/client.ts";
import { type Place, placeOn, servers } from "../system/deployments.ts";
import { load } from "../system/load.ts";
import { type Crew, crew } from "../system/member.ts";
import { poll } from "../system/poll.ts";
import { random } from "../system/random.ts";
import { cleanUp } from "../system/server.ts";
import { describeWith, privateService } from "../system/services.ts";

const forgets = Number(process.env.FORGETS ?? 8);
const seed = Number(process.env.SEED ?? process.hrtime.bigint() % 1_000_000n);

describeWith("a Redis that forgets", [await servers(), await privateService("redis")], (urls, redis) => {
  let place: Place;
  let system: Crew;

  beforeAll(async () => {
    place = await placeOn(urls, ["DATABASE_URL", "MONGO_URL", "KAFKA_BROKERS"]);
    system = await crew({ ...place.env, REDIS_URL: redis.url }, { task: 2, consumer: 1 });
  }, 120_000);
  afterAll(async () => {
    await cleanUp();
    await redis.stop();
    await place?.remove();
  }, 120_000);

  test(
    `${forgets} times during load: nothing old, nothing wrong (seed ${seed})`,
    async () => {
      const choose = random(seed);
      const people = await Promise.all(Array.from({ length: 12 }, () => person(system.urls[0] as string)));
      // With the token on any instance, and without it on one's own.
      const loads = [
        load({ urls: system.urls, people: people.slice(0, 6), seed, tokens: true, timeoutMs: 60_000 }),
        load({
          urls: system.urls.slice(0, 1),
          people: people.slice(6),
          seed: seed + 100,
          tokens: false,
          timeoutMs: 60_000,
        }),
      ];
      const progress = () => Math.min(...loads.map((each) => each.progress()));
      const say = async (words: string[]) => {
        const client = new Bun.RedisClient(redis.url);
        expect(await client.send(words[0] as string, words.slice(1))).toBe("OK");
        client.close();
      };
      const ways: (() => Promise<void>)[] = [
        () => say(["FLUSHALL"]),
        () => say(["SCRIPT", "FLUSH"]),
        () => redis.restart(),
        async () => {
          await redis.pause();
          const goal = progress() + 20;
          await poll("the load goes on without Redis", 60_000, () => progress() > goal, 5);
          await redis.resume();
        },
      ];
      for (let count = 0; count < forgets; count += 1) {
        const goal = progress() + 20 + choose.int(60);
        await poll("the load goes on", 60_000, () => progress() > goal, 5);
        await (count < ways.length ? ways[count] : choose.pick(ways))?.();
      }
      await Promise.all(system.all.map((each) => each.ready()));
      await poll("all is well", 60_000, async () =>
        (await Promise.all(system.all.map((each) => each.report()))).every((said) => said?.status === "ok"),
      );
      const goal = progress() + 50;
      await poll("the load goes on", 60_000, () => progress() > goal, 5);
      for (const each of loads) {
        const wrong = await each.stop();
        const summary = `${each.progress()} changes, slowest ${each.slowestMs()} ms; ${JSON.stringify(Object.fromEntries(each.seen))}`;
        if (forgets > 8) process.stderr.write(`${summary}\n`);
        expect(wrong.slice(0, 20), summary).toEqual([]);
        // Tasks do not need Redis: nobody notices but by the time it takes. A read waits a second for a read model that is slower, and then says so.
        const fine = /^(?:list|get) 503 not-yet-visible$| (?:20[014]|404 not-found)$/;
        const bad = [...each.seen.keys()].filter((kind) => !fine.test(kind));
        expect(bad, summary).toEqual([]);
      }
      expect(await system.end()).toEqual(system.all.map(() => 0));
    },
    120_000 + forgets * 5_000,
  );
});
