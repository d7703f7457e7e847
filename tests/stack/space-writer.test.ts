/** The writer of spaces on real servers: what is appended is told and projected, whatever is away, poisoned or replaced. */
import { afterAll, expect, test } from "bun:test";
import { commandRecordOf } from "../../actors/kafka/command-record.ts";
import { keyOf } from "../../actors/mongo/space-collections.ts";
import type { Command } from "../../actors/resources/command.ts";
import { commandOf, idOf } from "../../actors/resources/space-for-tests.ts";
import { spaceAnnouncements } from "../../actors/task/memory/announcements.ts";
import { kafkaSpaceLog } from "../../actors/task/servers/log.ts";
import { partitionOf } from "../../runtime/partition.ts";
import { type FaultProxy, faultProxy } from "../system/fault-proxy.ts";
import { poll } from "../system/poll.ts";
import { describeWith, service } from "../system/services.ts";
import { type SpacePlace, spacePlace } from "./space-place.ts";

const partitions = 3;
const people = [11, 12, 13, 14, 15, 16].map(idOf);
const [ann = ""] = people;

/** A task of one's own. */
function creation(userId: string, title: string, id: string = crypto.randomUUID()): Command {
  return commandOf({ spaceId: userId, userId, operationId: id }, [
    { type: "task", kind: "create", id, body: { title } },
  ]);
}

function change(userId: string, id: string, title: string): Command {
  return commandOf({ spaceId: userId, userId, operationId: crypto.randomUUID() }, [
    { type: "task", kind: "patch", id, body: { title } },
  ]);
}

describeWith(
  "the writer of spaces",
  [await service("KAFKA_BROKERS"), await service("MONGO_URL")],
  ({ url: broker }, { url: mongoUrl }) => {
    const places: SpacePlace[] = [];
    const proxies: FaultProxy[] = [];
    async function placeOf(): Promise<SpacePlace> {
      const place = await spacePlace({ broker, mongoUrl, partitions });
      places.push(place);
      return place;
    }
    afterAll(async () => {
      for (const place of places) await place.remove();
      for (const proxy of proxies) await proxy.close();
    }, 120_000);

    test("what is appended is told, projected and committed, each operation once", async () => {
      const place = await placeOf();
      const writer = place.writer();
      const tasks = people.map(() => crypto.randomUUID());
      await place.send(people.map((userId, at) => creation(userId, "first", tasks[at])));
      const changes = people.map((userId, at) => change(userId, tasks[at] as string, "second"));
      await place.send([...changes, ...changes]);
      await poll("all is projected", 60_000, () => place.isDone());
      await place.expectWhole();
      const partition = partitionOf(ann, partitions);
      const { end } = await place.questions.ends(place.names.commands, partition);
      await poll("the place is committed", 60_000, async () => {
        const found = await place.questions.committed(place.names.writers, place.names.commands, partition);
        return found?.offset === end && /^facts=\d+$/.test(found.metadata);
      });
      await writer.end();
      expect(writer.failures).toEqual([]);
    }, 120_000);

    test("whoever appends to the log hears the verdict, and of what is parked that it is", async () => {
      const place = await placeOf();
      const writer = place.writer();
      const heard = spaceAnnouncements(Date.now);
      const partition = partitionOf(ann, partitions);
      const following = place.follow(partition, (records) => heard.take(partition, records));
      const appender = place.appenderOf(place.names.commands);
      const parts = { partitions: () => partitions, announcements: heard, timeoutMs: 30_000, now: Date.now };
      const log = kafkaSpaceLog({ appender, ...parts });
      const task = crypto.randomUUID();
      const [made, changed] = await Promise.all(
        [creation(ann, "first", task), change(ann, task, "second")].map((each) => log.append(each, { verdict: true })),
      );
      expect(made?.verdict).toMatchObject({ kind: "decided", fact: { verdict: "applied", seq: 1 } });
      expect(changed?.verdict).toMatchObject({ kind: "decided", fact: { seq: 2 }, documents: [{ version: 2 }] });
      expect(made?.position).toEqual({ partition, offset: 0 });
      const refused = await log.append(change(ann, crypto.randomUUID(), "of none"), { verdict: true });
      expect(refused.verdict).toMatchObject({ fact: { verdict: "rejected", refusal: { code: "not-found" } } });
      // Without a key only its own sender can have sent it before, and says so.
      const resent: typeof appender = {
        ...appender,
        append: (record, deadlineMs) => appender.append({ ...record, isResent: true }, deadlineMs),
      };
      const repeated = creation(ann, "again", task);
      const again = kafkaSpaceLog({ appender: resent, ...parts });
      expect((await again.append(repeated, { verdict: true })).verdict).toMatchObject({
        kind: "decided",
        fact: { seq: 1 },
      });
      const unknown = { ...change(ann, task, "x"), mood: "calm" };
      await expect(log.append(unknown, { verdict: true })).rejects.toMatchObject({ code: "internal" });
      expect(heard.told(partition)).toBe(4);
      expect(await heard.untilProjected({ partition, offset: 4 }, Date.now() + 30_000)).toBe(true);
      following.abort();
      await writer.end();
    }, 120_000);

    test("what cannot be understood or decided is parked with its reason and its place is told; its partition goes on", async () => {
      const place = await placeOf();
      const partition = partitionOf(ann, partitions);
      const [damaged, sound] = [crypto.randomUUID(), crypto.randomUUID()];
      const first = place.writer();
      await place.send([creation(ann, "damaged", damaged), creation(ann, "sound", sound)]);
      await poll("both are projected", 60_000, () => place.isDone());
      await first.end();
      const key = keyOf(ann, damaged);
      await place.collections.documents.updateOne({ _id: key }, { $set: { text: '{"bad' } });
      const poison = [
        "{bad",
        JSON.stringify({ ...change(ann, sound, "x"), more: 1 }),
        JSON.stringify(
          change(people.find((each) => partitionOf(each, partitions) !== partition) as string, sound, "x"),
        ),
      ];
      for (const value of poison) await place.append({ partition, key: ann, value });
      await place.send([change(ann, damaged, "cannot be"), change(ann, sound, "can be")]);
      const second = place.writer();
      await poll("all has its verdict", 60_000, () => place.isDone());
      const told = await place.told(partition);
      expect(told.slice(2).map((each) => (each.kind === "parked" ? each.reason : each.kind))).toEqual([
        "not JSON",
        "/more is not a known field",
        "on another partition than its space's",
        `Cannot use documents, space ${ann}, id ${damaged}: its text is no JSON object`,
        "decided",
      ]);
      const parked = (await place.records(place.names.parked, 0)).map(
        ({ value }) => JSON.parse(`${value}`) as Record<string, unknown>,
      );
      expect(parked.map(({ partition: from, offset, value }) => [from, offset, value]).slice(0, 3)).toEqual(
        poison.map((value, at) => [partition, 2 + at, value]),
      );
      expect(parked).toHaveLength(4);
      expect(parked.every((each) => each.key === ann && typeof each.reason === "string")).toBe(true);
      expect(second.lines.filter(({ event }) => event === "command-parked")).toHaveLength(4);
      const kept = await place.collections.documents.findOne({ _id: keyOf(ann, sound) });
      expect(JSON.parse(kept?.text ?? "").title).toBe("can be");
      await second.end();
    }, 120_000);

    test("a first sending that arrives behind its second, at the writer after that, is a repeat", async () => {
      const place = await placeOf();
      const partition = partitionOf(ann, partitions);
      const command = creation(ann, "made", crypto.randomUUID());
      const first = place.writer();
      await place.append({ ...commandRecordOf(command, partitions), isResent: true });
      await poll("the second sending is projected", 60_000, () => place.isDone());
      await first.end();
      const second = place.writer();
      await place.send([creation(ann, "another")]);
      await poll("the next writer is at work", 60_000, () => place.isDone());
      await place.append(commandRecordOf(command, partitions));
      await poll("the first sending has its verdict", 60_000, () => place.isDone());
      expect((await place.told(partition)).map(({ kind }) => kind)).toEqual(["decided", "decided", "repeated"]);
      expect(second.failures).toEqual([]);
      await place.expectWhole();
      await second.end();
    }, 120_000);

    test("while MongoDB is away verdicts go on for what is at hand, and afterwards all is projected", async () => {
      const place = await placeOf();
      const proxy = await faultProxy(Number(new URL(mongoUrl).port));
      proxies.push(proxy);
      const through = new URL(place.mongoUrl);
      through.port = String(proxy.port);
      const writer = place.writer({ mongoUrl: through.href });
      const task = crypto.randomUUID();
      await place.send([creation(ann, "known", task)]);
      await poll("it is projected", 60_000, () => place.isDone());
      const partition = partitionOf(ann, partitions);
      await proxy.mode("refuse");
      for (let at = 0; at < 40; at++)
        await place.send([creation(ann, `new ${at}`), change(ann, task, `change ${at}`), change(ann, task, "again")]);
      await poll("each has its verdict", 60_000, async () => (await place.told(partition)).length === 121);
      expect(await place.projected(partition)).toBe(1);
      expect(writer.isReady()).toBe(true);
      const events = () => writer.lines.map(({ event, step }) => `${event} ${step}`);
      await poll("the projection is known to fail", 60_000, () => events().includes("partition-waits project"));
      await proxy.mode("pass");
      await poll("all is projected", 60_000, () => place.isDone());
      expect(events()).toContain("partition-goes-on project");
      expect(events()).not.toContain("partition-waits decide");
      await place.expectWhole();
      await writer.end();
    }, 120_000);
  },
);
