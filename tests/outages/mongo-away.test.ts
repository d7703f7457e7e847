/**
 * The read model is away while many change tasks: verdicts go on without it, and afterwards it has everything.
 * AWAY_SECONDS and CHANGES_PER_SECOND make it longer and faster: with 60 and 200 it takes some two minutes.
 */
import { afterAll, beforeAll, expect, test } from "bun:test";
import { createTask, type Person, person, type Task, type TaskPage } from "../system/client.ts";
import { type Member, member } from "../system/member.ts";
import { poll } from "../system/poll.ts";
import { cleanUp } from "../system/server.ts";
import { describeWith } from "../system/services.ts";
import { atWork, factsOf } from "../system/spaces.ts";
import { type Stack, stack } from "../system/stack.ts";

const awayMs = Number(process.env.AWAY_SECONDS ?? 6) * 1_000;
const everyMs = 1_000 / Number(process.env.CHANGES_PER_SECOND ?? 50);
/** In their own spaces, so that no partition of the log comes to its bound of what may wait. */
const peopleCount = 4;
const tasksEach = 5;
/** A list asked for now and then. */
const lookMs = 500;
afterAll(cleanUp);

describeWith("changes while MongoDB is away", [await stack()], (servers: Stack) => {
  let system: Member;
  const people: Person[] = [];

  beforeAll(async () => {
    system = await member({ ...servers.env, TT_RATE_LIMIT: "1000000/1" });
    await system.start();
    await system.ready();
    for (let made = 0; made < peopleCount; made++) people.push(await person(system.url));
    for (const who of people) await atWork(who);
  }, 300_000);
  afterAll(async () => {
    expect((await system?.end("SIGTERM"))?.code).toBe(0);
    await servers.close();
  }, 300_000);

  test(
    "are decided all the same, single reads are right, lists say that they are not, and nothing is lost",
    async () => {
      const tasks: { readonly who: Person; readonly id: string }[] = [];
      for (let made = 0; made < tasksEach; made++)
        for (const who of people) tasks.push({ who, id: (await createTask(who, { title: `Task ${made}` })).id });
      /** By task, the latest version that was answered. */
      const known = new Map(tasks.map(({ id }) => [id, 1]));
      const decided = new Set<string>();
      const counts = new Map<string, number>();
      const delaysMs: number[] = [];
      const wrong: string[] = [];
      const count = (what: string) => counts.set(what, (counts.get(what) ?? 0) + 1);

      async function change(at: number): Promise<void> {
        const { who, id } = tasks[at % tasks.length] as (typeof tasks)[number];
        const beganMs = performance.now();
        const title = `Change ${at}`;
        const reply = await who.call<Task>("PATCH", `/v1/tasks/${id}`, { body: { title } });
        delaysMs.push(performance.now() - beganMs);
        count(`PATCH ${reply.status}`);
        if (reply.status !== 200) return;
        decided.add(title);
        known.set(id, Math.max(known.get(id) ?? 0, reply.body.version));
        if (at % 5 !== 0) return;
        const least = known.get(id) ?? 0;
        const read = await who.call<Task & { code?: string }>("GET", `/v1/tasks/${id}`);
        count(`GET ${read.status}`);
        // A machine that is too busy for so many may say so.
        if (read.body.code === "overloaded") return;
        if (read.status !== 200 || read.body.version < least)
          wrong.push(`${id}: ${read.status}, version ${read.body?.version} after ${least}`);
      }

      /** With less than what was decided before it is asked for, a list says so. */
      async function look(who: Person): Promise<void> {
        const least = new Map(known);
        const list = await who.call<TaskPage>("GET", "/v1/tasks?limit=100");
        const isStale = list.headers.get("consistency") === "stale";
        count(`list ${list.status}${isStale ? " stale" : ""}`);
        if (list.status !== 200 || isStale) return;
        const older = list.body.items.filter(({ id, version }) => version < (least.get(id) ?? 0));
        if (older.length > 0) wrong.push(`an unmarked list without ${older.length} changes`);
      }

      await servers.servers.mongo.kill();
      const beganMs = performance.now();
      const underWay: Promise<void>[] = [];
      for (let at = 0, lookedMs = 0; performance.now() - beganMs < awayMs; at++) {
        underWay.push(change(at));
        if (performance.now() - lookedMs > lookMs) {
          lookedMs = performance.now();
          underWay.push(look(people[at % peopleCount] as Person));
        }
        const waitMs = beganMs + (at + 1) * everyMs - performance.now();
        await new Promise((resolve) => setTimeout(resolve, Math.max(0, waitMs)));
      }
      const heldMs = performance.now() - beganMs;
      await Promise.all(underWay);
      const mendingMs = performance.now();
      await servers.servers.mongo.mend();
      const mendedMs = performance.now();
      for (const who of people)
        await poll("lists have all that was decided", 300_000, async () => {
          const list = await who.call<TaskPage>("GET", "/v1/tasks?limit=100");
          if (list.status !== 200 || list.headers.get("consistency") === "stale") return false;
          return list.body.items.every(({ id, version }) => version >= (known.get(id) ?? 0));
        });
      const lagMs = performance.now() - mendedMs;
      const delays = delaysMs.toSorted((a, b) => a - b);
      const at = (share: number) => Math.round(delays[Math.floor(delays.length * share)] ?? 0);
      process.stderr.write(
        `away ${Math.round(heldMs)} ms, back after ${Math.round(mendedMs - mendingMs)} ms more, lag gone ${Math.round(lagMs)} ms later; changes p50 ${at(0.5)} ms, p99 ${at(0.99)} ms, longest ${at(1 - 1e-9)} ms; ${JSON.stringify(Object.fromEntries(counts))}\n`,
      );
      expect(wrong).toEqual([]);
      const told = new Set<unknown>();
      for (const who of people)
        await poll("the facts are read", 120_000, async () => {
          // A slow server may refuse a page of a thousand now and then.
          const facts = await factsOf(who, who.id).catch(() => undefined);
          for (const { changes } of facts ?? []) for (const { fields } of changes) told.add(fields.title?.to);
          return facts !== undefined;
        });
      expect([...decided].filter((title) => !told.has(title))).toEqual([]);
      // On a busy machine some may be answered 202 or 503; the rule is a verdict.
      expect(decided.size).toBeGreaterThan(delays.length * 0.8);
    },
    awayMs * 4 + 400_000,
  );
});
