/** Everything that stands on Kafka, with a Kafka that is slow, silent, cut off, away or killed: each call settles in time, and all goes on by itself. */
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import type { PartitionLoop } from "../../actors/consumer/servers/partition-loop.ts";
import { spaceSource } from "../../actors/consumer/servers/source.ts";
import { followFacts } from "../../actors/follower/facts-kafka.ts";
import type { Appender } from "../../actors/kafka/appender.ts";
import { kafkaClient } from "../../actors/kafka/client.ts";
import { commandRecordOf } from "../../actors/kafka/command-record.ts";
import { type GroupMembership, groupMembership, type Joined } from "../../actors/kafka/group-membership.ts";
import { prepareSpaceTopics } from "../../actors/kafka/topics.ts";
import type { Command } from "../../actors/resources/command.ts";
import { commandOf } from "../../actors/resources/space-for-tests.ts";
import { spaceAnnouncements } from "../../actors/task/memory/announcements.ts";
import { kafkaSpaceLog } from "../../actors/task/servers/log.ts";
import { keepTrying } from "../../actors/waiting.ts";
import { type KafkaPlace, kafkaPlace } from "../contract/kafka-place.ts";
import type { Mode } from "../system/fault-proxy.ts";
import { poll } from "../system/poll.ts";
import { describeWith, privateService } from "../system/services.ts";
import { type Hurt, hurt } from "../system/stack.ts";

const modes: readonly Mode[] = ["slow", "cut", "refuse", "stall", "drop-replies"];
const partitions = 3;
const kafka = await privateService("kafka");
/** Makes a task in a space of its own. */
function creation(): Command {
  const [spaceId, id] = [crypto.randomUUID(), crypto.randomUUID()];
  return commandOf({ spaceId, userId: spaceId, operationId: id }, [
    { type: "task", kind: "create", id, body: { title: "made" } },
  ]);
}

const had = "missing" in kafka ? kafka : await hurt(kafka);

describeWith("on a Kafka that has just started", [had], ({ proxy }: Hurt) => {
  test("the topics of ten systems are known when they have been made, though it is slow to know what it makes", async () => {
    const brokers = [`127.0.0.1:${proxy.port}`];
    const places = await Promise.all(Array.from({ length: 10 }, () => kafkaPlace({ brokers, partitions: 12 })));
    for (const place of places) {
      expect((await place.records(place.names.commands)).length).toBe(12);
      await place.remove();
    }
  }, 120_000);
});

describeWith("on a bad line to Kafka", [had], ({ service, proxy }: Hurt) => {
  let place: KafkaPlace;
  let commands: Appender;
  const stopping = new AbortController();
  const stays = <J extends Joined>(join: (lost: (error: Error) => void) => Promise<J>): GroupMembership<J> =>
    groupMembership({ join, until: stopping.signal, failed: () => {}, joined: () => {} });

  beforeAll(async () => {
    place = await kafkaPlace({ brokers: [`127.0.0.1:${proxy.port}`], partitions });
    commands = place.appending(place.names.commands);
  }, 120_000);
  afterAll(async () => {
    await proxy.mode("pass");
    stopping.abort();
    await commands?.close(500);
    await place?.remove();
    await proxy.close();
    await service.stop();
  }, 120_000);

  /** "done", or how it failed, and that it did so in time. */
  async function settled(call: (deadlineMs: number) => Promise<unknown>, timeoutMs: number): Promise<string> {
    const began = performance.now();
    const how = await call(Date.now() + timeoutMs).then(
      () => "done",
      (error: { code?: string; name: string }) => error.code ?? error.name,
    );
    expect(performance.now() - began).toBeLessThan(timeoutMs + 10_000);
    return how;
  }

  describe("the appender", () => {
    /** Numbers appended to one partition one after the other, and what was answered. */
    async function run(events: Appender, from: number, count: number): Promise<number[]> {
      const acknowledged: number[] = [];
      for (let number = from; number < from + count; number += 1) {
        const record = { partition: 1, key: null, value: String(number) };
        if ((await settled((deadlineMs) => events.append(record, deadlineMs), 500)) === "done")
          acknowledged.push(number);
      }
      return acknowledged;
    }

    for (const mode of modes)
      test(`${mode}: each append is answered by its deadline, what is acknowledged is there in order, and it is well again by itself`, async () => {
        const own = await kafkaPlace({ brokers: [`127.0.0.1:${proxy.port}`], partitions });
        const events = own.appending(own.names.facts);
        const acknowledged = await run(events, 0, 20);
        expect(acknowledged).toHaveLength(20);
        await proxy.mode(mode, { delayMs: 40 });
        acknowledged.push(...(await run(events, 20, 3)));
        if (mode === "slow") expect(acknowledged).toHaveLength(23);
        await proxy.mode("pass");
        await poll("it is well again though nobody appends", 60_000, () => events.healthy());
        acknowledged.push(...(await run(events, 30, 20)));
        expect(acknowledged.slice(-20)).toEqual(Array.from({ length: 20 }, (_, index) => 30 + index));
        const found = (await own.records(own.names.facts))[1]?.map(({ value }) => Number(value)) ?? [];
        expect([...new Set(found)].filter((number) => acknowledged.includes(number))).toEqual(acknowledged);
        for (const number of acknowledged)
          expect(found.filter((each) => each === number).length).toBeLessThanOrEqual(2);
        await events.close(500);
        await own.remove();
      }, 120_000);

    test("an answer that is lost is a record twice at most, and none that was acknowledged is lost or out of order", async () => {
      const events = place.appending(place.names.facts);
      let number = 0;
      const append = () => {
        const record = { partition: 2, key: null, value: String((number += 1)) };
        return events.append(record, Date.now() + 10_000);
      };
      await append();
      for (let round = 0; round < 5; round += 1) {
        const under = Array.from({ length: 10 }, append);
        // On its way by the next turns, and its answer does not come.
        await new Promise((resolve) => setImmediate(resolve));
        await proxy.mode("drop-replies");
        under.push(...Array.from({ length: 10 }, append));
        await poll("the line was cut", 60_000, () => proxy.connections() === 0 || !events.healthy(), 1);
        await proxy.mode("pass");
        await Promise.all(under);
      }
      const found = (await place.records(place.names.facts))[2]?.map(({ value }) => Number(value)) ?? [];
      expect([...new Set(found)]).toEqual(Array.from({ length: 101 }, (_, index) => index + 1));
      for (const each of new Set(found)) expect(found.filter((other) => other === each).length).toBeLessThanOrEqual(2);
      await events.close(500);
    }, 120_000);
  });

  test("a change is answered in time, with a verdict or without, and goes through when it is over", async () => {
    const log = kafkaSpaceLog({
      appender: commands,
      partitions: () => partitions,
      announcements: spaceAnnouncements(Date.now),
      timeoutMs: 500,
      now: Date.now,
    });
    const append = () => settled(() => log.append(creation(), { verdict: false }), 500);
    expect(await append()).toBe("done");
    await proxy.mode("cut");
    expect(new Set(await Promise.all(Array.from({ length: 5 }, append)))).toEqual(new Set(["log-unavailable"]));
    await proxy.mode("pass");
    await poll("changes go through", 60_000, async () => (await append()) === "done");
    // Nobody announces anything here: a verdict that does not come is no failure of the append.
    const { position, verdict } = await log.append(creation(), { verdict: true });
    expect([position.offset >= 0, verdict]).toEqual([true, undefined]);
  }, 120_000);

  test("the topics are found by who keeps trying while Kafka is away", async () => {
    const until = AbortSignal.timeout(60_000);
    for (const mode of ["refuse", "stall"] as const) {
      await proxy.mode(mode);
      let failures = 0;
      const looking = keepTrying(
        () => prepareSpaceTopics(kafkaClient(place.servers, "task-tracker-contract"), place.servers),
        {
          fromMs: 50,
          toMs: 500,
          until,
          failed: () => {
            failures += 1;
          },
        },
      );
      await poll("it was tried", 60_000, () => proxy.connections() > 0 || failures > 0);
      await proxy.mode("pass");
      expect((await looking).partitions).toBe(partitions);
    }
  }, 120_000);

  describe("who reads", () => {
    const taken: Command[] = [];
    const heard = new Set<string>();
    let events: Appender;
    let parts: GroupMembership<Joined>[] = [];

    /** Takes everything at once, each record once while it has the partition. */
    function taking(): PartitionLoop {
      let next: number | undefined;
      return {
        add(messages) {
          for (const { offset, value } of messages) {
            if (Number(offset) < (next ?? 0)) continue;
            next = Number(offset) + 1;
            taken.push(JSON.parse(value?.toString() ?? "{}") as Command);
          }
        },
        waitingBytes: () => 0,
        next: () => next,
        onProgress: () => undefined,
        end: async () => undefined,
      };
    }
    beforeAll(() => {
      events = place.appending(place.names.facts);
      const name = `contract-${crypto.randomUUID()}`;
      const kafka = kafkaClient(place.servers, name);
      const source = stays(async (lost) => {
        const joining = spaceSource({
          kafka,
          clientName: name,
          names: place.names,
          partitions,
          open: () => taking(),
          lost,
        });
        await joining.start();
        return joining;
      });
      const follower = stays((lost) =>
        followFacts({
          kafka: kafkaClient(place.servers, "task-tracker-contract"),
          servers: place.servers,
          group: `${place.names.followers}contract`,
          heard: ({ messages }) => {
            for (const { value } of messages) heard.add(value?.toString() ?? "");
          },
          begun: () => {},
          lost,
        }),
      );
      parts = [source, follower];
    });
    afterAll(async () => {
      await Promise.all(parts.map((part) => part.stop()));
      await events?.close(500);
    }, 120_000);

    /** Something new in both topics is taken by the one and heard by the other, whatever was there before. */
    async function goesOn(deadlineMs: number): Promise<void> {
      const made = Array.from({ length: 30 }, creation);
      const again = <T>(call: () => Promise<T>) =>
        poll("it is appended", 10_000, () =>
          call().then(
            () => true,
            () => false,
          ),
        );
      for (const each of made)
        await again(() => commands.append(commandRecordOf(each, partitions), Date.now() + 2_000));
      const words = made.map(({ operationId }) => operationId);
      for (const [index, value] of words.entries())
        await again(() => events.append({ partition: index % partitions, key: null, value }, Date.now() + 2_000));
      await poll("commands are taken", deadlineMs, () => {
        const ids = new Set(taken.map(({ operationId }) => operationId));
        return words.every((id) => ids.has(id));
      });
      await poll("announcements are heard", deadlineMs, () => words.every((word) => heard.has(word)));
    }
    const inOrder = async (): Promise<void> => {
      const log = await place.records(place.names.commands);
      for (const records of log) {
        const ids = records.map(({ value }) => (JSON.parse(value?.toString() ?? "{}") as Command).operationId);
        const mine = new Set(ids);
        const firsts = [...new Set(taken.map(({ operationId }) => operationId).filter((id) => mine.has(id)))];
        expect(firsts).toEqual([...new Set(ids)]);
      }
    };

    test("go on after the line was slow, cut, closed, silent or lost its answers, with nothing left out and all in order", async () => {
      await goesOn(20_000);
      for (const mode of modes) {
        await proxy.mode(mode, { delayMs: 30 });
        // The next fetch is sent into it.
        const bad = performance.now() + 700;
        await poll("it was bad for a while", 60_000, () => performance.now() > bad);
        await proxy.mode("pass");
        await goesOn(15_000);
      }
      await inOrder();
    }, 120_000);

    test("go on after Kafka was killed and started again", async () => {
      await service.kill();
      const restarting = service.restart();
      expect(
        await settled((deadlineMs) => commands.append({ partition: 0, key: null, value: "{}" }, deadlineMs), 500),
      ).toBe("late");
      await restarting;
      await goesOn(20_000);
      await inOrder();
    }, 120_000);
  });
});
