/** The log of spaces with a Kafka that is cut off, silent, away or killed: each call settles in time, reads go on, and all goes on by itself. */
import { afterAll, beforeAll, expect, test } from "bun:test";
import type { Command } from "../../actors/resources/command.ts";
import { commandOf, idOf } from "../../actors/resources/space-for-tests.ts";
import { type SpaceEdge, spaceEdge } from "../stack/space-edge.ts";
import { type RunningWriter, type SpacePlace, spacePlace } from "../stack/space-place.ts";
import { poll } from "../system/poll.ts";
import { describeWith, privateService, service } from "../system/services.ts";
import { type Hurt, hurt } from "../system/stack.ts";

const kafka = await privateService("kafka");
const had = "missing" in kafka ? kafka : await hurt(kafka);
const ann = idOf(11);
const verdictMs = 2_000;

describeWith("spaces while Kafka is away", [had, await service("MONGO_URL")], (its: Hurt, { url: mongoUrl }) => {
  let place: SpacePlace;
  let writer: RunningWriter;
  let edge: SpaceEdge;
  const task = crypto.randomUUID();
  let version = 0;
  let sent = 0;

  function command(title: string): Command {
    const kind = version === 0 ? "create" : "patch";
    const operationId = version === 0 ? task : crypto.randomUUID();
    return commandOf({ spaceId: ann, userId: ann, operationId }, [
      { type: "task", kind, id: task, body: { title: `${title} ${++sent}` } },
    ]);
  }

  beforeAll(async () => {
    place = await spacePlace({ broker: `127.0.0.1:${its.proxy.port}`, mongoUrl, partitions: 3 });
    writer = place.writer();
    edge = await spaceEdge(place, { verdictMs });
    await poll("the first is decided", 60_000, async () => (await edge.change(command("first"))).verdict !== undefined);
    await poll("it is projected", 60_000, () => place.isDone());
    version = (await edge.get(ann, ann, task)).version ?? 0;
  }, 120_000);
  afterAll(async () => {
    await its.mend();
    await edge?.end();
    await place?.remove();
    await its.proxy.close();
    await its.service.stop();
  }, 120_000);

  const outages: [string, () => Promise<void>][] = [
    ["cut off", () => its.proxy.mode("cut")],
    ["silent", () => its.stop()],
    ["killed", () => its.kill()],
  ];
  test.each(outages)(
    "a Kafka that is %s stops changes with an error in time, and no read",
    async (_, begin) => {
      await begin();
      const beganMs = performance.now();
      // What was under way when it began may still have got through.
      const outcome = await edge.change(command("in the outage")).then(
        () => "done",
        (error: { code?: string }) => error.code,
      );
      expect(["log-unavailable", "done"]).toContain(outcome as string);
      // Its deadline is two seconds; this is for a machine that does ten other things.
      expect(performance.now() - beganMs).toBeLessThan(20_000);
      expect((await edge.get(ann, ann, task)).version).toBeGreaterThanOrEqual(version);
      expect(await edge.consistent.head({ userId: ann, token: undefined }, ann)).toBeDefined();
      await its.mend();
      await poll("changes have their verdict again", 90_000, async () => {
        const appended = await edge.change(command("after it")).catch(() => undefined);
        return appended?.verdict !== undefined;
      });
      await poll("all is projected", 90_000, () => place.isDone().catch(() => false));
      await place.expectWhole();
      const found = await edge.get(ann, ann, task);
      expect(found.isStale).toBe(false);
      expect(found.version).toBeGreaterThan(version);
      version = found.version ?? 0;
      expect(writer.failures).toEqual([]);
    },
    240_000,
  );
});
