/**
 * A team of eight at work in three spaces, on two processes that serve tasks and two that write, while roles and servers are killed, halted and slow. What it
 * was told and has seen is checked against what is there in the end. One of them has seven spaces of their own beside, and follows all ten; the follower is cut
 * off at random moments. NEMESIS_SECONDS says how long (600 by hand), FOLLOWER_CUTS how often (500 by hand); SEED repeats a run.
 */
import { afterAll, expect, test } from "bun:test";
import { connectMongo, toolBounds } from "../../actors/mongo/connect.ts";
import { person } from "../system/client.ts";
import { cutFollower } from "../system/cut-follower.ts";
import { crew } from "../system/member.ts";
import { poll } from "../system/poll.ts";
import { random } from "../system/random.ts";
import { cleanUp } from "../system/server.ts";
import { describeWith } from "../system/services.ts";
import type { Fact, Resource } from "../system/spaces.ts";
import { serverNames, stack } from "../system/stack.ts";
import { faultsOf } from "../system/team-checker.ts";
import { type Mate, type Seen, team } from "../system/team-load.ts";

const seconds = Number(process.env.NEMESIS_SECONDS ?? 40);
const cutsWanted = Number(process.env.FOLLOWER_CUTS ?? 30);
const seed = Number(process.env.SEED ?? process.hrtime.bigint() % 1_000_000n);
/** In the texts of the account that is erased. */
const secret = `erased-${crypto.randomUUID()}`;
afterAll(cleanUp);

describeWith("a team and a nemesis", [await stack()], (servers) => {
  afterAll(servers.close, 30_000);

  test(
    `everything that the team was told holds, whatever happens to processes and servers (NEMESIS_SECONDS=${seconds}, FOLLOWER_CUTS=${cutsWanted}, SEED=${seed})`,
    async () => {
      const choose = random(seed);
      const system = await crew(servers.env, { task: 2, consumer: 2 });
      const seen: Seen = {
        acknowledged: [],
        verdicts: new Map(),
        batches: [],
        stays: [],
        sights: [],
        counts: new Map(),
      };
      const { decided, work, visit, join, whole } = team(system.urls, seen);
      const mates = await Promise.all(
        Array.from({ length: 8 }, async (): Promise<Mate> => {
          const who = await person(system.urls[0] as string);
          return { person: who, token: who.tokens.accessToken };
        }),
      );
      const [host, leaver] = [mates[0] as Mate, mates[6] as Mate];
      const [spaces, own]: [string[], string[]] = [[], []];
      for (let made = 0; made < 10; made++) {
        const { reply } = await decided(host, choose, "POST", "/v1/spaces", { name: `Space ${made}` });
        const spaceId = reply.body.id as string;
        (made < 3 ? spaces : own).push(spaceId);
        seen.stays.push({ userId: host.person.id, spaceId, fromMs: 0 });
        if (made < 3) for (const mate of mates.slice(1, 7)) await join(mate, host, spaceId, choose);
      }
      const all = [...spaces, ...own];
      const follower = await cutFollower(system.urls, host.person, all, choose);
      for (let made = 0; made < 5; made++)
        await decided(leaver, choose, "POST", "/v1/tasks", { title: `${secret} ${made}` });

      const endMs = performance.now() + seconds * 1_000;
      let isOver = false;
      const faults: string[] = [];
      const lanes = [
        ...mates
          .slice(0, 6)
          .map((mate, index) => work(mate, mate === host ? all : spaces, () => isOver, seed * 10 + index)),
        visit(mates[7] as Mate, host, spaces[2] as string, () => isOver, seed * 10 + 8),
      ].map((lane) => lane.catch((error: Error) => void faults.push(`A lane has ended: ${error.message}`)));
      let isCutting = true;
      const cutting = (async () => {
        const moments = random(seed + 1);
        while (follower.cuts() < cutsWanted) await follower.cut(moments.int((2_000 * seconds) / cutsWanted));
      })()
        .catch((error: Error) => void faults.push(`The follower is not cut: ${error.message}`))
        .finally(() => {
          isCutting = false;
        });
      const done: string[] = [];
      const hold = (ms: number) => {
        const leftMs = isCutting ? ms : Math.max(0, endMs - performance.now());
        return new Promise((resolve) => setTimeout(resolve, Math.min(ms, leftMs)));
      };
      for (let round = 0; performance.now() < endMs || isCutting; round++) {
        const how = choose.pick([
          "kill server",
          "halt server",
          "slow MongoDB",
          "no MongoDB",
          "kill role",
          "halt role",
          "rebalance",
        ]);
        const server = servers.servers[choose.pick(serverNames)];
        const role = choose.pick([...system.tasks, ...system.consumers, system.auth]);
        done.push(how);
        if (how === "kill server") {
          await server.kill();
          await hold(500 + choose.int(1_500));
          await server.mend();
        } else if (how === "halt server") {
          await server.stop();
          await hold(500 + choose.int(3_000));
          await server.mend();
        } else if (how === "slow MongoDB") {
          await servers.servers.mongo.slow(500);
          await hold(3_000);
          await servers.servers.mongo.mend();
        } else if (how === "no MongoDB") {
          await servers.servers.mongo.kill();
          await hold(6_000);
          await servers.servers.mongo.mend();
        } else if (how === "kill role") {
          await role.end("SIGKILL");
          await role.start();
        } else if (how === "halt role") {
          role.send("SIGSTOP");
          await hold(1_000 + choose.int(2_500));
          role.send("SIGCONT");
        } else {
          const consumer = choose.pick(system.consumers);
          await consumer.end("SIGTERM");
          await consumer.start();
        }
        // The account goes in the middle of it.
        if (round === 1)
          await decided(leaver, choose, "DELETE", "/v1/auth/me", { currentPassword: leaver.person.password });
        await hold(500 + choose.int(2_000));
      }
      await Promise.all(system.all.map((each) => each.ready()));
      isOver = true;
      await Promise.all([...lanes, cutting]);

      const facts = new Map<string, Fact[]>();
      const resources = new Map<string, Resource[]>();
      const changesIn = (spaceId: string) => ({
        acknowledged: seen.acknowledged.filter((each) => each.spaceId === spaceId),
        batches: seen.batches.filter((each) => each.spaceId === spaceId),
      });
      for (const spaceId of all) {
        // What others were told may reach the read model later; what is not there after a while is lost.
        await poll("the read model has all that was told", 120_000, async () => {
          const { facts: told, tasks } = await whole(host, choose, spaceId);
          facts.set(spaceId, told);
          resources.set(spaceId, tasks);
          return !faultsOf({
            ...seen,
            ...changesIn(spaceId),
            facts,
            resources,
            erased: [{ userId: leaver.person.id, remains: [] }],
          }).some((fault) => fault.startsWith(`Space ${spaceId}`));
        }).catch(() => undefined);
      }
      const remains = await remainsOf(servers.env.MONGO_URL as string);
      const isWhole = () =>
        all.every((spaceId) => (follower.facts.get(spaceId)?.length ?? 0) >= (facts.get(spaceId)?.length ?? 0));
      await poll("the follower has been told all", 120_000, isWhole).catch(() => undefined);
      await follower.end();
      const followed = follower.facts as ReadonlyMap<string, readonly Fact[]>;
      const erased = [{ userId: leaver.person.id, remains }];
      faults.push(...follower.strange, ...faultsOf({ ...seen, facts, followed, resources, erased }));
      const summary = `follower cut ${follower.cuts()} times; ${seen.acknowledged.length} acknowledged, ${seen.sights.length} looks, ${[...facts.values()].flat().length} facts; ${done.join(", ")}; ${JSON.stringify(Object.fromEntries(seen.counts))}`;
      process.stderr.write(`${summary}\n`);
      expect(faults.slice(0, 20), summary).toEqual([]);
      expect(await system.end()).toEqual(system.all.map(() => 0));
    },
    (seconds + 900) * 1_000,
  );

  /** Texts of the erased account that are still in MongoDB after a while. */
  async function remainsOf(url: string): Promise<string[]> {
    const mongo = connectMongo({ url }, { bounds: toolBounds });
    const found = async () => {
      const names = (await mongo.db.listCollections().toArray()).map(({ name }) => name);
      const texts: string[] = [];
      for (const name of names)
        for await (const record of mongo.db.collection(name).find({}))
          if (JSON.stringify(record).includes(secret)) texts.push(`a record in ${name}`);
      return texts;
    };
    try {
      await poll("nothing is left", 60_000, async () => (await found()).length === 0).catch(() => undefined);
      return await found();
    } finally {
      await mongo.close();
    }
  }
});
