/**
 * The read model in MongoDB thrown away and made again, from the facts and from the log in Kafka: the same to the byte, but for the ends of records that have
 * one. REBUILD=20000 has at least that many commands in the log instead of a few hundred, and tells how fast they are taken.
 */
import { afterAll, beforeAll, expect, test } from "bun:test";
import { Kafka, logLevel } from "kafkajs";
import { MongoClient } from "mongodb";
import { partitionOf } from "../../runtime/partition.ts";
import { type Person, password, person } from "../system/client.ts";
import { type Place, placeOn, servers } from "../system/deployments.ts";
import { load } from "../system/load.ts";
import { type Crew, crew } from "../system/member.ts";
import { poll } from "../system/poll.ts";
import { random } from "../system/random.ts";
import { cleanUp } from "../system/server.ts";
import { describeWith } from "../system/services.ts";
import { join, newSpace, ok, type Resource } from "../system/spaces.ts";
import { type TrackerExit, tracker } from "../system/tracker.ts";

const commands = Number(process.env.REBUILD ?? 0);
const seed = Number(process.env.SEED ?? process.hrtime.bigint() % 1_000_000n);

/** What it says on stderr, where there is no terminal and little to do. */
const stages = `Making room for the new read model
Making the indexes
Writing the new read model to the disks
Putting the new read model in the old one's place
`;
const logStages = stages.replace("Making the", "Erasing again what was erased\nMaking the");

type Kept = Record<string, [documents: Record<string, unknown>[], indexes: string[]]>;

describeWith("the read model in MongoDB", [await servers()], (urls) => {
  let place: Place;
  let system: Crew;
  let mongo: MongoClient;
  let [owner, member, leaver]: Person[] = [];
  let spaceId = "";

  beforeAll(async () => {
    place = await placeOn(urls);
    system = await crew(place.env, { task: 2, consumer: 2 });
    mongo = new MongoClient(place.env.MONGO_URL as string);
  }, 300_000);
  afterAll(async () => {
    await cleanUp();
    await mongo?.close();
    await place?.remove();
  }, 300_000);

  const rebuild = (...args: string[]): Promise<TrackerExit> => tracker(["rebuild", ...args], place.env).exited;

  /** Every document and every index. Of a record's end only that there is one. */
  async function everything(): Promise<Kept> {
    const db = mongo.db();
    const all = (await db.listCollections().toArray()).map(({ name }) => name).sort();
    // By a document of its own it is found out whether MongoDB takes writes.
    const names = all.filter((name) => name !== "probe");
    expect(names).toEqual(["documents", "erased", "facts", "heads", "store"]);
    const found: Kept = {};
    for (const name of names) {
      const documents = await db.collection(name).find().sort({ _id: 1 }).toArray();
      for (const each of documents) if (each.expireAt !== undefined) each.expireAt = each.expireAt instanceof Date;
      const keys = (await db.collection(name).indexes()).map(({ key, unique }) => JSON.stringify([key, unique]));
      found[name] = [documents, keys.sort()];
    }
    return found;
  }

  /** What differs is named, and not all of it shown. */
  function expectSame(one: Kept, other: Kept, names = Object.keys(other)): void {
    for (const name of names) {
      const [documents, indexes] = one[name] ?? [[], []];
      const [wanted, wantedIndexes] = other[name] ?? [[], []];
      expect(documents.map(({ _id }) => _id)).toEqual(wanted.map(({ _id }) => _id));
      for (const [index, document] of documents.entries()) expect(document).toEqual(wanted[index] ?? {});
      expect(indexes).toEqual(wantedIndexes);
    }
  }

  /** Everything that can become of a command, in a shared space with projects, subtasks and comments. */
  async function odds(who: Person, other: Person, path: string): Promise<void> {
    const choose = random(seed);
    const ask = (method: string, below: string, body?: unknown, headers: Record<string, string> = {}) =>
      choose.pick([who, other]).call<Resource>(method, path + below, {
        ...(body === undefined ? {} : { body }),
        headers,
      });
    const projects = [
      await ok(who, 201, "POST", `${path}/projects`, { name: "One" }),
      await ok(who, 201, "POST", `${path}/projects`, { name: "Two" }),
    ].map(({ body }) => body.id);
    const tasks: string[] = [];
    for (let count = 0; count < 10; count += 1)
      tasks.push(
        (
          await ok(who, 201, "POST", `${path}/tasks`, {
            title: `İstanbul ${count} 🍕`,
            labels: ["a", "Ev işi"],
            projectId: choose.pick([...projects, null]),
            parentId: choose.pick([...tasks, null]),
            assigneeIds: [who.id],
          })
        ).body.id,
      );
    const any = () => `/tasks/${choose.pick(tasks)}`;
    const operations: string[] = [];
    for (let number = 0; number < 200; number += 1) {
      const key = choose.chance(0.4) ? { "idempotency-key": `odd-${choose.int(20)}` } : {};
      const reply = await choose.pick([
        () => ask("PATCH", any(), { title: `changed ${choose.int(3)}`, labels: { add: [`l${choose.int(4)}`] } }, key),
        () => ask("PATCH", any(), { status: "done", due: { date: "2030-01-01", time: "09:30" } }, key),
        () => ask("PATCH", any(), { projectId: choose.pick([...projects, null]) }, key),
        () => ask("PATCH", any(), { parentId: choose.pick([...tasks, null]) }),
        () => ask("PATCH", any(), { position: { after: choose.pick(tasks) } }),
        () => ask("PATCH", any(), {}, key),
        () => ask("PATCH", any(), { title: "never" }, { "if-match": '"999"' }),
        () => ask("PUT", any(), { title: `whole ${number}`, description: "x y z" }, key),
        () => ask("DELETE", any(), undefined, key),
        () => ask("POST", `${any()}/restore`),
        () => ask("POST", `${any()}/undo`, undefined, key),
        () => ask("POST", "/tasks", { title: "made with a key" }, key),
        () => ask("POST", "/comments", { taskId: choose.pick(tasks), body: "Seen." }),
        () => ask("PATCH", `/projects/${choose.pick(projects)}`, { archived: choose.chance(0.3) }),
        () => ask("DELETE", `/projects/${choose.pick(projects)}`),
        () => ask("POST", `/projects/${choose.pick(projects)}/restore`),
        () =>
          ask("POST", "/batch", {
            changes: [
              { type: "task", kind: "create", body: { title: `batched ${number}` } },
              { type: "task", kind: "patch", id: choose.pick(tasks), body: { priority: "high" } },
            ],
          }),
        () => ask("POST", `/operations/${choose.pick([...operations, crypto.randomUUID()])}/undo`),
      ])();
      expect([200, 201, 202, 204, 403, 404, 409, 412, 422], reply.text).toContain(reply.status);
      const { operationId } = reply.body ?? {};
      if (typeof operationId === "string") operations.push(operationId);
      const pending = reply.status === 202 ? reply.headers.get("location") : null;
      if (pending !== null)
        await poll("it is decided", 60_000, async () => {
          const { body } = await who.call<{ status: string }>("GET", pending);
          return body.status !== "pending";
        });
    }
  }

  const collection = (name: string) => mongo.db().collection<{ _id: string; [field: string]: unknown }>(name);

  /** One whose account goes: the personal space is blank afterwards, and so is the shared space of which nobody else is a member. */
  async function leave(who: Person): Promise<void> {
    const alone = await newSpace(who, "Alone");
    for (const path of [`/v1/spaces/${alone}`, "/v1"]) {
      await ok(who, 201, "POST", `${path}/projects`, { name: "Secret" });
      const made = await ok(who, 201, "POST", `${path}/tasks`, { title: "Secret" });
      await ok(who, 200, "PATCH", `${path}/tasks/${made.body.id}`, { title: "Secret still" });
    }
    const gone = await who.call("DELETE", "/v1/auth/me", { body: { currentPassword: password } });
    expect(gone.status, gone.text).toBe(204);
    await poll("it is erased", 60_000, async () => {
      const done = await collection("erased").find({ isDone: true }).toArray();
      return [alone, who.id].every((id) => done.some(({ _id }) => _id === id));
    });
  }

  let before: Kept;

  test(
    "made again from the facts it is the same, and a rebuild is refused while a writer is at work",
    async () => {
      const url = system.urls[0] as string;
      const people = await Promise.all(Array.from({ length: 8 }, () => person(url)));
      [owner, member, leaver] = [await person(url), await person(system.urls[1] as string), await person(url)];
      spaceId = await newSpace(owner);
      await join(spaceId, owner, member);
      await join(spaceId, owner, leaver, "admin");
      await odds(owner, member, `/v1/spaces/${spaceId}`);
      await leave(leaver);
      const producer = new Kafka({ brokers: urls.KAFKA_BROKERS.split(","), logLevel: logLevel.NOTHING }).producer();
      await producer.connect();
      const partitions = Number(place.env.TT_PARTITIONS);
      await producer.send({
        topic: `${place.env.TT_NAMESPACE}.commands`,
        messages: [{ partition: partitionOf(spaceId, partitions), value: "poison" }],
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
      expect(JSON.stringify(before)).not.toContain("Secret");
      const { code, out, err } = await rebuild();
      expect({ code, err }).toEqual({ code: 0, err: stages });
      expect(out).toMatch(/^Rebuilt from \d+ facts in .*\n$/);
      if (commands > 0) process.stderr.write(out);
      expectSame(await everything(), before);
    },
    240_000 + commands * 30,
  );

  test("made again where documents and heads are damaged or lost it is the same", async () => {
    const [document] = await collection("documents").find({ type: "task", space: spaceId }).toArray();
    await collection("documents").updateOne({ _id: document?._id as string }, { $set: { text: '{"bad' } });
    await collection("heads").updateOne({ _id: spaceId }, { $set: { json: '{"bad' } });
    await collection("documents").deleteMany({ space: (owner as Person).id });
    expect((await rebuild()).code).toBe(0);
    expectSame(await everything(), before);
  }, 300_000);

  test("made again from the log, facts too, it is the same", async () => {
    const { code, out, err } = await rebuild("--from-log");
    expect({ code, err }).toEqual({ code: 0, err: logStages });
    expect(out).toMatch(/^Rebuilt from \d+ commands in .*\nPassed over 1 records that were set aside; .*\n$/);
    if (commands > 0) process.stderr.write(out);
    const after = await everything();
    expectSame(after, before, ["facts", "documents", "heads", "erased"]);
    // Whoever has read facts that may have been lost or damaged begins anew.
    expect(after.store?.[0][0]?.epoch).not.toBe(before.store?.[0][0]?.epoch);
  }, 300_000);

  test("a damaged fact is named, and the log mends it", async () => {
    const [fact] = await collection("facts").find({ space: spaceId, seq: 3 }).toArray();
    await collection("facts").updateOne({ _id: fact?._id as string }, { $set: { json: '{"bad' } });
    const refused = await rebuild();
    expect([refused.code, refused.out]).toEqual([2, ""]);
    expect(refused.err).toMatch(
      new RegExp(`Cannot rebuild from the facts: Cannot use facts, space ${spaceId}, id .*--from-log`),
    );
    await collection("facts").deleteOne({ _id: fact?._id as string });
    const missing = await rebuild();
    expect([missing.code, missing.err.split("\n").at(-2)]).toEqual([
      2,
      expect.stringMatching(`Cannot rebuild: space ${spaceId} has no fact 3, and has fact 4`),
    ]);
    expect((await rebuild("--from-log")).code).toBe(0);
    expectSame(await everything(), before, ["facts", "documents", "heads", "erased"]);
  }, 300_000);

  test("made again from nothing but the log it is the same, and what was erased is erased again", async () => {
    await mongo.db().dropDatabase();
    const { code, err } = await rebuild("--from-log");
    expect({ code, err }).toEqual({ code: 0, err: logStages });
    const after = await everything();
    expectSame(after, before, ["facts", "documents", "heads"]);
    const ids = (of: Kept) => of.erased?.[0].map(({ _id }) => _id);
    expect(ids(after)).toEqual(ids(before));
    expect(JSON.stringify(after)).not.toContain("Secret");
  }, 300_000);

  test("afterwards the writers go on where they were", async () => {
    await Promise.all(system.consumers.map((each) => each.start()));
    await Promise.all(system.consumers.map((each) => each.ready()));
    const who = owner as Person;
    const made = await ok(who, 201, "POST", `/v1/spaces/${spaceId}/tasks`, { title: "after it" });
    const changed = await ok(who, 200, "PATCH", `/v1/spaces/${spaceId}/tasks/${made.body.id}`, { title: "and on" });
    expect(changed.body.version).toBe(2);
    await poll(
      "the erasures are done",
      60_000,
      async () => (await collection("erased").countDocuments({ isDone: false })) === 0,
    );
    expect(await system.end()).toEqual(system.all.map(() => 0));
  }, 300_000);
});
