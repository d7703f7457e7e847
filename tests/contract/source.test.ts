/** The log in Kafka as a writer's source of commands, with a store that cannot take all of it at once. */
import { afterAll, beforeAll, expect, test } from "bun:test";
import { command } from "../../actors/consumer/commands-for-tests.ts";
import { type KafkaSource, kafkaSource } from "../../actors/consumer/source-kafka.ts";
import { type Appender, appender } from "../../actors/kafka/appender.ts";
import { kafkaClient } from "../../actors/kafka/client.ts";
import { commandRecord } from "../../actors/kafka/log-record.ts";
import { poll } from "../system/poll.ts";
import { describeWith, service } from "../system/services.ts";
import { type KafkaPlace, kafkaPlace } from "./kafka-place.ts";

describeWith("the log in Kafka as a source", [await service("KAFKA_BROKERS")], ({ url }) => {
  let place: KafkaPlace;
  let commands: Appender;
  let source: KafkaSource;

  beforeAll(async () => {
    place = await kafkaPlace({ brokers: url.split(","), partitions: 1 });
    commands = appender({
      kafka: kafkaClient(place.servers, "task-tracker-contract"),
      topic: place.names.commands,
      failing: () => {},
      recovered: () => {},
    });
  }, 30_000);
  afterAll(async () => {
    await source.stop();
    await commands.close(500);
    await place.remove();
  }, 30_000);

  test("what is too much at once is taken in smaller parts, each once, in order, parked records in their places", async () => {
    const made = Array.from({ length: 400 }, () => command({ kind: "create" }));
    const deadlineMs = Date.now() + 10_000;
    const values = made.map((each) => commandRecord(each, 1).value);
    values.splice(150, 0, "poison");
    await Promise.all(values.map((value) => commands.append({ partition: 0, key: null, value }, deadlineMs)));
    const taken: number[] = [];
    let refused = 0;
    const name = `contract-${crypto.randomUUID()}`;
    source = kafkaSource({
      kafka: kafkaClient(place.servers, name),
      clientName: name,
      names: place.names,
      partitions: 1,
      async take({ deliveries, parked }) {
        if (deliveries.length > 40) {
          refused += 1;
          throw new Error("too much at once");
        }
        const offsets = [...deliveries.map(({ position }) => position.offset), ...parked.map(({ offset }) => offset)];
        taken.push(...offsets.sort((a, b) => a - b));
      },
      lost: () => {},
      failing: () => {},
      recovered: () => {},
    });
    await source.start();
    await poll("all is taken", 40_000, () => taken.length >= 401);
    expect(taken).toEqual(Array.from({ length: 401 }, (_, offset) => offset));
    expect(refused).toBeGreaterThan(0);
  }, 60_000);
});
