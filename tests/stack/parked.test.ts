/** What cannot be understood in the log is parked with its reason and origin, its partition goes on, and `redrive` puts back what can be. */
import { afterAll, beforeAll, expect, test } from "bun:test";
import { Kafka, logLevel, type Producer } from "kafkajs";
import { MongoClient } from "mongodb";
import { partitionOf } from "../../runtime/partition.ts";
import { call, type Person, person } from "../system/client.ts";
import { type Place, placeOn, servers } from "../system/deployments.ts";
import { type Crew, crew } from "../system/member.ts";
import { poll } from "../system/poll.ts";
import { cleanUp } from "../system/server.ts";
import { describeWith } from "../system/services.ts";
import { newSpace, ok, type Resource } from "../system/spaces.ts";
import { type TrackerExit, tracker } from "../system/tracker.ts";

const partitions = 4;

type Parked = { partition: number; offset: number; key: string | null; value: string | null; reason: string };

describeWith("poisoned records in the log", [await servers()], (urls) => {
  let place: Place;
  let system: Crew;
  let who: Person;
  let kafka: Kafka;
  let producer: Producer;
  const topic = (name: string) => `${place.env.TT_NAMESPACE}.${name}`;

  beforeAll(async () => {
    place = await placeOn(urls);
    system = await crew(place.env, { task: 1, consumer: 1 });
    who = await person(system.urls[0] as string);
    kafka = new Kafka({ brokers: urls.KAFKA_BROKERS.split(","), logLevel: logLevel.NOTHING });
    producer = kafka.producer({ allowAutoTopicCreation: false });
    await producer.connect();
  }, 120_000);
  afterAll(async () => {
    await producer?.disconnect();
    expect(await system?.end()).toEqual([0, 0, 0]);
    await cleanUp();
    await place?.remove();
  }, 120_000);

  const append = async (partition: number, value: string | null, key: string | null = "a key"): Promise<number> => {
    const [made] = await producer.send({
      topic: topic("commands"),
      messages: [{ partition, key, value }],
    });
    return Number(made?.baseOffset);
  };

  /** A command of one's own space as the edge would send it. */
  function command(): { id: string; text: string } {
    const id = crypto.randomUUID();
    const intent = { type: "task", id, kind: "create", body: { title: "put back" } };
    const at = new Date().toISOString();
    const common = { operationId: id, keyed: false, spaceId: who.id, userId: who.id, fingerprint: "", at };
    return { id, text: JSON.stringify({ ...common, kind: "change", intents: [intent] }) };
  }

  async function parked(): Promise<Parked[]> {
    const consumer = kafka.consumer({ groupId: `test-${crypto.randomUUID()}`, maxWaitTimeInMs: 100 });
    const admin = kafka.admin();
    await Promise.all([consumer.connect(), admin.connect()]);
    const [{ high } = { high: "0" }] = await admin.fetchTopicOffsets(topic("parked"));
    const found: Parked[] = [];
    await consumer.subscribe({ topics: [topic("parked")], fromBeginning: true });
    await consumer.run({
      eachMessage: async ({ message }) => void found.push(JSON.parse(message.value?.toString() ?? "") as Parked),
    });
    await poll("all that is parked is read", 60_000, () => found.length >= Number(high));
    await consumer.disconnect();
    await admin.disconnect();
    return found;
  }

  const redrive = (...args: string[]): Promise<TrackerExit> => tracker(["redrive", ...args], place.env).exited;

  /** A create with a key: its verdict passes all that is before it in the partition of its space. */
  async function goesOn(path = "/v1"): Promise<void> {
    const headers = { "idempotency-key": crypto.randomUUID() };
    await ok(who, 201, "POST", `${path}/tasks`, { title: "after it" }, headers);
  }

  /** What is parked and not put back yet is a metric, looked at now and then. */
  const countsParked = (count: number) =>
    poll(`${count} are told to be parked`, 30_000, async () => {
      const { text } = await call(system.consumers[0]?.admin ?? "", "GET", "/metrics");
      if (!text.includes(`\nlog_parked_records ${count}\n`)) return false;
      // The process works: what is set aside waits for a person.
      const report = await call<{ parked: number }>(system.consumers[0]?.admin ?? "", "GET", "/readyz");
      const isShown = report.text.includes(`"state":"parked: ${count}"`) && report.text.includes('"status":"degraded"');
      return report.status === 200 && report.body.parked === count && isShown;
    });

  let strayed: ReturnType<typeof command>;

  test("each is parked with its reason and where it came from, and its partition goes on", async () => {
    const good = command();
    const own = partitionOf(who.id, partitions);
    const other = (own + 1) % partitions;
    strayed = command();
    const poison: [partition: number, value: string | null, reason: string][] = [
      [own, "not JSON at all {", "not JSON"],
      [own, null, "empty"],
      [own, "[]", "/kind is not known"],
      [own, good.text.replace('"kind":"create"', '"kind":"explode"'), "/intents/0/kind"],
      [own, good.text.replace('"keyed":false', '"keyed":"maybe"'), "/keyed"],
      [own, good.text.replace(/"at":"[^"]*"/, '"at":"yesterday"'), "/at"],
      [own, good.text.replace('"type":"task"', '"type":"riddle"'), "Cannot decide on operation"],
      [other, strayed.text, "on another partition than its space's"],
    ];
    const offsets: number[] = [];
    for (const [partition, value] of poison) {
      offsets.push(await append(partition, value));
      await goesOn();
    }
    await poll("all are parked", 60_000, async () => (await parked()).length === poison.length);
    const found = await parked();
    const ordered = poison.map(([partition, value], index) => [partition, offsets[index] as number, "a key", value]);
    const asText = (all: readonly unknown[]) => all.map((each) => JSON.stringify(each)).sort();
    expect(asText(found.map(({ partition, offset, key, value }) => [partition, offset, key, value]))).toEqual(
      asText(ordered),
    );
    for (const [index, [partition, , reason]] of poison.entries())
      expect(found.find((each) => each.partition === partition && each.offset === offsets[index])?.reason).toStartWith(
        reason,
      );
    const log = system.consumers[0]?.log() ?? "";
    expect(log.split("\n").filter((line) => line.includes('"command-parked"'))).toHaveLength(poison.length);
    expect(log).not.toContain("put back");
    expect((await who.call("GET", `/v1/tasks/${strayed.id}`)).status).toBe(404);
    await countsParked(poison.length);
  }, 120_000);

  test("a dry run tells what redrive would do and does nothing", async () => {
    const { code, out, err } = await redrive("--dry-run");
    expect({ code, err }).toEqual({ code: 0, err: "" });
    expect(out).toContain(`create in space ${who.id}, to partition ${partitionOf(who.id, partitions)}`);
    expect(out).toEndWith("Would put back 2, and keep 6 that cannot be understood\n");
    expect(await parked()).toHaveLength(8);
    expect((await who.call("GET", `/v1/tasks/${strayed.id}`)).status).toBe(404);
  }, 120_000);

  test("redrive puts back the good one, which takes effect, and keeps the others; the next one finds only those", async () => {
    const first = await redrive();
    expect({ code: first.code, err: first.err }).toEqual({ code: 0, err: "" });
    expect(first.out).toMatch(new RegExp(`create in space ${who.id}, now ${partitionOf(who.id, partitions)}-\\d+\n`));
    expect(first.out).toEndWith("Put back 2, kept 6 that cannot be understood\n");
    await poll("it takes effect", 60_000, async () => {
      const reply = await who.call<Resource>("GET", `/v1/tasks/${strayed.id}`);
      return reply.status === 200 && reply.body.title === "put back" && reply.body.version === 1;
    });
    // What can be read and still not be decided is parked again.
    await countsParked(7);
    const again = await redrive();
    expect(again.out).toEndWith("Put back 1, kept 6 that cannot be understood\n");
    await countsParked(7);
    await goesOn();
    expect((await who.call<Resource>("GET", `/v1/tasks/${strayed.id}`)).body.version).toBe(1);
  }, 120_000);

  test("what a redrive that failed had put back already takes no effect again", async () => {
    const partition = partitionOf(who.id, partitions);
    const record = { partition, offset: 0, key: who.id, value: strayed.text, reason: "once more" };
    await producer.send({ topic: topic("parked"), messages: [{ partition: 0, value: JSON.stringify(record) }] });
    expect((await redrive()).out).toEndWith("Put back 2, kept 6 that cannot be understood\n");
    await goesOn();
    const { body } = await who.call<Resource>("GET", `/v1/tasks/${strayed.id}`);
    expect([body.title, body.version]).toEqual(["put back", 1]);
    expect((await system.consumers[0]?.report())?.ready).toBe(true);
  }, 120_000);

  test("a damaged document parks what needs it, its space goes on, and rebuild and redrive mend both", async () => {
    const spaceId = await newSpace(who);
    const path = `/v1/spaces/${spaceId}`;
    const made = await ok(who, 201, "POST", `${path}/tasks`, { title: "first" });
    const own = `${path}/tasks/${made.body.id}`;
    const mongo = new MongoClient(place.env.MONGO_URL ?? "");
    try {
      const documents = mongo.db().collection<{ _id: string }>("documents");
      const _id = `${spaceId} ${made.body.id}`;
      await poll("it is projected", 60_000, async () => (await documents.findOne({ _id })) !== null);
      const restart = async (): Promise<void> => {
        // What the writer remembers is not damaged.
        for (const each of system.consumers) {
          await each.start();
          await each.ready();
        }
      };
      const stop = async () => {
        for (const each of system.consumers) expect((await each.end("SIGTERM")).code).toBe(0);
      };
      await stop();
      await documents.updateOne({ _id }, { $set: { text: '{"bad' } });
      await restart();
      const reply = await who.call("PATCH", own, { body: { title: "second" } });
      expect(reply.status).toBeGreaterThanOrEqual(500);
      await goesOn(path);
      const line = (system.consumers[0]?.log() ?? "").split("\n").find((each) => each.includes(`id ${made.body.id}`));
      const { event, reason, partition, offset } = JSON.parse(line ?? "{}");
      expect([event, reason]).toEqual([
        "command-parked",
        `Cannot use documents, space ${spaceId}, id ${made.body.id}: its text is no JSON object`,
      ]);
      expect((await parked()).at(-1)).toMatchObject({ partition, offset, reason });
      await countsParked(8);

      await stop();
      const rebuilt = await tracker(["rebuild"], place.env).exited;
      expect({ code: rebuilt.code }, rebuilt.err).toEqual({ code: 0 });
      await restart();
      expect((await redrive()).out).toContain(`patch in space ${spaceId}, now `);
      await poll("it takes effect", 60_000, async () => {
        const { body } = await who.call<Resource>("GET", own);
        return body.title === "second" && body.version === 2;
      });
      await countsParked(7);
    } finally {
      await mongo.close();
    }
  }, 240_000);

  test("redrive refuses a bad argument and a system without Kafka with one clear line, and tells how it is used", async () => {
    const err = 'Cannot take the argument "--all"; see `tracker help redrive`\n';
    expect(await redrive("--all")).toEqual({ code: 2, out: "", err });
    const help = await redrive("--help");
    expect([help.code, help.out]).toEqual([0, expect.stringContaining("Usage:")]);
    const without = await tracker(["redrive"]).exited;
    expect([without.code, without.err]).toEqual([2, expect.stringMatching(/^redrive needs KAFKA_BROKERS.*\n$/)]);
    expect((await call(system.urls[0] as string, "GET", "/health")).status).toBe(200);
  }, 120_000);
});
