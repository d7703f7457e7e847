/** What cannot be understood in the log is parked with its reason and origin, its partition goes on, and `redrive` puts back what can be. */
import { afterAll, beforeAll, expect, test } from "bun:test";
import { Kafka, logLevel, type Producer } from "kafkajs";
import { partitionOf } from "../../runtime/partition.ts";
import { call, type Person, person, type Task } from "../system/client.ts";
import { type Place, placeOn, servers } from "../system/deployments.ts";
import { type Crew, crew } from "../system/member.ts";
import { poll } from "../system/poll.ts";
import { cleanUp } from "../system/server.ts";
import { describeWith } from "../system/services.ts";
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
      topic: topic("task.commands"),
      messages: [{ partition, key, value }],
    });
    return Number(made?.baseOffset);
  };

  /** A command as the edge would send it, in one partition or another. */
  function command(partition: number): { taskId: string; partition: number; text: string } {
    for (;;) {
      const taskId = crypto.randomUUID();
      if (partitionOf(taskId, partitions) !== partition) continue;
      const text = JSON.stringify({
        operationId: taskId,
        keyed: false,
        taskId,
        userId: who.id,
        kind: "create",
        fingerprint: "",
        body: { title: "put back" },
        at: new Date().toISOString(),
      });
      return { taskId, partition, text };
    }
  }

  async function parked(): Promise<Parked[]> {
    const consumer = kafka.consumer({ groupId: `test-${crypto.randomUUID()}`, maxWaitTimeInMs: 100 });
    const admin = kafka.admin();
    await Promise.all([consumer.connect(), admin.connect()]);
    const [{ high } = { high: "0" }] = await admin.fetchTopicOffsets(topic("task.parked"));
    const found: Parked[] = [];
    await consumer.subscribe({ topics: [topic("task.parked")], fromBeginning: true });
    await consumer.run({
      eachMessage: async ({ message }) => void found.push(JSON.parse(message.value?.toString() ?? "") as Parked),
    });
    await poll("all that is parked is read", 60_000, () => found.length >= Number(high));
    await consumer.disconnect();
    await admin.disconnect();
    return found;
  }

  const redrive = (...args: string[]): Promise<TrackerExit> => tracker(["redrive", ...args], place.env).exited;

  /** A create with a key in this partition: its verdict passes all that is before it there. */
  async function goesOn(partition: number): Promise<void> {
    for (let made = -1; made !== partition; ) {
      const headers = { "idempotency-key": crypto.randomUUID() };
      const reply = await who.call<Task>("POST", "/v1/tasks", { body: { title: "after it" }, headers });
      expect(reply.status, reply.text).toBe(201);
      made = partitionOf(reply.body.id, partitions);
    }
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
    const good = command(2);
    strayed = command(1);
    const poison: [value: string | null, reason: string][] = [
      ["not JSON at all {", "not JSON"],
      [null, "empty"],
      ["[]", "the whole must be an object"],
      [good.text.replace('"create"', '"explode"'), "/kind"],
      [good.text.replace('"keyed":false', '"keyed":"maybe"'), "/keyed"],
      [good.text.replace("put back", "\\u0000"), "/body/title"],
      [good.text.replace(/"at":"[^"]*"/, '"at":"yesterday"'), "/at"],
      [strayed.text, "on another partition than its task's"],
    ];
    const offsets: number[] = [];
    for (const [value] of poison) {
      offsets.push(await append(2, value));
      await goesOn(2);
    }
    const found = await parked();
    expect(found.map(({ partition, offset, key, value }) => [partition, offset, key, value])).toEqual(
      poison.map(([value], index) => [2, offsets[index] as number, "a key", value]),
    );
    for (const [index, { reason }] of found.entries()) expect(reason).toStartWith(poison[index]?.[1] ?? "?");
    const log = system.consumers[0]?.log() ?? "";
    expect(log.split("\n").filter((line) => line.includes('"command-parked"'))).toHaveLength(poison.length);
    expect(log).not.toContain("put back");
    expect((await who.call("GET", `/v1/tasks/${strayed.taskId}`)).status).toBe(404);
    await countsParked(poison.length);
  }, 120_000);

  test("a dry run tells what redrive would do and does nothing", async () => {
    const { code, out, err } = await redrive("--dry-run");
    expect({ code, err }).toEqual({ code: 0, err: "" });
    expect(out).toContain(`create of ${strayed.taskId}, to partition 1`);
    expect(out).toEndWith("Would put back 1, and keep 7 that cannot be understood\n");
    expect(await parked()).toHaveLength(8);
    expect((await who.call("GET", `/v1/tasks/${strayed.taskId}`)).status).toBe(404);
  }, 120_000);

  test("redrive puts back the good one, which takes effect, and keeps the others; the next one finds only those", async () => {
    const first = await redrive();
    expect({ code: first.code, err: first.err }).toEqual({ code: 0, err: "" });
    expect(first.out).toMatch(new RegExp(`create of ${strayed.taskId}, now 1-\\d+\n`));
    expect(first.out).toEndWith("Put back 1, kept 7 that cannot be understood\n");
    await poll("it takes effect", 60_000, async () => {
      const reply = await who.call<Task>("GET", `/v1/tasks/${strayed.taskId}`);
      return reply.status === 200 && reply.body.title === "put back" && reply.body.version === 1;
    });
    await countsParked(7);
    const again = await redrive();
    expect(again.out).toEndWith("Put back 0, kept 7 that cannot be understood\n");
    expect(await parked()).toHaveLength(8 + 7 + 7);
    await goesOn(2);
    expect((await who.call<Task>("GET", `/v1/tasks/${strayed.taskId}`)).body.version).toBe(1);
  }, 120_000);

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
