/**
 * The read model in MongoDB thrown away and made again from the log in Kafka: the same to the byte, but for the ends of records that have one.
 * REBUILD=20000 has at least that many commands in the log instead of a few hundred, and tells how fast they are taken.
 */
import { afterAll, beforeAll, expect, test } from "bun:test";
import { Kafka, logLevel } from "kafkajs";
import { MongoClient } from "mongodb";
import { type Person, password, person, type Task } from "../system/client.ts";
import { type Place, placeOn, servers } from "../system/deployments.ts";
import { load } from "../system/load.ts";
import { type Crew, crew } from "../system/member.ts";
import { poll } from "../system/poll.ts";
import { random } from "../system/random.ts";
import { cleanUp } from "../system/server.ts";
import { describeWith } from "../system/services.ts";
import { type TrackerExit, tracker } from "../system/tracker.ts";

const commands = Number(process.env.REBUILD ?? 0);
const seed = Number(process.env.SEED ?? process.hrtime.bigint() % 1_000_000n);

/** What it says on stderr, where there is no terminal and little to do. */
const stages = `Making room for the new read model
Writing the new read model to the disks
Putting the new read model in the old one's place
`;

describeWith("the read model in MongoDB", [await servers()], (urls) => {
  let place: Place;
  let system: Crew;
  let mongo: MongoClient;

  beforeAll(async () => {
    place = await placeOn(urls);
    system = await crew(place.env, { task: 2, consumer: 2 });
    mongo = new MongoClient(place.env.MONGO_URL as string);
  }, 120_000);
  afterAll(async () => {
    await cleanUp();
    await mongo?.close();
    await place?.remove();
  }, 120_000);

  async function rebuild(): Promise<TrackerExit> {
    return await tracker(["rebuild"], place.env).exited;
  }

  /** Every document and every index. Of a record's end only that there is one. */
  async function everything(): Promise<Record<string, unknown>> {
    const db = mongo.db();
    const all = (await db.listCollections().toArray()).map(({ name }) => name).sort();
    // By a document of its own it is found out whether MongoDB takes writes.
    const names = all.filter((name) => name !== "probe");
    expect(names).toEqual(["erased", "operations", "tasks"]);
    const found: Record<string, unknown> = {};
    for (const name of names) {
      const documents = await db.collection(name).find().sort({ _id: 1 }).toArray();
      for (const each of documents) if (each.expireAt !== undefined) each.expireAt = each.expireAt instanceof Date;
      const keys = (await db.collection(name).indexes()).map(({ key, unique }) => JSON.stringify([key, unique]));
      found[name] = [documents, keys.sort()];
    }
    return found;
  }

  /** Everything that can become of a command, and keys that are used for more than one request. */
  async function odds(who: Person): Promise<void> {
    const choose = random(seed);
    const tasks: Task[] = [];
    const ask = (method: string, path: string, body?: unknown, headers: Record<string, string> = {}) =>
      who.call<Task>(method, path, { ...(body === undefined ? {} : { body }), headers });
    for (let count = 0; count < 8; count += 1)
      tasks.push((await ask("POST", "/v1/tasks", { title: `İstanbul ${count}` })).body);
    const any = () => `/v1/tasks/${choose.pick(tasks).id}`;
    for (let number = 0; number < 150; number += 1) {
      const key = choose.chance(0.4) ? { "idempotency-key": `odd ${choose.int(20)}`.replace(" ", "-") } : {};
      const reply = await choose.pick([
        () => ask("PATCH", any(), { title: `changed ${choose.int(3)}`, labels: ["a", "Ev işi"] }, key),
        () => ask("PATCH", any(), { status: "done", dueAt: "2030-01-01T00:00:00.5+02:00" }, key),
        () => ask("PATCH", any(), {}, key),
        () => ask("PATCH", any(), { title: "never" }, { "if-match": '"999"' }),
        () => ask("PUT", any(), { title: `whole ${number}`, description: "x y z" }, key),
        () => ask("DELETE", any(), undefined, key),
        () => ask("POST", `${any()}/restore`),
        () => ask("POST", `${any()}/undo`, undefined, key),
        () => ask("POST", "/v1/tasks", { title: "made with a key" }, key),
        () => ask("PUT", any(), { title: "taken" }, { "if-none-match": "*" }),
      ])();
      expect([200, 201, 202, 204, 404, 409, 412, 422], reply.text).toContain(reply.status);
      // What is not decided yet and what comes next under the same key would be at once.
      const pending = reply.status === 202 ? reply.headers.get("location") : null;
      if (pending !== null)
        await poll("it is decided", 60_000, async () => {
          const { body } = await who.call<{ status: string }>("GET", pending);
          return body.status !== "pending";
        });
    }
    // The same key for two tasks at the same moment: who was first is told by nothing but the record.
    for (let number = 0; number < 20; number += 1) {
      const headers = { "idempotency-key": `both-${number}` };
      await Promise.all(
        [0, 1].map((at) => ask("PATCH", `/v1/tasks/${tasks[at]?.id}`, { title: `both ${number}` }, headers)),
      );
    }
  }

  /** One who leaves behind nothing but the marks of it, one for each partition. */
  async function leave(who: Person): Promise<void> {
    for (let count = 0; count < 8; count += 1)
      await who.call("POST", "/v1/tasks", { body: { title: `mine ${count}` } });
    const gone = await who.call("DELETE", "/v1/auth/me", { body: { currentPassword: password } });
    expect(gone.status, gone.text).toBe(204);
    const marks = mongo.db().collection("erased");
    const partitions = Number(place.env.TT_PARTITIONS);
    await poll("it is erased", 60_000, async () => (await marks.countDocuments()) === partitions);
  }

  let before: Record<string, unknown>;

  test(
    "made again beside the old one it is the same, and a rebuild is refused while a writer is at work",
    async () => {
      const people = await Promise.all(Array.from({ length: 8 }, () => person(system.urls[0] as string)));
      await odds(await person(system.urls[1] as string));
      await leave(await person(system.urls[0] as string));
      const producer = new Kafka({ brokers: urls.KAFKA_BROKERS.split(","), logLevel: logLevel.NOTHING }).producer();
      await producer.connect();
      await producer.send({
        topic: `${place.env.TT_NAMESPACE}.task.commands`,
        messages: [{ partition: 1, value: "poison" }],
      });
      await producer.disconnect();
      const running = load({ urls: system.urls, people, seed, tokens: false, timeoutMs: 60_000 });
      await poll("much is written", 600_000, () => running.progress() > Math.max(200, commands));
      expect(await rebuild()).toEqual({
        code: 2,
        out: "",
        err: expect.stringMatching(/^Cannot rebuild: 2 writers are at work; stop every consumer first .*\n$/),
      });
      expect(await running.stop()).toEqual([]);
      for (const each of system.consumers) expect((await each.end("SIGTERM")).code).toBe(0);

      before = await everything();
      const { code, out, err } = await rebuild();
      expect({ code, err }).toEqual({ code: 0, err: stages });
      expect(out).toMatch(/Rebuilt from \d+ commands in /);
      if (commands > 0) process.stderr.write(out);
      expect(await everything()).toEqual(before);
    },
    240_000 + commands * 30,
  );

  test("made again from nothing but the log it is the same as well, where no key was used twice at once", async () => {
    await mongo.db().dropDatabase();
    const { code, err } = await rebuild();
    expect({ code, err }).toEqual({ code: 0, err: stages });
    const after = await everything();
    // Of two requests under one key in the same millisecond either may have been the first.
    const isSame = Bun.deepEquals(after, before);
    if (!isSame) {
      const ids = ([documents]: [{ _id: string; task: string; json?: string }[], unknown]) => documents;
      const [tasks, tasksBefore] = [ids(after.tasks as never), ids(before.tasks as never)];
      expect(tasks.length).toBe(tasksBefore.length);
      const pairs = tasks.map((each, index) => [each, tasksBefore[index]] as const);
      const differing = pairs.filter(([one, other]) => !Bun.deepEquals(one, other));
      for (const [one, other] of differing) expect(`${one.json} ${other?.json}`).toContain('"title":"both ');
      expect(differing.length).toBeLessThanOrEqual(2);
    }
  }, 120_000);

  test("afterwards the writers go on where they were", async () => {
    await Promise.all(system.consumers.map((each) => each.start()));
    await Promise.all(system.consumers.map((each) => each.ready()));
    const who = await person(system.urls[0] as string);
    const made = await who.call<Task>("POST", "/v1/tasks", { body: { title: "after it" } });
    const changed = await who.call<Task>("PATCH", `/v1/tasks/${made.body.id}`, { body: { title: "and on" } });
    expect([changed.status, changed.body?.version]).toEqual([200, 2]);
    expect(await system.end()).toEqual(system.all.map(() => 0));
  }, 120_000);
});
