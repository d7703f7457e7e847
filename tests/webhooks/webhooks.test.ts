/** Webhooks of a running system, through the public port, with a receiver of their own. */
import { afterAll, afterEach, describe, expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { join as joinPath } from "node:path";
import { MongoClient } from "mongodb";
import { Webhook } from "standardwebhooks";
import { expectProblem, type Person, person } from "../system/client.ts";
import { type Place, placeOn, servers } from "../system/deployments.ts";
import { poll } from "../system/poll.ts";
import { cleanUp, type System, start, temporaryFolder } from "../system/server.ts";
import { describeWith } from "../system/services.ts";
import { atWork, type Fact, factsOf, join, newSpace, ok, type Resource } from "../system/spaces.ts";
import { type Received, type Receiver, receiver } from "./receiver.ts";

afterAll(cleanUp);

const deadlineMs = 60_000;
const env = { TT_WEBHOOK_ALLOW: "127.0.0.1" };
type Made = Resource & { secret: string | null };
type Log = {
  status: string;
  cursor: number;
  failures: number;
  nextAttemptAt: string | null;
  items: { seq: number | null; status: number | null; error: string | null }[];
};

type Where = "bun" | "deno" | "servers";
const given = await servers();
const systems = new Map<Where, Promise<System>>();
let place: Place | undefined;
afterAll(async () => {
  for (const each of await Promise.allSettled(systems.values()))
    if (each.status === "fulfilled") await each.value.end("SIGTERM");
  await place?.remove();
}, 120_000);

/** One for all tests of a deployment. */
function systemOn(where: Where): Promise<System> {
  const running = systems.get(where) ?? startedOn(where);
  systems.set(where, running);
  return running;
}

async function startedOn(where: Where): Promise<System> {
  if (where !== "servers") return start({ runtime: where, env });
  if ("missing" in given) throw new Error(`Cannot start: ${given.missing}`);
  place = await placeOn(given);
  const system = await start({ env: { ...place.env, ...env, TT_WEBHOOK_KEY: "k".repeat(32) } });
  await atWork(await person(system.url));
  return system;
}

/** All that MongoDB has, as text. */
async function everythingIn(url: string): Promise<Buffer> {
  const mongo = new MongoClient(url);
  const texts: string[] = [];
  for (const { name } of await mongo.db().listCollections().toArray())
    texts.push(JSON.stringify(await mongo.db().collection(name).find().toArray()));
  await mongo.close();
  return Buffer.from(texts.join("\n"));
}

/** The cases on each of these deployments. */
function on(deployments: readonly Where[], cases: (where: Where) => void): void {
  for (const where of deployments)
    if (where === "servers") describeWith("webhooks on servers", [given], (_urls) => cases(where));
    else describe(`webhooks in one process on ${where}`, () => cases(where));
}

const receivers: Receiver[] = [];
async function newReceiver(port?: number): Promise<Receiver> {
  const made = await receiver(port);
  receivers.push(made);
  return made;
}
afterEach(async () => {
  await Promise.all(receivers.splice(0).map((each) => each.close()));
});

async function made(who: Person, spaceId: string, body: object): Promise<Made> {
  return (await ok<Made>(who, 201, "POST", `/v1/spaces/${spaceId}/webhooks`, body)).body;
}
const deliveriesOf = async (who: Person, { spaceId, id }: Resource): Promise<Log> =>
  (await ok<Log>(who, 200, "GET", `/v1/spaces/${spaceId}/webhooks/${id}/deliveries`)).body;
const newTask = (who: Person, spaceId: string, title: string) =>
  ok(who, 201, "POST", `/v1/spaces/${spaceId}/tasks`, { title });
const factIn = ({ body }: Received): Fact => JSON.parse(body) as Fact;
const seqsOf = ({ received }: Receiver): number[] => received.map((each) => factIn(each).seq);
const verified = (secret: string | null, { headers, body }: Received) =>
  new Webhook(secret ?? "").verify(body, headers as Record<string, string>);

on(["bun", "deno", "servers"], (runtime) => {
  test(
    "tell each fact once, in order, signed as Standard Webhooks says",
    async () => {
      const { url } = await systemOn(runtime);
      const ada = await person(url);
      const spaceId = await newSpace(ada);
      await newTask(ada, spaceId, "Before");
      const target = await newReceiver();
      const hook = await made(ada, spaceId, { url: `${target.url}/hook?a=1` });
      expect(hook).toMatchObject({ version: 1, active: true, types: [], generation: 1 });
      expect(hook.secret).toMatch(/^whsec_/);
      for (let number = 1; number <= 20; number++) await newTask(ada, spaceId, `Task ${number}`);
      const facts = (await factsOf(ada, spaceId)).slice(-20);
      await poll("all are told", deadlineMs, () => target.received.length >= 20);
      expect(target.received.map(factIn)).toEqual(facts);
      expect(new Set(target.received.map(({ headers }) => headers["webhook-id"])).size).toBe(20);
      for (const each of target.received) {
        expect(verified(hook.secret, each)).toEqual(factIn(each));
        expect(each).toMatchObject({ path: "/hook?a=1", headers: { "content-type": "application/json" } });
        expect(() => verified(hook.secret, { ...each, body: `${each.body} ` })).toThrow();
      }
      // The cursor moves after the answer.
      const last = facts.at(-1)?.seq ?? 0;
      await poll(
        "the last is behind the cursor",
        deadlineMs,
        async () => (await deliveriesOf(ada, hook)).cursor === last,
      );
      const log = await deliveriesOf(ada, hook);
      expect(log).toMatchObject({ status: "active", cursor: last, failures: 0 });
      expect(log.items[0]).toMatchObject({ seq: last, status: 204, error: null });
    },
    2 * deadlineMs,
  );

  test(
    "are sent again after a failure, in order and under the same id, while their neighbours go on",
    async () => {
      const { url } = await systemOn(runtime);
      const ada = await person(url);
      const spaceId = await newSpace(ada);
      const [target, neighbour] = [await newReceiver(), await newReceiver()];
      let isDown = true;
      target.answer(() => ({ status: isDown ? 500 : 204 }));
      const hook = await made(ada, spaceId, { url: target.url, types: ["task"] });
      await made(ada, spaceId, { url: neighbour.url, types: ["task"] });
      for (const title of ["One", "Two", "Three"]) await newTask(ada, spaceId, title);
      await poll("the neighbour has all", deadlineMs, () => neighbour.received.length >= 3);
      await poll("the failure is known", deadlineMs, async () => (await deliveriesOf(ada, hook)).failures >= 1);
      const waiting = await deliveriesOf(ada, hook);
      expect(waiting.items[0]).toMatchObject({ status: 500, error: "the receiver refused it" });
      expect(waiting.nextAttemptAt).not.toBeNull();
      isDown = false;
      await ok(ada, 200, "POST", `/v1/spaces/${spaceId}/webhooks/${hook.id}/resume`);
      await poll("it has all", deadlineMs, () => seqsOf(target).includes(6));
      const tries = seqsOf(target).lastIndexOf(4) + 1;
      expect(tries).toBeGreaterThan(1);
      expect(seqsOf(target)).toEqual([...Array.from({ length: tries }, () => 4), 5, 6]);
      const ids = target.received.map(({ headers }) => headers["webhook-id"]);
      expect(new Set(ids.slice(0, tries)).size).toBe(1);
      expect(seqsOf(neighbour)).toEqual([4, 5, 6]);
    },
    2 * deadlineMs,
  );

  test(
    "reach no private address that nobody has allowed, and say so",
    async () => {
      const { url } = await systemOn(runtime);
      const ada = await person(url);
      const spaceId = await newSpace(ada);
      for (const address of ["https://127.0.0.2/", "https://[::1]/", "https://169.254.169.254/latest/"]) {
        const hook = await made(ada, spaceId, { url: address });
        const { body } = await ok<Log["items"][0]>(ada, 200, "POST", `/v1/spaces/${spaceId}/webhooks/${hook.id}/test`);
        expect(body).toMatchObject({ seq: null, status: null });
        expect(body?.error).toBe("the address is not public");
      }
    },
    deadlineMs,
  );
});

on(["bun", "servers"], (where) => {
  test(
    "a webhook is seen and changed by admins and owners alone, and the feed tells nobody its address",
    async () => {
      const { url } = await systemOn(where);
      const [ada, bob, eve] = await Promise.all([person(url), person(url), person(url)]);
      const spaceId = await newSpace(ada);
      await join(spaceId, ada, bob);
      const target = await newReceiver();
      const hook = await made(ada, spaceId, { url: `${target.url}/hush` });
      const path = `/v1/spaces/${spaceId}/webhooks`;
      const requests = [
        ["POST", path, { url: target.url }],
        ["GET", path],
        ["GET", `${path}/${hook.id}`],
        ["GET", `${path}/${hook.id}?version=1`],
        ["GET", `${path}/${hook.id}/history`],
        ["GET", `${path}/${hook.id}/deliveries`],
        ["PATCH", `${path}/${hook.id}`, { active: false }],
        ["DELETE", `${path}/${hook.id}`],
        ...["rotate", "resume", "skip", "test"].map((each) => ["POST", `${path}/${hook.id}/${each}`] as const),
        ["POST", `${path}/${hook.id}/replay`, { from: 1 }],
      ] as [string, string, object?][];
      for (const [method, at, body] of requests) {
        const sent = body === undefined ? {} : { body };
        expectProblem(await bob.call(method, at, sent), 403, "forbidden");
        expectProblem(await eve.call(method, at, sent), 404, "not-found");
      }
      const facts = await factsOf(bob, spaceId);
      const fact = facts.find(({ changes }) => changes[0]?.type === "webhook");
      expect(fact?.changes[0]).toMatchObject({ id: hook.id, kind: "created", fields: {} });
      const operation = await ok(bob, 200, "GET", `/v1/spaces/${spaceId}/operations/${fact?.operationId}`);
      expect(operation.body).toMatchObject({ status: "applied", items: [null] });
      const snapshot = await bob.call("GET", `/v1/spaces/${spaceId}/snapshot`);
      expect(snapshot.status).toBe(200);
      expect(JSON.stringify([facts, operation.body]) + snapshot.text).not.toContain("hush");
      const read = await ok<Made>(ada, 200, "GET", `${path}/${hook.id}`);
      expect(read.body.secret).toBeUndefined();
      expect((await ok<{ items: Resource[] }>(ada, 200, "GET", path)).body.items).toEqual([read.body]);
    },
    deadlineMs,
  );

  test(
    "the address has its form",
    async () => {
      const { url } = await systemOn(where);
      const ada = await person(url);
      for (const address of [
        "",
        "no url",
        "ftp://a.example/",
        "https://u:p@a.example/",
        "https://a.example/#x",
        "//a.example",
        " https://a.example",
        "javascript:alert(1)",
        "http://8.8.8.8/",
      ])
        expectProblem(await ada.call("POST", "/v1/spaces/me/webhooks", { body: { url: address } }), 422, "validation");
      expectProblem(
        await ada.call("POST", "/v1/spaces/me/webhooks", { body: { url: "https://a.example", types: ["what"] } }),
        422,
        "validation",
      );
      const hook = await made(ada, "me", { url: "https://a.example/" });
      expectProblem(
        await ada.call("PATCH", `/v1/spaces/me/webhooks/${hook.id}`, { body: { rotate: true } }),
        422,
        "validation",
      );
      expectProblem(
        await ada.call("PATCH", `/v1/spaces/me/webhooks/${hook.id}`, { body: { url: "http://8.8.8.8/" } }),
        422,
        "validation",
      );
      for (let count = 1; count < 20; count++) await made(ada, "me", { url: "https://a.example/" });
      expectProblem(
        await ada.call("POST", "/v1/spaces/me/webhooks", { body: { url: "https://a.example/" } }),
        409,
        "limit-reached",
      );
    },
    deadlineMs,
  );

  test(
    "a secret is shown once, and after a rotation both count",
    async () => {
      const { url, dataDir } = await systemOn(where);
      const ada = await person(url);
      const spaceId = await newSpace(ada);
      const target = await newReceiver();
      const key = { "Idempotency-Key": crypto.randomUUID() };
      const path = `/v1/spaces/${spaceId}/webhooks`;
      const first = await ok<Made>(ada, 201, "POST", path, { url: target.url }, key);
      const again = await ok<Made>(ada, 201, "POST", path, { url: target.url }, key);
      expect(again.body).toEqual({ ...first.body, secret: null });
      const rotated = await ok<Made>(ada, 200, "POST", `${path}/${first.body.id}/rotate`);
      expect(rotated.body).toMatchObject({ generation: 2, version: 2 });
      expect(rotated.body.secret).not.toBe(first.body.secret);
      await newTask(ada, spaceId, "Signed twice");
      await poll("both facts are told", deadlineMs, () => target.received.length >= 2);
      const last = target.received.at(-1) as Received;
      expect(last.headers["webhook-signature"]?.toString().split(" ")).toHaveLength(2);
      for (const { secret } of [first.body, rotated.body]) expect(verified(secret, last)).toEqual(factIn(last));
      // Nothing secret is in the log.
      const files =
        where === "servers"
          ? [await everythingIn(place?.env.MONGO_URL ?? "")]
          : ["tasks.db", "tasks.db-wal", "webhooks.db", "webhooks.db-wal"].map((name) =>
              readFileSync(joinPath(dataDir, name)),
            );
      for (const { secret } of [first.body, rotated.body])
        for (const file of files) expect(file.includes((secret as string).slice("whsec_".length))).toBe(false);
    },
    deadlineMs,
  );

  test(
    "a receiver that is gone is told nothing more until it is resumed; a replay tells the past again, a skip leaves one out",
    async () => {
      const { url } = await systemOn(where);
      const ada = await person(url);
      const spaceId = await newSpace(ada);
      const target = await newReceiver();
      target.answer(() => ({ status: 410 }));
      const hook = await made(ada, spaceId, { url: target.url, types: ["task"] });
      const at = `/v1/spaces/${spaceId}/webhooks/${hook.id}`;
      for (const title of ["One", "Two", "Three"]) await newTask(ada, spaceId, title);
      await poll("it is disabled", deadlineMs, async () => (await deliveriesOf(ada, hook)).status === "disabled");
      expect(target.received).toHaveLength(1);
      target.answer(() => ({ status: 204 }));
      const [first = 0] = seqsOf(target);
      const skip = () => ok<Log>(ada, 200, "POST", `${at}/skip`, { seq: first });
      expect((await skip()).body).toMatchObject({ status: "active", cursor: first });
      expect((await skip()).body.cursor).toBeGreaterThanOrEqual(first);
      await poll("the others are told", deadlineMs, () => target.received.length >= 3);
      expect(seqsOf(target)).toEqual([first, first + 1, first + 2]);
      await ok(ada, 200, "POST", `${at}/replay`, { from: first });
      await poll("all are told again", deadlineMs, () => target.received.length >= 6);
      expect(seqsOf(target).slice(3)).toEqual([first, first + 1, first + 2]);
      const key = { "Idempotency-Key": crypto.randomUUID() };
      for (const replayed of [null, "true"]) {
        const reply = await ok<Log>(ada, 200, "POST", `${at}/replay`, { from: 1_000_000 }, key);
        expect(reply.headers.get("idempotency-replayed")).toBe(replayed);
      }
      expectProblem(
        await ada.call("POST", `${at}/replay`, { body: { from: 1 }, headers: key }),
        422,
        "idempotency-mismatch",
      );
      expectProblem(await ada.call("POST", `${at}/skip`, { headers: key }), 422, "idempotency-mismatch");
      await newTask(ada, spaceId, "Four");
      await poll("nothing to come is passed over", deadlineMs, () => target.received.length >= 7);
      await ok(ada, 204, "DELETE", at);
      expectProblem(await ada.call("POST", `${at}/resume`), 404, "not-found");
    },
    2 * deadlineMs,
  );

  test(
    "a webhook that was removed, of a space that was deleted or of an account that was erased is told nothing more, and a restored space goes on",
    async () => {
      const { url } = await systemOn(where);
      const [ada, bob, eve] = await Promise.all([person(url), person(url), person(url)]);
      const target = async () => {
        const one = await newReceiver();
        one.answer(() => ({ status: one.received.length === 1 ? 500 : 204 }));
        return one;
      };
      const receivers = {
        removed: await target(),
        deleted: await target(),
        erased: await target(),
        witness: await target(),
      };
      const spaceId = await newSpace(ada);
      const removed = await made(ada, "me", { url: receivers.removed.url, types: ["task"] });
      const deleted = await made(ada, spaceId, { url: receivers.deleted.url });
      await made(bob, "me", { url: receivers.erased.url, types: ["task"] });
      const told = await newTask(ada, spaceId, "Told");
      await Promise.all([newTask(ada, "me", "Mine"), newTask(bob, "me", "Mine")]);
      const { removed: first, deleted: second, erased: third, witness } = receivers;
      await poll("each has refused once", deadlineMs, () =>
        [first, second, third].every(({ received }) => received.length >= 1),
      );
      await ok(ada, 204, "DELETE", `/v1/spaces/me/webhooks/${removed.id}`);
      await ok(ada, 204, "DELETE", `/v1/spaces/${spaceId}`);
      await ok(bob, 204, "DELETE", "/v1/auth/me", { currentPassword: bob.password });
      const before = [first, second, third].map(({ received }) => received.length);
      // Who refuses after them is sent again after they would have been.
      await made(eve, "me", { url: witness.url, types: ["task"] });
      await newTask(eve, "me", "One");
      await newTask(eve, "me", "Two");
      await poll("the witness is told again", deadlineMs, () => witness.received.length === 3);
      expect([first, second, third].map(({ received }) => received.length)).toEqual(before);
      await ok(ada, 200, "POST", `/v1/spaces/${spaceId}/restore`);
      await poll("the restored space goes on", deadlineMs, () => second.received.length >= 4);
      const seq = factIn(second.received[0] as Received).seq;
      expect(factIn(second.received[0] as Received).changes[0]?.id).toBe(told.body.id);
      expect(seqsOf(second)).toEqual([seq, seq, seq + 1, seq + 2]);
      await poll("its cursor is there", deadlineMs, async () => (await deliveriesOf(ada, deleted)).cursor === seq + 2);
      expect((await deliveriesOf(ada, deleted)).status).toBe("active");
    },
    2 * deadlineMs,
  );
});

test(
  "a kill between the answer and the cursor repeats at most that one, under its id, and loses none",
  async () => {
    const dataDir = joinPath(temporaryFolder(), "data");
    let system = await start({ env, dataDir });
    const ada = await person(system.url);
    const spaceId = await newSpace(ada);
    const target = await newReceiver();
    await made(ada, spaceId, { url: target.url, types: ["task"] });
    const count = 40;
    let isKilled = false;
    target.answer(() => {
      // The answer is on its way when the process dies.
      if (!isKilled && target.received.length === 15) {
        isKilled = true;
        process.kill(system.pid, "SIGKILL");
      }
      return { status: 204 };
    });
    const changes = Array.from({ length: count }, (_, number) => ({
      type: "task",
      kind: "create",
      body: { title: `${number}` },
    }));
    for (const change of changes)
      await ada.call("POST", `/v1/spaces/${spaceId}/batch`, { body: { changes: [change] } }).catch(() => undefined);
    await poll("it is killed", deadlineMs, () => isKilled);
    await system.exited;
    const port = Number(new URL(system.url).port);
    system = await start({ env, dataDir, ports: [port, 0 + Number(new URL(system.admin).port)] });
    const facts = (await factsOf(ada, spaceId)).filter(({ changes: [change] }) => change?.type === "task");
    await poll("all are told", deadlineMs, () => new Set(seqsOf(target)).size >= facts.length);
    const seqs = seqsOf(target);
    expect(seqs.length - new Set(seqs).size).toBeLessThanOrEqual(1);
    expect([...new Set(seqs)]).toEqual(facts.map(({ seq }) => seq));
    expect(seqs).toEqual(seqs.toSorted((one, other) => one - other));
    const repeats = target.received
      .filter((each) => factIn(each).seq === seqs[14])
      .map(({ headers }) => headers["webhook-id"]);
    expect(new Set(repeats).size).toBe(1);
    await system.end("SIGTERM");
  },
  4 * deadlineMs,
);
