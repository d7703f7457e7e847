/** The log in Kafka as a writer's source of commands, with a store that cannot take all of it at once. */
import { afterAll, beforeAll, expect, test } from "bun:test";
import { causeOf } from "../../actors/cause.ts";
import { command } from "../../actors/consumer/commands-for-tests.ts";
import { type KafkaSource, kafkaSource } from "../../actors/consumer/source-kafka.ts";
import type { Appender } from "../../actors/kafka/appender.ts";
import { kafkaClient } from "../../actors/kafka/client.ts";
import { commandRecord } from "../../actors/kafka/log-record.ts";
import { type Staying, stayJoined } from "../../actors/kafka/stay-joined.ts";
import { poll } from "../system/poll.ts";
import { describeWith, service } from "../system/services.ts";
import { type KafkaPlace, kafkaPlace } from "./kafka-place.ts";

describeWith("the log in Kafka as a source", [await service("KAFKA_BROKERS")], ({ url }) => {
  let place: KafkaPlace;
  let commands: Appender;
  let source: Staying<KafkaSource> | undefined;
  const ending = new AbortController();

  beforeAll(async () => {
    place = await kafkaPlace({ brokers: url.split(","), partitions: 1 });
    commands = place.appending(place.names.commands);
  }, 120_000);
  afterAll(async () => {
    ending.abort();
    await source?.stop();
    await commands?.close(500);
    await place?.remove();
  }, 120_000);

  test("what is too much at once is taken in smaller parts, each once, in order, parked records in their places", async () => {
    const made = Array.from({ length: 400 }, () => command({ kind: "create" }));
    const deadlineMs = Date.now() + 10_000;
    const values = made.map((each) => commandRecord(each, 1).value);
    values.splice(150, 0, "poison");
    await Promise.all(values.map((value) => commands.append({ partition: 0, key: null, value }, deadlineMs)));
    const taken: number[] = [];
    const lags: number[] = [];
    let joins = 0;
    let refused = 0;
    const name = `contract-${crypto.randomUUID()}`;
    const join = async (lost: (error: Error) => void): Promise<KafkaSource> => {
      const joining = kafkaSource({
        kafka: kafkaClient(place.servers, name),
        clientName: name,
        names: place.names,
        partitions: 1,
        async take({ deliveries, parked }) {
          lags.push(joining.lag());
          if (deliveries.length > 40) {
            refused += 1;
            throw new Error("too much at once");
          }
          const offsets = [...deliveries.map(({ position }) => position.offset), ...parked.map(({ offset }) => offset)];
          taken.push(...offsets.sort((a, b) => a - b));
        },
        lost,
        failing: () => {},
        recovered: () => {},
      });
      await joining.start();
      return joining;
    };
    const failed = (error: Error) => void process.stderr.write(`joins again: ${causeOf(error)}\n`);
    const joined = () => {
      joins += 1;
    };
    source = stayJoined({ join, until: ending.signal, failed, joined });
    await poll("all is taken", 60_000, () => new Set(taken).size >= 401);
    // Who had to join anew is given again what was not committed.
    expect(joins > 1 ? [...new Set(taken)] : taken).toEqual(Array.from({ length: 401 }, (_, offset) => offset));
    expect(refused).toBeGreaterThan(0);
    expect(Math.max(...lags)).toBe(401);
    await poll("nothing waits any more", 60_000, () => source?.now()?.lag() === 0);
  }, 120_000);
});
