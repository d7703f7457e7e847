/**
 * What happens when something is down, row by row of the design's table: statuses and codes of every kind of request, each answered in time, what
 * every role says of itself, and that all is well again by itself.
 * OUTAGES=all does each in every way (killed, halted, 30 s slow), which takes some ten minutes; else each row in one way.
 */
import { afterAll, beforeAll, expect, test } from "bun:test";
import { spaceKeys } from "../../actors/redis/space-cache.ts";
import { call, type Person, person } from "../system/client.ts";
import { type Crew, crew, member } from "../system/member.ts";
import { poll } from "../system/poll.ts";
import { type Answers, type Asked, asked, type Prepared, prepare, probe, readinessOf } from "../system/probe.ts";
import { cleanUp } from "../system/server.ts";
import { describeWith } from "../system/services.ts";
import { type Stack, stack } from "../system/stack.ts";

const isLong = process.env.OUTAGES === "all";
afterAll(cleanUp);

/** A row of the table: what differs from when nothing is down; `a|b`: either. */
type Row = {
  readonly down: string;
  readonly servers?: readonly (keyof Stack["servers"])[];
  readonly role?: "auth" | "consumer";
  readonly answers: Partial<Answers>;
  readonly ready: string;
  readonly ways: readonly Way[];
};
type Way = "killed" | "halted" | "slow";

const well: Answers = {
  create: "201",
  "keyed create": "201",
  patch: "200",
  delete: "204",
  "get cached": "200",
  "get other": "200",
  list: "200",
  login: "200",
  refresh: "200",
  me: "200",
  keys: "200",
};
const noLog = "503 log-unavailable";
const noModel = "503 read-model-unavailable";
const noUsers = "503 users-unavailable";
const undecided: Partial<Answers> = { "keyed create": "202", patch: "202", delete: "202" };
/** The writer decides on what it has in memory. */
const perhapsDecided: Partial<Answers> = { "keyed create": "201|202", patch: "200|202", delete: "204|202" };
/** A worker serves what it remembers. */
const perhapsKnown = `200|${noModel}`;

const rows: readonly Row[] = [
  {
    down: "Redis",
    servers: ["redis"],
    answers: {},
    ready: "auth degraded, task degraded, consumer degraded",
    ways: ["killed", "halted", "slow"],
  },
  {
    down: "Kafka",
    servers: ["kafka"],
    answers: { create: noLog, "keyed create": noLog, patch: noLog, delete: noLog },
    ready: "auth ok, task down, consumer down",
    ways: ["killed", "halted", "slow"],
  },
  {
    down: "MongoDB",
    servers: ["mongo"],
    answers: { ...perhapsDecided, "get other": perhapsKnown, list: noModel },
    ready: "auth ok, task degraded, consumer down",
    ways: ["killed", "halted", "slow"],
  },
  {
    down: "the consumer",
    role: "consumer",
    answers: { ...undecided, list: "200 stale" },
    ready: "auth ok, task degraded, consumer gone",
    ways: ["killed", "halted"],
  },
  {
    down: "PostgreSQL",
    servers: ["postgres"],
    answers: { login: noUsers, refresh: noUsers, me: noUsers },
    ready: "auth down, task ok, consumer ok",
    ways: ["killed", "halted", "slow"],
  },
  {
    down: "auth",
    role: "auth",
    answers: { login: noUsers, refresh: noUsers, me: noUsers, keys: noUsers },
    ready: "auth gone, task degraded, consumer ok",
    ways: ["killed", "halted"],
  },
  {
    down: "both Redis and MongoDB",
    servers: ["redis", "mongo"],
    answers: { ...perhapsDecided, "get cached": perhapsKnown, "get other": perhapsKnown, list: noModel },
    ready: "auth degraded, task degraded, consumer down",
    ways: ["killed", "halted", "slow"],
  },
];

/** The last known is good enough where one's own writes of the same partition are not decided yet, and may say so. */
const mayBeStale: Partial<Record<string, readonly Asked[]>> = {
  // Another instance may have answered a write.
  Redis: ["get cached", "get other", "list"],
  "the consumer": ["get cached", "get other"],
  MongoDB: ["get cached", "get other"],
  "both Redis and MongoDB": ["get cached", "get other"],
};

describeWith("a system of a process for each role", [await stack()], (servers) => {
  let system: Crew;
  let url: string;
  let who: Person;
  let redis: Bun.RedisClient;

  beforeAll(async () => {
    system = await crew(servers.env, { task: 1, consumer: 1 });
    url = system.urls[0] as string;
    redis = new Bun.RedisClient(servers.servers.redis.service.url);
    who = await person(url);
  }, 300_000);
  afterAll(async () => {
    redis?.close();
    expect(await system?.end()).toEqual([0, 0, 0]);
    await servers.close();
  }, 300_000);

  /** Before the keeper has passed it, the keeper would write it once more. */
  const forget = async (spaceId: string, id: string, token: string) => {
    const [partition = "", offset] = token.split("-");
    await poll("the keeper has passed it", 60_000, async () => {
      const [kept] = await redis.hmget(spaceKeys.kept, [partition]);
      return kept !== null && Number(kept) >= Number(offset);
    });
    await redis.del(spaceKeys.resource(spaceId, id));
  };

  async function hurt(row: Row, way: Way): Promise<() => Promise<void>> {
    const role = row.role === "auth" ? system.auth : row.role === "consumer" ? system.consumers[0] : undefined;
    const mine = (row.servers ?? []).map((name) => servers.servers[name]);
    if (way === "killed") await Promise.all([role?.end("SIGKILL"), ...mine.map((each) => each.kill())]);
    if (way === "halted") await Promise.all([role?.send("SIGSTOP"), ...mine.map((each) => each.stop())]);
    if (way === "slow") await Promise.all(mine.map((each) => each.slow(30_000)));
    return async () => {
      if (way === "killed") await role?.start();
      else role?.send("SIGCONT");
      await Promise.all(mine.map((each) => each.mend()));
    };
  }

  /** All answers as when nothing is down, however long that takes. */
  async function isWellWithin(timeoutMs: number): Promise<void> {
    let last = "";
    await poll(
      "all is well",
      timeoutMs,
      async () => {
        const ready = await readinessOf(system);
        if (ready !== "auth ok, task ok, consumer ok") {
          last = ready;
          return false;
        }
        const { answers } = await probe(url, await fresh());
        last = JSON.stringify(answers);
        return Bun.deepEquals(answers, well);
      },
      100,
    ).catch((error: Error) => {
      throw new Error(`${error.message}: ${last}`);
    });
  }

  async function fresh(): Promise<Prepared> {
    who = await person(url);
    return prepare(url, who, forget);
  }

  test("nothing is down", () => isWellWithin(60_000), 120_000);

  for (const row of rows)
    for (const way of isLong ? row.ways : row.ways.slice(0, 1))
      test(`${row.down}, ${way}`, async () => {
        const prepared = await fresh();
        const later = await fresh();
        const mend = await hurt(row, way);
        let mended = false;
        try {
          const expected = { ...well, ...row.answers };
          const right = ({ answers }: { answers: Answers }) => {
            const plain = Object.fromEntries(
              asked.map((kind) => {
                const isFree = mayBeStale[row.down]?.includes(kind) === true;
                const answer = isFree ? answers[kind].replace(" stale", "") : answers[kind];
                return [kind, expected[kind].split("|").includes(answer) ? expected[kind] : answer];
              }),
            );
            expect(plain).toEqual(expected);
          };
          // At once, while nobody knows of it yet, and later, when everybody does.
          const first = await probe(url, prepared);
          let said = "";
          await poll(`the roles say ${row.ready}`, 60_000, async () => {
            said = await readinessOf(system);
            return said === row.ready;
          }).catch((error: Error) => {
            throw new Error(`${error.message}: ${said}`);
          });
          const second = await probe(url, later);
          right(second);
          right(first);
          // A forward waits for an auth that hangs as long as for one that works hard.
          const authMs = row.role === "auth" && way === "halted" ? 11_000 : 5_000;
          for (const { slowestMs } of [first, second])
            expect(slowestMs.tasks < 5_000 && slowestMs.auth < authMs, JSON.stringify(slowestMs)).toBe(true);
          await mend();
          mended = true;
          const begunMs = performance.now();
          // Each connection of the slow ones still has its last 15 s to carry.
          await isWellWithin(way === "slow" ? 50_000 : 25_000);
          if (isLong)
            process.stderr.write(
              `${row.down}, ${way}: slowest ${JSON.stringify([first.slowestMs, second.slowestMs])}, well after ${Math.round(performance.now() - begunMs)} ms\n`,
            );
          for (const location of [...first.operations, ...second.operations]) {
            const owner = first.operations.includes(location) ? prepared.who : later.who;
            const reply = await owner.call<{ status: string }>("GET", location);
            expect([reply.status, reply.body.status], reply.text).toEqual([200, "applied"]);
          }
        } finally {
          if (!mended) await mend();
        }
      }, 300_000);

  /** Roles that are started while these are away, and what each says of itself then. */
  const starts: { away: (keyof Stack["servers"])[]; said: string }[] = [
    { away: ["postgres", "mongo", "redis", "kafka"], said: "auth down, task down, consumer down, all down" },
    { away: ["postgres"], said: "auth down, task down, consumer ok, all down" },
    { away: ["mongo"], said: "auth ok, task degraded, consumer down, all degraded" },
    { away: ["redis"], said: "auth degraded, task degraded, consumer degraded, all degraded" },
    { away: ["kafka"], said: "auth ok, task down, consumer down, all down" },
  ];
  for (const { away, said } of isLong ? starts : starts.slice(0, 1))
    test(`started while ${away.join(", ")} ${away.length > 1 ? "are" : "is"} away, each role comes up, says how it is, and is well by itself when all is back`, async () => {
      const mine = away.map((name) => servers.servers[name]);
      await Promise.all(mine.map((each) => each.kill()));
      // A namespace of their own: nobody else does their work.
      const env = { ...servers.env, TT_NAMESPACE: `late-${away.length}-${away[0]}` };
      const auth = await member({ ...env, ROLE: "auth", KAFKA_BROKERS: "", MONGO_URL: "" });
      const task = await member({ ...env, ROLE: "task", AUTH_URL: auth.url, DATABASE_URL: "" });
      const consumer = await member({ ...env, ROLE: "consumer", DATABASE_URL: "" });
      const all = [auth, task, consumer, await member({ ...env, TT_NAMESPACE: `${env.TT_NAMESPACE}-all` })];
      try {
        await Promise.all(all.map((each) => each.start()));
        let last = "";
        await poll(`they say ${said}`, 60_000, async () => {
          const reports = await Promise.all(all.map((each) => each.report()));
          last = ["auth", "task", "consumer", "all"].map((role, at) => `${role} ${reports[at]?.status}`).join(", ");
          return last === said;
        }).catch((error: Error) => {
          throw new Error(`${error.message}: ${last}`);
        });
        // Whoever comes meanwhile is told to come again, if it cannot be done now.
        for (const at of [task, all[3] as typeof task]) {
          const token = who.tokens.accessToken;
          const reply = await call(at.url, "POST", "/v1/tasks", { token, body: { title: "early" } });
          const isTold = reply.status === 503 && /^\d+$/.test(reply.headers.get("retry-after") ?? "");
          expect(isTold || [201, 401].includes(reply.status), `${reply.status} ${reply.text}`).toBe(true);
        }
        await Promise.all(mine.map((each) => each.mend()));
        await Promise.all(all.map((each) => each.ready()));
        for (const at of [task, all[3] as typeof task]) {
          const late = await person(at.url);
          const headers = { "idempotency-key": "late" };
          await poll("a change is decided", 60_000, async () => {
            const reply = await late.call("POST", "/v1/tasks", { body: { title: "late" }, headers });
            return reply.status === 201;
          });
        }
        for (const each of all) expect((await each.end("SIGTERM")).code).toBe(0);
      } finally {
        await Promise.all(mine.map((each) => each.mend()));
      }
    }, 300_000);
});
