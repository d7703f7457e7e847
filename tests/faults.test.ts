/**
 * What is acknowledged is never lost, and the death of one actor is not the death of the others.
 * CREATES=10000 creates so many tasks between kills, instead of 3,000.
 */
import { afterAll, afterEach, beforeAll, describe, expect, test } from "bun:test";
import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import {
  call,
  expectProblem,
  historyOf,
  inParallel,
  type Person,
  person,
  type Reply,
  type Task,
  walk,
} from "./system/client.ts";
import { poll } from "./system/poll.ts";
import { random } from "./system/random.ts";
import { cleanUp, freePort, type Runtime, type System, start, temporaryFolder } from "./system/server.ts";

afterAll(cleanUp);

const clients = 32;
/** Between the rounds of a user while an actor comes back: its start needs the processors too. */
const pauseMs = 5;
const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));
const creates = Number(process.env.CREATES ?? 3_000);
const seed = Number(process.hrtime.bigint() % 1_000_000n);

/** What one user was told: each task's last acknowledged state, and patches whose fate is unknown. */
type Told = {
  readonly acknowledged: Map<string, Task>;
  readonly uncertain: Map<string, string[]>;
  readonly keyed: Map<string, string>;
};
const told = (): Told => ({ acknowledged: new Map(), uncertain: new Map(), keyed: new Map() });

/** Everything that was acknowledged is there, keyed creates once, versions without gap, histories as told. */
async function audit(who: Person, { acknowledged, uncertain, keyed }: Told, histories: number): Promise<void> {
  const stored = new Map((await walk(who, "")).map((task) => [task.id, task]));
  for (const [id, last] of acknowledged) {
    const found = stored.get(id);
    if (found === undefined)
      throw new Error(`Lost: the task ${id} was answered at version ${last.version} and is gone`);
    expect(found.version).toBeGreaterThanOrEqual(last.version);
    if (found.version === last.version) expect(found).toEqual(last);
    else expect(uncertain.get(id) ?? []).toContain(found.title);
  }
  const titles = [...stored.values()].map(({ title }) => title).filter((title) => keyed.has(title));
  expect(new Set(titles).size).toBe(titles.length);
  for (const [title, id] of keyed) expect(stored.get(id)?.title, title).toBe(title);
  for (const id of [...acknowledged.keys()].slice(-histories)) {
    const history = await historyOf(who, id);
    expect(history.map(({ version }) => version)).toEqual(
      Array.from({ length: stored.get(id)?.version ?? 0 }, (_, index) => history.length - index),
    );
  }
}

test(`kill -9 at random moments during ${creates} creates by ${clients} clients loses nothing (seed ${seed})`, async () => {
  const choose = random(seed);
  const dataDir = `${temporaryFolder()}/data`;
  const ports = [await freePort(), await freePort()] as const;
  let system = await start({ dataDir, ports });
  const people = await Promise.all(Array.from({ length: clients }, () => person(system.url)));
  const books = people.map(told);
  let done = 0;
  let running = true;
  let kills = 0;

  const client = async (who: Person, { acknowledged, uncertain, keyed }: Told, lane: number): Promise<void> => {
    const byKey = new Set<string>();
    for (let number = 0; done < creates; number += 1) {
      const title = `task ${lane}.${number}`;
      const kind = number % 4;
      const key = kind === 0 ? `create-${lane}-${number}` : undefined;
      const target = kind === 3 ? [...acknowledged.values()].findLast(({ id }) => !byKey.has(id)) : undefined;
      for (;;) {
        const request =
          target === undefined
            ? who.call<Task>("POST", "/v1/tasks", {
                body: { title },
                headers: key === undefined ? {} : { "idempotency-key": key },
              })
            : who.call<Task>("PATCH", `/v1/tasks/${target.id}`, { body: { title } });
        const reply = await request.catch(() => undefined);
        if (reply !== undefined && (reply.status === 201 || reply.status === 200)) {
          acknowledged.set(reply.body.id, reply.body);
          if (key !== undefined) {
            keyed.set(title, reply.body.id);
            byKey.add(reply.body.id);
          }
          if (target === undefined) done += 1;
          break;
        }
        if (reply !== undefined) {
          expect([reply.status, reply.text]).toEqual([503, reply.text]);
          expect(reply.headers.get("retry-after")).toMatch(/^\d+$/);
        }
        if (target !== undefined) uncertain.set(target.id, [...(uncertain.get(target.id) ?? []), title]);
        await pause(10);
        // Without a key nobody can know whether it took effect: the next one is another task.
        if (reply === undefined && key === undefined) break;
      }
    }
  };

  const killer = async (): Promise<void> => {
    const last = 0.99 * creates;
    while (running && done < last) {
      // About 7 % of the creates at most come between two kills, so that there are always more than ten of them.
      const goal = done + 0.04 * creates + choose.int(0.03 * creates);
      await poll("more is created, or all", 60_000, () => done >= goal || !running || done >= last, 1 + choose.int(5));
      if (!running) return;
      await system.end("SIGKILL");
      kills += 1;
      system = await start({ dataDir, ports });
    }
  };

  const killing = killer();
  await Promise.all(people.map((who, lane) => client(who, books[lane] ?? told(), lane))).finally(() => {
    running = false;
  });
  await killing;
  expect(kills).toBeGreaterThanOrEqual(10);
  expect(done).toBeGreaterThanOrEqual(creates);
  await inParallel(people.length, 8, async (index) => audit(people[index] as Person, books[index] ?? told(), 10));
  expect((await system.end("SIGTERM")).code).toBe(0);
}, 300_000);

for (const runtime of ["bun", "deno"] satisfies Runtime[]) {
  describe(`an actor killed from inside during load on ${runtime}`, () => {
    let system: System;
    let people: Person[];
    const env = { TT_DEBUG_FAULTS: "1", LOG_LEVEL: "error" };

    beforeAll(async () => {
      system = await start({ runtime, env });
      people = await Promise.all(Array.from({ length: 8 }, () => person(system.url)));
    }, 300_000);
    afterAll(async () => {
      await system?.end("SIGTERM");
    }, 300_000);

    // The load of a test that failed would disturb those after it.
    const loads: Load[] = [];
    afterEach(async () => {
      await Promise.allSettled(loads.splice(0).map((each) => each.stop()));
    }, 120_000);

    type Load = {
      readonly stop: () => Promise<void>;
      readonly seen: Map<string, number>;
      readonly books: Told[];
      readonly progress: () => number;
    };

    /** Creates, changes, reads and lists all the time; each answer is right, or 503 with Retry-After, or 202 that ends well, or cut. */
    function load(name: string): Load {
      const seen = new Map<string, number>();
      const books = people.map(told);
      const operations: { who: Person; at: string }[] = [];
      let running = true;
      let good = 0;
      const count = (what: string): void => void seen.set(what, (seen.get(what) ?? 0) + 1);
      const judge = (what: string, reply: Reply | undefined, fine: number): boolean => {
        count(`${what} ${reply?.status ?? "cut"}`);
        if (reply === undefined) return false;
        if (reply.status === fine) {
          good += 1;
          return true;
        }
        if (reply.status === 503)
          expect(`${what} ${reply.status} ${reply.headers.get("retry-after")} ${reply.text}`).toMatch(
            / 503 \d+ \{"type":"\/problems\//,
          );
        else expect(`${what} ${reply.status} ${reply.text}`).toBe(`${what} ${fine}`);
        return false;
      };
      const lane = async (who: Person, { acknowledged, uncertain, keyed }: Told): Promise<void> => {
        for (let number = 0; running; number += 1, await pause(pauseMs)) {
          const title = `${name} ${number}`;
          const key = number % 2 === 0 ? `${title} ${who.id}`.replaceAll(" ", "-") : undefined;
          let made: Reply<Task> | undefined;
          // A keyed create is sent until it is told; each outcome is the same task.
          for (;;) {
            made = await who
              .call<Task>("POST", "/v1/tasks", {
                body: { title },
                headers: key === undefined ? {} : { "idempotency-key": key },
              })
              .catch(() => undefined);
            if (made?.status === 202) {
              count("create 202");
              operations.push({ who, at: made?.headers.get("location") ?? "" });
            } else if (judge("create", made, 201)) break;
            // A client's back-off.
            await pause(5);
            if (key === undefined || !running) break;
          }
          if (made?.status !== 201) continue;
          const task = made?.body;
          acknowledged.set(task.id, task);
          if (key !== undefined) keyed.set(title, task.id);
          const read = await who.call<Task>("GET", `/v1/tasks/${task.id}`).catch(() => undefined);
          if (judge("get", read, 200)) expect(read?.body).toEqual(task);
          if (number % 4 === 3) {
            const patched = await who
              .call<Task>("PATCH", `/v1/tasks/${task.id}`, { body: { title: `${title}, changed` } })
              .catch(() => undefined);
            if (patched?.status === 202) {
              count("patch 202");
              operations.push({ who, at: patched.headers.get("location") ?? "" });
            } else if (judge("patch", patched, 200) && patched !== undefined) acknowledged.set(task.id, patched.body);
            if (patched?.status !== 200) uncertain.set(task.id, [`${title}, changed`]);
          }
          if (number % 10 === 0) {
            const list = await who.call<{ items: Task[] }>("GET", "/v1/tasks?limit=1").catch(() => undefined);
            if (judge("list", list, 200) && list?.headers.get("consistency") !== "stale")
              expect(list?.body.items[0]?.id).toBe(task.id);
          }
        }
      };
      const lanes = Promise.all(people.map((who, index) => lane(who, books[index] ?? told())));
      // A fault is told by whoever stops it.
      lanes.catch(() => undefined);
      const begun: Load = {
        seen,
        books,
        progress: () => good,
        stop: async () => {
          running = false;
          await lanes;
          for (const { who, at } of operations) {
            await poll(`${at} is decided`, 60_000, async () => {
              const { status, body } = await who.call<{ status: string }>("GET", at);
              return status === 200 && body.status !== "pending";
            });
          }
        },
      };
      loads.push(begun);
      return begun;
    }

    const auditAll = ({ books }: Load): Promise<void> =>
      inParallel(people.length, 8, async (index) => audit(people[index] as Person, books[index] ?? told(), 3));

    const restarts = async (actor: string): Promise<number> => {
      const report = (await (await fetch(`${system.admin}/readyz`)).json()) as {
        dependencies: Record<string, { restarts: number }>;
      };
      return report.dependencies[actor]?.restarts ?? 0;
    };

    for (const actor of ["auth", "task", "consumer"]) {
      for (const how of runtime === "bun" ? ["throw", "exit", "hang"] : ["throw", "exit"]) {
        test(`${actor} × ${how}: the others go on, it comes back, nothing is wrong or lost`, async () => {
          const running = load(`${actor} ${how}`);
          await poll("the load runs", 60_000, () => running.progress() > 200);
          const before = await restarts(actor);
          const killed = await call(system.admin, "POST", `/debug/kill?actor=${actor}&how=${how}`);
          expect(killed.status, killed.text).toBe(202);
          if (actor === "auth") {
            // Tasks do not ask auth: they go on while it is away.
            const then = running.progress();
            await poll("tasks go on without auth", 60_000, () => running.progress() > then + 200, 5);
          }
          await poll(`${actor} was started again`, 60_000, async () => (await restarts(actor)) > before);
          await poll("the system is ready", 60_000, async () => (await fetch(`${system.admin}/readyz`)).status === 200);
          const ready = running.progress();
          await poll("the load goes on", 60_000, () => running.progress() > ready + 200);
          await running.stop();
          if (actor === "auth") expect([...running.seen.keys()].filter((what) => !/ 20[01]$/.test(what))).toEqual([]);
          await auditAll(running);
          expect(
            (
              await call(system.url, "POST", "/v1/auth/login", {
                body: { email: people[0]?.email, password: people[0]?.password },
              })
            ).status,
          ).toBe(200);
        }, 300_000);
      }
    }

    if (runtime === "deno") {
      // Deno cannot end a thread that no longer turns: the process goes, for whoever started it to start it again.
      for (const actor of ["auth", "task", "consumer"]) {
        test(`${actor} × hang: the process drains and ends with 1, and nothing is lost`, async () => {
          const running = load(`${actor} hang`);
          await poll("the load runs", 60_000, () => running.progress() > 200);
          expect((await call(system.admin, "POST", `/debug/kill?actor=${actor}&how=hang`)).status).toBe(202);
          expect(await system.exited).toEqual({ code: 1, signal: null });
          system = await start({
            runtime,
            env,
            dataDir: system.dataDir,
            ports: [Number(new URL(system.url).port), Number(new URL(system.admin).port)],
          });
          const ready = running.progress();
          await poll("the load goes on", 60_000, () => running.progress() > ready + 200);
          await running.stop();
          await auditAll(running);
        }, 300_000);
      }
    }
  });
}

for (const signal of ["SIGTERM", "SIGINT"] as const) {
  test(`${signal} during load drains: every answer stands, exit 0`, async () => {
    const dataDir = `${temporaryFolder()}/data`;
    const ports = [await freePort(), await freePort()] as const;
    let system = await start({ dataDir, ports });
    const people = await Promise.all(Array.from({ length: 8 }, () => person(system.url)));
    const books = people.map(told);
    let good = 0;
    let ended = false;
    const lanes = people.flatMap((who, index) =>
      [0, 1].map(async (lane) => {
        for (let number = 0; !ended; number += 1) {
          const title = `lane ${lane} task ${number}`;
          const key = `${lane}-${number}`;
          const reply = await who
            .call<Task>("POST", "/v1/tasks", {
              body: { title },
              headers: number % 2 === 0 ? { "idempotency-key": key } : {},
            })
            .catch(() => undefined);
          if (reply?.status === 201) {
            good += 1;
            books[index]?.acknowledged.set(reply.body.id, reply.body);
            if (number % 2 === 0) books[index]?.keyed.set(title, reply.body.id);
          } else if (reply !== undefined)
            expect([reply.status, reply.headers.get("retry-after")]).toEqual([503, expect.stringMatching(/^\d+$/)]);
          else await pause(5);
        }
      }),
    );
    await poll("the load runs", 60_000, () => good > 300);
    const exit = await system.end(signal).finally(() => {
      ended = true;
    });
    await Promise.all(lanes);
    expect(exit).toEqual({ code: 0, signal: null });
    system = await start({ dataDir, ports });
    await inParallel(people.length, 8, async (index) => audit(people[index] as Person, books[index] ?? told(), 3));
    await system.end("SIGTERM");
  }, 300_000);
}

const limiter = ["/usr/bin/prlimit", "/bin/prlimit"].find((path) => existsSync(path));

test.skipIf(limiter === undefined)(
  "a disk that takes no more makes writes 503 and leaves reads alone; once it does again, all goes on in the same process (needs prlimit)",
  async () => {
    const system = await start({ env: { TT_VERDICT_TIMEOUT_MS: "200", LOG_LEVEL: "error" } });
    const who = await person(system.url);
    const limit = (bytes: string): void => {
      expect(spawnSync(limiter ?? "", ["--pid", String(system.pid), `--fsize=${bytes}:unlimited`]).status).toBe(0);
    };
    const book = told();
    const create = async (): Promise<number> => {
      const body = { title: "heavy", description: "x".repeat(20_000) };
      const reply = await who.call<Task>("POST", "/v1/tasks", { body });
      if (reply.status === 201) book.acknowledged.set(reply.body.id, reply.body);
      else {
        expectProblem(reply, 503, "log-unavailable");
        expect(reply.headers.get("retry-after")).toMatch(/^\d+$/);
      }
      return reply.status;
    };
    await poll("writes are taken", 60_000, async () => (await create()) === 201);
    limit("600000");
    await poll("the disk takes no more", 60_000, async () => (await create()) === 503);
    for (let count = 0; count < 5; count += 1) expect(await create()).toBe(503);
    // The writer waits for the disk; were it to die of each failure, the supervisor would soon give up.
    const ready = (await (await fetch(`${system.admin}/readyz`)).json()) as object;
    expect(ready).toMatchObject({ ready: true, dependencies: { consumer: { restarts: 0 } } });
    await audit(who, book, 3);
    limit("unlimited");
    await poll("writes are taken again", 60_000, async () => (await create()) === 201);
    await audit(who, book, 3);
    expect((await system.end("SIGTERM")).code).toBe(0);
  },
  300_000,
);
