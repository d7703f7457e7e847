/** Webhooks of a system of several processes, whose consumers are killed, come and go, and lose MongoDB. */
import { afterAll, afterEach, beforeAll, expect, test } from "bun:test";
import { expectProblem, type Person, person } from "../system/client.ts";
import { type Place, placeOn, servers } from "../system/deployments.ts";
import { type FaultProxy, faultProxy } from "../system/fault-proxy.ts";
import { type Crew, crew, type Member, member } from "../system/member.ts";
import { poll } from "../system/poll.ts";
import { cleanUp, start } from "../system/server.ts";
import { describeWith } from "../system/services.ts";
import { atWork, type Fact, factsOf, newSpace, ok, type Resource } from "../system/spaces.ts";
import { type Received, type Receiver, receiver } from "./receiver.ts";

const deadlineMs = 120_000;
const spacesCount = 4;
const tasksCount = 30;

type Told = { readonly spaceId: string; readonly target: Receiver };

const factIn = ({ body }: Received): Fact => JSON.parse(body) as Fact;
const seqsOf = ({ received }: Receiver): number[] => received.map((each) => factIn(each).seq);

describeWith("webhooks of several consumers", [await servers()], (urls) => {
  let place: Place;
  let mongo: FaultProxy;
  let system: Crew;
  let ada: Person;
  const receivers: Receiver[] = [];
  const consumers: Member[] = [];
  let env: Record<string, string> = {};

  beforeAll(async () => {
    place = await placeOn(urls);
    const { MONGO_URL = "" } = place.env;
    const { port } = new URL(MONGO_URL);
    mongo = await faultProxy(Number(port));
    env = {
      ...place.env,
      MONGO_URL: MONGO_URL.replace(`:${port}`, `:${mongo.port}`),
      TT_WEBHOOK_ALLOW: "127.0.0.1",
      // A busy machine may be late with a verdict, which is not looked at here.
      TT_VERDICT_TIMEOUT_MS: "20000",
      TT_WEBHOOK_KEY: "k".repeat(32),
    };
    system = await crew(env, { task: 1, consumer: 2 });
    consumers.push(...system.consumers);
    ada = await person(system.urls[0] as string);
    await atWork(ada);
  }, 240_000);
  afterEach(async () => {
    await Promise.all(receivers.splice(0).map((each) => each.close()));
  });
  afterAll(async () => {
    await cleanUp();
    await mongo?.close();
    await place?.remove();
  }, 120_000);

  /** Spaces of several partitions, each with a webhook and a receiver of its own. */
  async function told(): Promise<Told[]> {
    const all: Told[] = [];
    for (let count = 0; count < spacesCount; count++) {
      const target = await receiver();
      receivers.push(target);
      const spaceId = await newSpace(ada);
      await ok(ada, 201, "POST", `/v1/spaces/${spaceId}/webhooks`, { url: target.url, types: ["task"] });
      all.push({ spaceId, target });
    }
    return all;
  }

  /** Each once, whatever happens to the consumers meanwhile. */
  async function write(all: readonly Told[], count = tasksCount): Promise<void> {
    const one = async (spaceId: string, title: string) => {
      const headers = { "idempotency-key": crypto.randomUUID() };
      await poll("the task is made", deadlineMs, async () => {
        const reply = await ada.call("POST", `/v1/spaces/${spaceId}/tasks`, { body: { title }, headers });
        return reply.status === 201;
      });
    };
    await Promise.all(
      all.map(async ({ spaceId }) => {
        for (let number = 0; number < count; number++) await one(spaceId, `${number}`);
      }),
    );
  }

  /** Everything was told in order, nothing lost, and no more than so many were told once more, under the same id. */
  async function expectTold(all: readonly Told[], repeatsMax: number): Promise<void> {
    for (const { spaceId, target } of all) {
      const facts = (await factsOf(ada, spaceId)).filter(({ changes: [change] }) => change?.type === "task");
      await poll("all are told", deadlineMs, () => new Set(seqsOf(target)).size >= facts.length);
      const seqs = seqsOf(target);
      expect([...new Set(seqs)]).toEqual(facts.map(({ seq }) => seq));
      expect(seqs).toEqual(seqs.toSorted((one, other) => one - other));
      expect(seqs.length - new Set(seqs).size).toBeLessThanOrEqual(repeatsMax);
      const ids = new Set(target.received.map(({ headers }) => headers["webhook-id"]));
      expect(ids.size).toBe(facts.length);
    }
  }

  test(
    "kill -9 of a consumer between an answer and the cursor repeats at most that one, under its id, and loses none",
    async () => {
      const all = await told();
      const [first] = all as [Told];
      const killed: Promise<unknown>[] = [];
      first.target.answer(() => {
        // The answer is on its way when the processes die: whichever has sent it is among them.
        if (killed.length === 0 && first.target.received.length === 10)
          killed.push(...consumers.map((each) => each.end("SIGKILL")));
        return { status: 204 };
      });
      const written = write(all);
      await poll("they are killed", deadlineMs, () => killed.length > 0);
      await Promise.all(killed);
      await Promise.all(consumers.map((each) => each.start()));
      await written;
      await expectTold(all, 1);
      expect(seqsOf(first.target).filter((seq, at, seqs) => seq === seqs[at - 1])).toEqual([
        seqsOf(first.target)[9] as number,
      ]);
    },
    3 * deadlineMs,
  );

  test(
    "consumers that come and go take each other's deliveries over, in order",
    async () => {
      const all = await told();
      const { DATABASE_URL: _, ...others } = env;
      const written = write(all);
      await poll("it goes on", deadlineMs, () => (all[0]?.target.received.length ?? 0) > 5);
      const third = await member({ ...others, ROLE: "consumer" });
      await third.start();
      await third.ready();
      const [gone] = consumers.splice(0, 1, third);
      expect((await gone?.end("SIGTERM"))?.code).toBe(0);
      const dies = consumers[1] as Member;
      await dies.end("SIGKILL");
      await dies.start();
      await written;
      // A rebalance, a stop and a kill, each of which may cut one attempt off.
      await expectTold(all, 3);
    },
    3 * deadlineMs,
  );

  test(
    "while MongoDB is away nothing is told, and afterwards all of it",
    async () => {
      const all = await told();
      await write(all, 5);
      await expectTold(all, 0);
      await mongo.mode("refuse");
      const written = write(all, 5);
      await poll("the consumers know", deadlineMs, async () => {
        const reports = await Promise.all(consumers.map((each) => each.report()));
        return reports.every((each) => each?.dependencies.mongodb?.ready === false);
      });
      await mongo.mode("pass");
      await written;
      await expectTold(all, 1);
    },
    3 * deadlineMs,
  );

  /** What can be asked of deliveries, beside reading where they are. */
  const actions = [
    { action: "resume" },
    { action: "replay", body: { from: 1 } },
    { action: "skip", body: {} },
    { action: "test" },
  ] as const;

  test(
    "while no consumer is there what is asked of deliveries is 503 and not done later, and where they are can be read",
    async () => {
      const [{ spaceId, target }] = (await told()) as [Told];
      await write([{ spaceId, target }], 2);
      await poll("both are told", deadlineMs, () => target.received.length === 2);
      const { items } = (await ok<{ items: Resource[] }>(ada, 200, "GET", `/v1/spaces/${spaceId}/webhooks`)).body;
      const path = `/v1/spaces/${spaceId}/webhooks/${items[0]?.id}`;
      const deliveries = async () =>
        (await ok<{ cursor: number; items: object[] }>(ada, 200, "GET", `${path}/deliveries`)).body;
      await poll("both are noted", deadlineMs, async () => (await deliveries()).items.length === 2);
      const before = await deliveries();
      await Promise.all(consumers.map((each) => each.end("SIGKILL")));

      const keyed = (action: string) => ({ "idempotency-key": `away-${action}` });
      const ask = (action: string, body: object | undefined, headers: Record<string, string>) =>
        ada.call("POST", `${path}/${action}`, { ...(body === undefined ? {} : { body }), headers });
      const asked = actions.flatMap(({ action, ...more }) =>
        [keyed(action), {}].map((headers) => ask(action, "body" in more ? more.body : undefined, headers)),
      );
      for (const reply of await Promise.all(asked)) {
        const { detail } = expectProblem(reply, 503, "overloaded");
        expect(detail).toContain("retry with the same Idempotency-Key");
        expect(Number(reply.headers.get("retry-after"))).toBeGreaterThan(0);
      }
      expect(await deliveries()).toEqual(before);

      await Promise.all(consumers.map((each) => each.start()));
      await poll("a courier answers", deadlineMs, async () => (await ask("test", undefined, {})).status === 200);
      await write([{ spaceId, target }], 1);
      const isFact = ({ body }: Received) => (JSON.parse(body) as Partial<Fact>).seq !== undefined;
      await poll("the next is told", deadlineMs, () => target.received.filter(isFact).length >= 3);
      expect(new Set(target.received.filter(isFact).map((each) => factIn(each).seq)).size).toBe(3);
      expect(target.received.filter(isFact)).toHaveLength(3);
      // The same request again is the first that is done, and the next one is its repeat.
      for (const isReplayed of [null, "true"]) {
        const reply = await ask("replay", { from: 1 }, keyed("replay"));
        expect([reply.status, reply.headers.get("idempotency-replayed")]).toEqual([200, isReplayed]);
      }
      await poll("all are told again", deadlineMs, () => target.received.filter(isFact).length === 6);
    },
    3 * deadlineMs,
  );

  test(
    "while MongoDB is away what is read and asked of deliveries is 503, soon",
    async () => {
      const [{ spaceId }] = (await told()) as [Told];
      const { items } = (await ok<{ items: Resource[] }>(ada, 200, "GET", `/v1/spaces/${spaceId}/webhooks`)).body;
      const path = `/v1/spaces/${spaceId}/webhooks/${items[0]?.id}`;
      await mongo.mode("stall");
      const replies = await Promise.all([
        ada.call("GET", `${path}/deliveries`),
        ...actions.map(({ action, ...more }) => ada.call("POST", `${path}/${action}`, more)),
      ]);
      await mongo.mode("pass");
      for (const reply of replies) expectProblem(reply, 503, "read-model-unavailable");
      await poll("it goes on", deadlineMs, async () => (await ada.call("GET", `${path}/deliveries`)).status === 200);
      await poll("it is asked", deadlineMs, async () => (await ada.call("POST", `${path}/resume`)).status === 200);
    },
    2 * deadlineMs,
  );

  test(
    "without a key no webhook is made, and what there is can be read",
    async () => {
      const { TT_WEBHOOK_KEY: _, DATABASE_URL: __, ...others } = env;
      const task = await start({ env: { ...others, ROLE: "task", AUTH_URL: system.auth.url } });
      const who = await person(task.url);
      const path = "/v1/spaces/me/webhooks";
      const refusal = expectProblem(
        await who.call("POST", path, { body: { url: "https://a.example" } }),
        409,
        "conflict",
      );
      expect(refusal.detail).toContain("TT_WEBHOOK_KEY");
      expect((await ok<{ items: Resource[] }>(who, 200, "GET", path)).body.items).toEqual([]);
      await task.end("SIGTERM");
    },
    deadlineMs,
  );
});
