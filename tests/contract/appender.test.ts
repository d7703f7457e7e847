/** The appender on a Kafka that does its part, and on one that is not there. What lies in between is in outages/kafka-line.test.ts. */
import { afterAll, beforeAll, describe, expect, setSystemTime, test } from "bun:test";
import { causeOf } from "../../actors/cause.ts";
import { AppendError, type Appender, appender } from "../../actors/kafka/appender.ts";
import { kafkaClient } from "../../actors/kafka/client.ts";
import { faultProxy } from "../system/fault-proxy.ts";
import { describeWith, service } from "../system/services.ts";
import { type KafkaPlace, kafkaPlace } from "./kafka-place.ts";

const server = await service("KAFKA_BROKERS");
const inMs = (ms: number): number => Date.now() + ms;

describeWith("the appender on Kafka", [server], ({ url }) => {
  let place: KafkaPlace;
  let commands: Appender;
  beforeAll(async () => {
    place = await kafkaPlace({ brokers: [url] });
    commands = place.appending(place.names.commands);
  });
  afterAll(async () => {
    await commands?.close(1_000);
    await place?.remove();
  });

  test("records of one partition get the offsets at which they stand, in the order in which they were given", async () => {
    const given = Array.from({ length: 3_000 }, (_, index) => ({
      partition: index % 2,
      key: `key ${index}`,
      value: `value ${index}`,
    }));
    const offsets = await Promise.all(given.map((record) => commands.append(record, inMs(10_000))));
    const found = await place.records(place.names.commands);
    for (const [index, { partition, key, value }] of given.entries()) {
      const there = found[partition]?.find(({ offset }) => Number(offset) === offsets[index]);
      expect([there?.key?.toString(), there?.value?.toString()]).toEqual([key, value]);
    }
    for (const partition of [0, 1]) {
      const own = offsets.filter((_, index) => given[index]?.partition === partition);
      expect(own).toEqual([...own].sort((a, b) => a - b));
      expect(new Set(own).size).toBe(1_500);
    }
    expect(commands.healthy()).toBe(true);
  }, 120_000);

  test("many large texts in letters of three bytes go to one partition at once", async () => {
    const value = "語".repeat(20_000);
    const offsets = await Promise.all(
      Array.from({ length: 120 }, () => commands.append({ partition: 2, key: null, value }, inMs(10_000))),
    );
    expect(offsets).toEqual(Array.from({ length: 120 }, (_, index) => index));
  }, 120_000);

  test("a record that is too large for Kafka is refused alone, and the others keep their order", async () => {
    const parked = place.appending(place.names.parked);
    const texts = ["a", "b", "x".repeat(9_000_000), "c", "d"];
    const outcomes = await Promise.all(
      texts.map((value) =>
        parked.append({ partition: 0, key: null, value }, inMs(10_000)).then(
          () => "done",
          (error: AppendError) => error.code,
        ),
      ),
    );
    expect(outcomes).toEqual(["done", "done", "large", "done", "done"]);
    const [found = []] = await place.records(place.names.parked);
    expect([...new Set(found.map(({ value }) => value?.toString()))]).toEqual(["a", "b", "c", "d"]);
    expect(parked.healthy()).toBe(true);
    const alone = { partition: 0, key: null, value: "x".repeat(9_000_000) };
    await expect(parked.append(alone, inMs(10_000))).rejects.toThrow(AppendError);
    // What was refused does not hang, however long nothing else comes.
    setSystemTime(inMs(60_000));
    expect(parked.healthy()).toBe(true);
    setSystemTime();
    await parked.close(1_000);
  }, 120_000);

  test("what waits is sent before it closes, and afterwards nothing is taken", async () => {
    const events = place.appending(place.names.facts);
    const waiting = Array.from({ length: 50 }, (_, index) =>
      events.append({ partition: 0, key: null, value: String(index) }, inMs(5_000)),
    );
    await events.close(5_000);
    expect((await Promise.all(waiting)).length).toBe(50);
    await expect(events.append({ partition: 0, key: null, value: "" }, inMs(1_000))).rejects.toThrow(AppendError);
  });
});

describe("the appender without Kafka", () => {
  test("takes as many as may wait, refuses more at once, and lets everybody know at the deadline", async () => {
    const nobody = await faultProxy(1);
    await nobody.mode("refuse");
    const told: string[] = [];
    const servers = { brokers: [`127.0.0.1:${nobody.port}`], partitions: 1, tls: false, namespace: "" };
    const waits = appender({
      kafka: kafkaClient(servers, "task-tracker-contract"),
      topic: "none",
      failing: (error) => told.push(causeOf(error)),
      recovered: () => told.push("recovered"),
    });
    const began = performance.now();
    const deadlineMs = inMs(1_500);
    const codes = new Map<string, number>();
    const ends: number[] = [];
    const one = () =>
      waits.append({ partition: 0, key: null, value: "x" }, deadlineMs).catch((error: AppendError) => {
        codes.set(error.code, (codes.get(error.code) ?? 0) + 1);
        if (error.code === "late") ends.push(performance.now() - began);
      });
    const all = Array.from({ length: 20_100 }, one);
    // The first thousand are on their way by the next turn, so that there is room again for as many.
    await new Promise((resolve) => setImmediate(resolve));
    all.push(...Array.from({ length: 1_100 }, one));
    await Promise.all(all);
    expect(Object.fromEntries(codes)).toEqual({ full: 200, late: 21_000 });
    expect(Math.min(...ends)).toBeGreaterThan(1_400);
    expect(Math.max(...ends)).toBeLessThan(20_000);
    await waits.close(100);
    expect(told).not.toContain("recovered");
    await nobody.close();
  }, 120_000);
});
