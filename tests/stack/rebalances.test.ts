/**
 * Consumers that come and go during load: every version once and in order, nothing lost, histories without gap.
 * REBALANCES=40 instead of 10.
 */
import { afterAll, beforeAll, expect, test } from "bun:test";
import { person } from "../system/client.ts";
import { type Place, placeOn, servers } from "../system/deployments.ts";
import { load } from "../system/load.ts";
import { type Crew, crew, type Member, member } from "../system/member.ts";
import { poll } from "../system/poll.ts";
import { random } from "../system/random.ts";
import { cleanUp } from "../system/server.ts";
import { describeWith } from "../system/services.ts";

const rebalances = Number(process.env.REBALANCES ?? 10);
const seed = Number(process.env.SEED ?? process.hrtime.bigint() % 1_000_000n);

describeWith("consumers that come and go", [await servers()], (urls) => {
  let place: Place;
  let system: Crew;

  beforeAll(async () => {
    place = await placeOn(urls);
    system = await crew(place.env, { task: 2, consumer: 1 });
  }, 120_000);
  afterAll(async () => {
    await cleanUp();
    await place?.remove();
  }, 120_000);

  test(
    `${rebalances} times during load: every version once and in order, nothing lost (seed ${seed})`,
    async () => {
      const choose = random(seed);
      const people = await Promise.all(Array.from({ length: 12 }, () => person(system.urls[0] as string)));
      const running = load({ urls: system.urls, people, seed, tokens: false, timeoutMs: 60_000 });
      const living: Member[] = [...system.consumers];
      const { DATABASE_URL: _, ...others } = place.env;
      for (let count = 0; count < rebalances; count += 1) {
        const goal = running.progress() + 30 + choose.int(60);
        await poll("the load goes on", 60_000, () => running.progress() > goal, 5);
        const mayGo = living.length > 1 && (living.length > 2 || choose.chance(0.5));
        if (mayGo) {
          const [gone] = living.splice(choose.int(living.length), 1);
          expect((await gone?.end("SIGTERM"))?.code).toBe(0);
        } else {
          const come = await member({ ...others, ROLE: "consumer" });
          await come.start();
          await come.ready();
          living.push(come);
        }
      }
      const goal = running.progress() + 50;
      await poll("the load goes on", 60_000, () => running.progress() > goal, 5);
      const wrong = await running.stop();
      const summary = `${running.progress()} changes, slowest ${running.slowestMs()} ms; ${JSON.stringify(Object.fromEntries(running.seen))}`;
      if (rebalances > 10) process.stderr.write(`${summary}\n`);
      expect(wrong.slice(0, 20), summary).toEqual([]);
      // Nobody was killed: at most a verdict comes late, or the read model from which a repeated one is answered.
      const bad = [...running.seen.keys()].filter(
        (each) => !/ (20[0124]|404 not-found|503 not-yet-visible)$/.test(each),
      );
      expect(bad, summary).toEqual([]);
      for (const each of living) expect((await each.end("SIGTERM")).code).toBe(0);
    },
    120_000 + rebalances * 10_000,
  );
});
